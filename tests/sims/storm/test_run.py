"""The command: what a failing seed says, what programs get, and which exit code."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from sims.storm import run
from sims.storm.errors import StormOptionError
from sims.storm.options import draw_options
from sims.storm.seed import Outcome


@pytest.fixture
def failing(monkeypatch):
    """Seed 6 breaks a law, all others are fine and quick."""

    def one(seed: int) -> Outcome:
        outcome = Outcome(seed, head="ab" * 32, cards=400, crashes=1, moves=10, seen=Counter({"quarantine": 1}))
        if seed == 6:
            outcome.law, outcome.what, outcome.last_moves = "law 2", "law 2: a blank is in two places", ["Move(1)"]
        return outcome

    monkeypatch.setattr(run, "_one", one)


def test_a_failing_seed_is_told_with_its_options_and_last_moves_and_ends_with_1(failing, capsys):
    assert run.run_command("5:8", "", "", 1) == 1
    told = capsys.readouterr().err
    assert "seed 6: law 2: a blank is in two places" in told
    assert draw_options(6).told() in told
    assert "Move(1)" in told
    assert "1 seeds broke a law" in told


def test_programs_get_counts_digest_and_failures(failing, capsys, tmp_path):
    path = tmp_path / "storm.json"
    assert run.run_command("5:8", str(path), "", 1) == 1
    assert run.run_command("5:8", "-", "", 1) == 1
    report = json.loads(path.read_text("utf-8"))
    shown = json.loads(capsys.readouterr().out)
    assert {**report, "took_s": 0} == {**shown, "took_s": 0}
    assert (report["seeds"], report["violations"], report["cards"], report["crashes"]) == (3, 1, 1_200, 3)
    assert report["failures"] == [{"seed": 6, "law": "law 2", "what": "law 2: a blank is in two places"}]
    assert len(report["digest"]) == 64
    assert report["seen"] == {"quarantine": 3}


def test_a_run_without_a_failure_ends_with_0(failing):
    assert run.run_command("1:5", "", "", 1) == 0


def test_a_long_run_that_missed_states_ends_with_1_and_names_them(failing, capsys):
    assert run.run_command("7:307", "", "", 1) == 1
    assert "never met: crash during recovery" in capsys.readouterr().err


def test_a_mutant_that_lives_ends_with_1_and_one_that_dies_with_0(capsys):
    assert run.run_command("0:1", "", "purge_keeps_a_key", 1) == 1
    assert "survived" in capsys.readouterr().err
    assert run.run_command("0:2", "", "issue_counted_twice", 1) == 0


def test_a_mutant_nobody_knows_is_refused():
    with pytest.raises(StormOptionError, match="no mutant"):
        run.run_command("0:1", "", "nothing", 1)
