"""`cardmill check`: exit codes, the file of answers, the tables for people, the centre's own tables and settings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from controller import cli
from tests.controller.checks.samples import jpeg
from tests.controller.offline.files import application, batch, person, write_file
from tests.controller.offline.packages import NAME, written, xml, zipped


def run(monkeypatch, *words):
    """Run the command; give its exit code."""
    monkeypatch.setattr("sys.argv", ["cardmill", "check", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.fixture
def file(tmp_path):
    shared = application(2, identity_number=person(1).identity_number, name="样例乙")
    return write_file(tmp_path, [batch(1, 3), application(1), shared, application(3, name="")])


def test_answers_are_written_in_order_and_the_exit_code_is_0(file, tmp_path, monkeypatch):
    out = tmp_path / "answers.jsonl"
    assert run(monkeypatch, file, "--json", out) == 0
    answers = [json.loads(line) for line in out.read_text("ascii").splitlines()]
    assert [answer["verdict"] for answer in answers] == ["ok", "ok", "hold", "refuse"]
    assert list(answers[0]) == ["batch_number", "verdict", "findings"]
    assert [answer["acceptance_number"][-5:] for answer in answers[1:]] == ["00001", "00002", "00003"]


def test_a_dash_writes_nothing_but_answers_to_standard_output(file, monkeypatch, capsys):
    assert run(monkeypatch, file, "--json", "-") == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == [
        "ok",
        "ok",
        "hold",
        "refuse",
    ]


def test_people_get_a_table_of_verdicts_and_codes_and_no_persons_field(file, monkeypatch, capsys):
    assert run(monkeypatch, file) == 0
    shown = capsys.readouterr().out
    assert "duplicate.shared_number" in shown
    assert "missing.name" in shown
    assert shown.endswith("which applications these are: --json FILE, an answer to each line\n")
    assert person(1).identity_number not in shown
    assert "样例" not in shown


@pytest.mark.parametrize("name", ["gone.jsonl", "."])
def test_a_file_that_cannot_be_read_is_a_sentence_and_exit_code_2(name, tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, tmp_path / name, "--json", "-") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("cardmill: ")


def test_portraits_of_json_lines_may_lie_beside_the_folder_of_the_file(tmp_path, monkeypatch, capsys):
    inner = tmp_path / "inner"
    inner.mkdir()
    write_file(tmp_path, [])  # with its portrait
    file = write_file(inner, [batch(1, 1), application(1, portrait="../face.jpg")])
    assert verdict_of_the_first(file, monkeypatch, capsys) == "ok"


def test_the_file_itself_is_not_overwritten_by_its_answers(file, monkeypatch):
    before = file.read_bytes()
    assert run(monkeypatch, file, "--json", file) == 2
    assert file.read_bytes() == before


def verdict_of_the_first(file, monkeypatch, capsys, *options):
    assert run(monkeypatch, file, "--json", "-", *options) == 0
    return json.loads(capsys.readouterr().out.splitlines()[1])["verdict"]


def test_a_province_brings_its_authorities_by_option_or_by_settings(file, tmp_path, monkeypatch, capsys):
    table, config = tmp_path / "authorities.csv", tmp_path / "config.toml"
    table.write_text("code,name\n520102,样例公安局\n", "utf-8-sig")
    config.write_text(f'[checks]\nauthorities = "{table}"\n')
    assert verdict_of_the_first(file, monkeypatch, capsys) == "ok"
    assert verdict_of_the_first(file, monkeypatch, capsys, "--authorities", table) == "hold"
    assert verdict_of_the_first(file, monkeypatch, capsys, "--config", config) == "hold"


@pytest.mark.parametrize("text", ["code,name\n52,x\n", "", "a,b\n1,2\n"])
def test_a_table_of_authorities_that_is_none_is_a_sentence_and_exit_code_2(text, file, tmp_path, monkeypatch, capsys):
    table = tmp_path / "authorities.csv"
    table.write_text(text)
    assert run(monkeypatch, file, "--authorities", table) == 2
    assert "--authorities" in capsys.readouterr().err


def test_the_centres_policy_for_shared_numbers_holds_here_too(file, tmp_path, monkeypatch, capsys):
    config = tmp_path / "config.toml"
    config.write_text('[checks]\nshared_number = "neither"\n')
    assert verdict_of_the_first(file, monkeypatch, capsys, "--config", config) == "hold"


def test_without_pixels_a_portrait_that_decodes_to_nobody_is_let_through(file, monkeypatch, capsys):
    (file.parent / "face.jpg").write_bytes(jpeg(np.full((441, 358, 3), 255, np.uint8)))
    assert verdict_of_the_first(file, monkeypatch, capsys) == "refuse"
    assert verdict_of_the_first(file, monkeypatch, capsys, "--no-pixels") == "note"


def test_a_package_is_checked_and_one_that_is_cut_off_is_a_code_and_exit_code_2(tmp_path, monkeypatch, capsys):
    path = written(tmp_path, f"{NAME}.zip", zipped())
    assert run(monkeypatch, path, "--json", "-") == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["ok", "ok", "ok"]
    path.write_bytes(zipped({f"{NAME}.xml": xml()[:-3]}))
    assert run(monkeypatch, path, "--json", "-") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("cardmill: package.xml: ")
