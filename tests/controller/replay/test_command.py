"""`cardmill replay` as people and programs type it: words, exit codes, JSON."""

from __future__ import annotations

import json

import pytest
import trio
from typer.testing import CliRunner

from controller import cli
from controller.audit.errors import NoLedger
from controller.config import ConfigError
from controller.core import events as e
from controller.ledger.chain import head_of
from controller.replay.errors import NoBeginning, OtherSchema
from tests.controller.replay.played import CARDS, NARROW, record_of, tamper, write

RECORD = record_of(3, [(1_500.0, NARROW)])


@pytest.fixture
def folder(tmp_path):
    trio.run(write, tmp_path, RECORD[:250])
    return tmp_path


def typed(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["replay", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def moves_in(record):
    return [(one.at_floor_s, move) for one in record for move in one.moves]


def test_an_equal_ledger_ends_with_0_and_says_how_the_floor_stands(folder):
    said = typed(folder).splitlines()
    head = head_of(moves_in(RECORD[:250]))
    assert said[-1] == "equal: every move came out as it is recorded"
    assert f"digest    {head.seq}:{head.hash.hex()}" in said
    assert said[0].startswith("replayed  250 events of ")
    words = {line.split("  ")[0] for line in said}
    assert words >= {"cards", "batches", "stations", "blanks", "sheets"}


def test_programs_get_digest_counts_and_state_up_to_a_floor_time(folder):
    told = json.loads(typed(folder, "--until", "1970-01-01T00:10", "--json", "-"))
    before = [one for one in moves_in(RECORD[:250]) if one[0] <= 600.0]
    assert told["equal"] is True
    assert told["difference"] is None
    assert (told["moves"], told["digest"]) == (len(before), head_of(before).hash.hex())
    assert sum(told["state"]["cards"].values()) == CARDS
    assert told["state"]["accounts"]["vault"] > 0
    assert [one["station"] for one in told["state"]["stations"]][:2] == ["c1", "c2"]
    assert told["state"]["batches"][0]["cards"]


def test_a_changed_event_ends_with_1_and_both_moves_are_told(folder):
    number = next(n for n, one in enumerate(RECORD, 1) if isinstance(one.event, e.BatchChecked))
    tamper(folder, f"UPDATE event SET at_floor_s = at_floor_s + 0.5 WHERE seq = {number}")
    told = json.loads(typed(folder, "--json", "-", code=1))
    assert told["equal"] is False
    assert told["difference"]["event_seq"] == number
    assert told["difference"]["event"] == "checked"
    assert told["difference"]["recorded"]["move"] == told["difference"]["again"]["move"] == "BatchOpened"
    said = typed(folder, code=1)
    assert f"NOT equal: event {number} (checked), move {told['difference']['move_seq']}" in said
    assert f"event {number} was changed" in said
    assert f"`cardmill audit show --move {told['difference']['move_seq'] - 1}`" in said


def test_what_cannot_be_replayed_is_told_as_an_error_of_use(folder, tmp_path):
    for until in ("yesterday", "12:00", "-5"):
        with pytest.raises(ConfigError, match="--until"):
            typed(folder, f"--until={until}")
    with pytest.raises(NoLedger, match="name its data folder") as missed:
        typed(tmp_path / "nowhere")
    assert "--data" not in str(missed.value), "this command has no such option"
    tamper(folder, "DELETE FROM event WHERE seq = 1")
    with pytest.raises(NoBeginning):
        typed(folder)
    tamper(folder, "UPDATE meta SET value = '1' WHERE key = 'schema'")
    with pytest.raises(OtherSchema):
        typed(folder)


def test_each_kind_of_error_is_a_sentence_and_code_2_at_the_terminal(folder, capsys, monkeypatch):
    tamper(folder, "DELETE FROM event WHERE seq = 1")
    monkeypatch.setattr("sys.argv", ["cardmill", "replay", str(folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "replay.no_beginning: events 1 to 1 are not in this ledger" in capsys.readouterr().err
