"""Slips of the pen at the command line and at the desk are told, never passed over."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from controller import cli, commands
from controller.commandline import packing as cli_packing
from controller.commandline.options import arguments, line
from controller.commandline.trace import cell
from controller.config import ConfigError
from controller.wire import Command, Done, Refusal
from devices.keys import KeyFileError
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.test_packing_verbs import Counter, sent_counter


def run(*words):
    return CliRunner().invoke(cli.app, [*words, "--as", "ann"])


@pytest.mark.parametrize("pair", ["sheets", "sheets=99999999999999999999"])
def test_an_argument_that_cannot_be_sent_is_told_before_it_is_sent(pair):
    with pytest.raises(ConfigError):
        arguments([pair])


def test_an_argument_said_twice_is_told():
    with pytest.raises(ConfigError, match="twice"):
        arguments(["sheets=50", "sheets=5"])
    assert arguments(["sheets=50", "lot=007"]) == {"sheets": 50, "lot": "007"}


@pytest.mark.parametrize("name", ["a/../b", "../ann", "Ann", "/etc/ann", "a b"])
def test_a_name_that_is_none_is_told_and_no_file_looked_for(name, tmp_path):
    with pytest.raises(KeyFileError, match="is no name for a key") as error:
        line(name, None, tmp_path)
    assert error.value.code == "keys.bad_name"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["count", "vault", "-5"], "invalid value for 'counted'"),
        (["load", "l1", "film", "A7", "-5"], "invalid value for 'units'"),
        (["arrived", "1", "520425001", "-5"], "invalid value for 'cards'"),
        (["count", "vault", "5", "--jsno"], "--jsno"),
    ],
)
def test_a_quantity_below_zero_is_told_as_one_and_a_mistyped_option_still_is(words, named):
    done = run(*words)
    assert done.exit_code == 2
    assert named in " ".join(done.output.replace("│", " ").lower().split())


async def propose(counter, args):
    body = Command(request=1, verb="act", args={"verb": "receive", "args": args})
    return await commands.answer(counter._asked, "ann", body)


async def test_an_act_with_an_argument_it_does_not_have_is_refused_with_those_it_has():
    counter = Counter(RoughFloor(1, trouble=0.0))
    args = {"first_body": 900_000, "sheets": 5, "lot": "A7"}
    answer = await propose(counter, {**args, "colour": "red"})
    assert isinstance(answer, Refusal)
    assert "receive takes first_body, sheets, lot" in answer.text
    assert counter.floor.state.acts == {}
    assert isinstance(await propose(counter, args), Done)


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("receive", {"first_body": 900_000, "sheets": 5, "lot": "A7", "person": "Zhang San"}, "command.argument"),
        ("receive", {"first_body": "Zhang San", "sheets": 5, "lot": "A7"}, "act.argument"),
        ("receive", {"first_body": 900_000, "sheets": 5, "lot": "A7", "body": 5}, "command.argument"),
        ("close_shift", {"note": "Zhang San"}, "command.argument"),
        ("no such act", {"person": "Zhang San"}, "act.unknown"),
        ("settle", {"sheet_id": 1, "mask": 1, "finding": "good", "body": "Zhang San"}, "act.argument"),
    ],
)
async def test_what_an_act_does_not_name_never_gets_into_the_journal(verb, args, code):
    counter, posted = Counter(RoughFloor(1, trouble=0.0)), []
    counter._asked.post = posted.append
    answer = await commands.answer(
        counter._asked, "ann", Command(request=1, verb="act", args={"verb": verb, "args": args})
    )
    assert (answer.code, posted) == (code, [])


async def test_a_proposed_act_is_withdrawn_by_command_and_only_once(monkeypatch):
    counter = Counter(RoughFloor(1, trouble=0.0))
    act_id = (await propose(counter, {"first_body": 900_000, "sheets": 5, "lot": "A7"})).result["act_id"]
    body = Command(request=1, verb="withdraw", args={"act_id": act_id})
    assert isinstance(await commands.answer(counter._asked, "bob", body), Done)
    assert counter.floor.state.acts == {}
    assert (await commands.answer(counter._asked, "bob", body)).code == "act.not_open"
    heard = []
    monkeypatch.setattr(cli, "ask", lambda verb, args, *_: heard.append((verb, args)) or {})
    assert run("withdraw", "7").stdout == "withdrawn\n"
    assert heard == [("withdraw", {"act_id": 7})]


async def test_a_decision_that_does_not_exist_is_told_with_those_that_do():
    counter = Counter(RoughFloor(1, trouble=0.0))
    answer = await counter.ask("decide", decision="explode", card=10_000, reason="x")
    assert isinstance(answer, Refusal)
    assert "release, refuse, cancel, resume, refuse_late" in answer.text


async def test_an_absurd_count_of_arrived_cards_is_refused():
    counter = sent_counter()
    row = (await counter.ask("consignments")).result[0]
    named = {"consignment_id": row["consignment_id"], "unit": row["unit"]}
    assert isinstance(await counter.ask("arrived", **named, cards=10_001), Refusal)
    assert isinstance(await counter.ask("arrived", **named, cards=row["sent"] + 1), Done)


async def test_an_absurd_supply_is_refused():
    counter = sent_counter()
    named = {"station": "p1", "kind": "film", "lot": "F7"}
    assert isinstance(await counter.ask("load", **named, units=1_000_001), Refusal)
    assert isinstance(await counter.ask("load", **named, units=1_000_000), Done)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["10001"], "card 10001"),
        (["card", "10001"], "card 10001"),
        (["5204250032026020700001"], "5204250032026020700001"),
        (["l1"], "l1"),
    ],
)
def test_why_takes_a_card_s_number_as_the_tables_show_it(monkeypatch, typed, asked):
    heard = []
    answer = {"sentence_en": "It waits.", "sentence_zh": "等待。", "beaten": []}
    monkeypatch.setattr(cli, "ask", lambda verb, args, *_: heard.append(args["thing"]) or answer)
    assert run("why", *typed).stdout == "It waits.\n等待。\n"
    assert heard == [asked]


def test_a_proposed_act_says_what_the_other_person_types(monkeypatch):
    monkeypatch.setattr(cli, "ask", lambda *_: {"act_id": 7})
    assert "cardmill second 7" in run("act", "destroy", "count=3").stdout


def test_every_act_stands_in_the_help_with_its_arguments():
    said = " ".join(run("act", "--help").stdout.split())
    for words in ("issue station= first_body= sheets=", "lost_blank blank=", "close_shift", "settle sheet_id="):
        assert words in said


def test_every_command_has_its_whole_sentence_in_the_list_of_commands():
    listed = CliRunner().invoke(cli.app, ["--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).stdout
    assert [line for line in listed.splitlines() if line.startswith("  ") and line.rstrip().endswith("...")] == []


def test_a_manifest_that_is_checked_is_not_shown_too(monkeypatch, tmp_path):
    kept = tmp_path / "kept.csv"
    kept.write_text("a,1\n", "utf-8")
    result = {"csv": "a,1\n", "sha256": "ab" * 32, "consignment_id": 1, "units": []}
    monkeypatch.setattr(cli_packing, "ask", lambda *_: result)
    lines = run("manifest", "1", "--check", str(kept)).stdout.splitlines()
    assert lines == ["the file is what the ledger says, to the byte", f"sha256 {'ab' * 32}"]


def test_a_card_without_a_blank_has_an_empty_cell_in_a_spreadsheet():
    assert cell("blank", 0) == ""
    assert cell("blank", 11_082) == '="11082"'
    assert (cell("position", 0), cell("position", -1)) == ("1", "")
