"""`python -m bench checks`: what is planted is known from the planting, and what a check misses is seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.checks import Score, main
from bench.checks_file import FaultyFile
from bench.checks_lines import HEAD_FAULTS, LINE_FAULTS
from controller.checks import rows
from controller.checks.codes import CODES
from controller.checks.number import check_sex
from controller.offline import checking
from sims.planted import FAULTS


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> FaultyFile:
    """A file in which every kind of an application's faults is planted at least once."""
    written = FaultyFile(tmp_path_factory.mktemp("faulty"), 1_100, 7)
    written.write()
    return written


def judged(file: FaultyFile) -> dict:
    score = Score()
    score.judge(file, "first_only")
    return score.result()


def test_everything_planted_is_found_and_nothing_good_is_stopped_or_noted(file):
    result = judged(file)
    assert result["wrong"] == {}
    assert (result["missed"], result["false"], result["false_notes"]) == (0, 0, 0)
    assert (result["recall"], result["precision"]) == (1, 1)
    assert result["kinds"] >= len(FAULTS)
    assert result["good"] > 500


def test_the_other_policies_are_judged_too(tmp_path):
    for policy in ("neither", "both"):
        folder = tmp_path / policy
        folder.mkdir()
        shared = FaultyFile(folder, 300, 3, policy)
        shared.write()
        score = Score()
        score.judge(shared, policy)
        assert score.wrong == {}
        assert any(truth.kind == "shared_number" for truth in score.planted)


def test_a_check_that_is_left_out_is_missed(file, monkeypatch):
    others = tuple(check for check in rows.TEXT_CHECKS if check is not check_sex)
    monkeypatch.setattr(rows, "TEXT_CHECKS", others)
    result = judged(file)
    assert result["missed"] > 0
    assert {sentence.partition(":")[0] for sentence in result["wrong"]} == {"number_other_sex", "sex_unknown"}


def test_a_check_that_stops_the_good_is_seen(file, monkeypatch):
    def refuse_all(app, context):
        return [*rows.check_texts(app, context), checking.FINDINGS["number.sex"]]

    monkeypatch.setattr(checking, "check_texts", refuse_all)
    result = judged(file)
    assert result["false"] > 500
    assert result["precision"] < 0.5


def test_every_line_has_its_truth_and_a_seed_gives_the_same_file(file, tmp_path):
    lines = file.path.read_bytes().count(b"\n")
    assert len(file.truths) == lines
    again = FaultyFile(tmp_path, 1_100, 7)
    again.write()
    assert again.truths == file.truths
    assert again.path.read_bytes() == file.path.read_bytes()


def test_what_is_planted_speaks_the_words_of_the_table():
    truths = [fault.truth for fault in (*LINE_FAULTS, *HEAD_FAULTS)]
    for truth in truths:
        if truth.code:
            row = CODES[truth.code]
            assert (row.severity.name.lower(), row.field, row.group) == (truth.verdict, truth.field, truth.group)
    assert len({truth.kind for truth in truths}) == len(truths)


def test_the_command_writes_its_figures(tmp_path: Path, capsys):
    out = tmp_path / "result.json"
    assert main(["--cards", "200", "--speed-cards", "50", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    for name in ("applications", "kinds", "planted", "missed", "false", "recall", "precision"):
        assert isinstance(result[name], int | float)
    assert result["pixels"]["applications_per_s"] > 0
    assert result["no_pixels"]["applications_per_s"] > 0
    assert "recall" in capsys.readouterr().out


def test_a_wrong_option_is_a_sentence(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--cards", "x"])
    assert end.value.code == 2
    assert "whole number" in capsys.readouterr().err
