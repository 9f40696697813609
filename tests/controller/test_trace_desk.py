"""Trace by command: what an operator asks and reads, and the file a spreadsheet opens without losing a digit."""

from __future__ import annotations

import csv
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from controller import commands
from controller.commandline import trace as cli_trace
from controller.config import ConfigError
from controller.core import events as e
from controller.core.plan import Because
from controller.desk.desk import Desk
from controller.ledger import tables
from controller.ledger.engine import writer_engine
from controller.ledger.journal import Recorded
from controller.ledger.store import DATABASE_NAME, open_ledger
from controller.trace.station import ROWS_MAX, lost_at, trace_station
from controller.wire import Command, Done, Refusal
from encoders.envelope import MAX_MESSAGE_BYTES, pack
from tests.controller.core.rough_floor import RoughFloor

BATCH = f"{1:025d}"


def made(cards=20):
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.SupplyEntered("l1", "laminate", "A1", 500, "sam"), 1.0)
    floor.submit(10.0, 1, cards=cards, holds=1)
    floor.run()
    return floor


@asynccontextmanager
async def desk_of(floor, folder):
    async with open_ledger(folder) as ledger:
        for at, move in floor.log:
            ledger.put(Recorded(at, e.TimerFired(), [move]))
            await ledger.room()
        await ledger.record(Recorded(floor.log[-1][0], e.TimerFired(), []))
        clock = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s, scale=1.0)
        yield Desk(ledger, floor.state, floor.report.tally, clock, True, 4_000.0, lambda event: None)


async def ask(desk, verb, **args):
    return await commands.answer(desk, "ann", Command(verb=verb, args=args))


async def test_an_operator_traces_a_station_and_a_card_and_asks_why_of_one_that_is_over(tmp_path):
    floor = made()
    async with desk_of(floor, tmp_path) as desk:
        told = await ask(desk, "trace", station="l1", from_floor_s=0, to_floor_s=1e7)
        assert isinstance(told, Done)
        whole = trace_station(desk.ledger.reading, "l1", 0.0, 1e7)
        assert len(told.result["cards"]) == len(whole.cards) > 0
        assert told.result["jobs"][0]["lots"] == ["laminate A1"]
        card = await ask(desk, "trace", card="10005")
        number = card.result["acceptance_number"]
        assert [one["what"] for one in card.result["happened"]][-2:] == ["bundle", "sent"]
        by_number = await ask(desk, "trace", card=number)
        assert by_number.result["acceptance_number"] == number
        past = await ask(desk, "why", thing="card 10005")
        assert card.result["past"] == past.result
        assert past.result["facts"]["because"] == "was_made"
        assert past.result["facts"]["bundle_id"] == card.result["bundle_id"]
        assert "because nothing more could join it" in past.result["sentence_en"]
        for thing in ("card 99999", "sheet 99999", "card", "2" * 25, "2" * 22, "l9"):
            assert isinstance(await ask(desk, "why", thing=thing), Refusal)
        sheet = await ask(desk, "why", thing="sheet 1")
        assert sheet.result["facts"]["because"] == "was_sheet"
        assert "Sheet 1 was imposed at" in sheet.result["sentence_en"]
        assert "because it was as full as it can be." in sheet.result["sentence_en"]
        batch = await ask(desk, "why", thing=BATCH)
        assert batch.result["facts"]["because"] == "was_closed"
        assert batch.result["facts"]["dispatched"] + batch.result["facts"]["refused"] == 20
        assert "结清" in batch.result["sentence_zh"]


async def test_a_sheet_on_the_floor_says_by_which_rule_it_was_imposed_too(tmp_path):
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(10.0, 1, cards=20)
    floor.host.run(100.0)
    sheet = next(iter(floor.state.sheets))
    async with desk_of(floor, tmp_path) as desk:
        told = await ask(desk, "why", thing=f"sheet {sheet}")
        assert told.result["facts"]["imposed_rule"] == "full"
        assert "was imposed at" in told.result["sentence_en"]
        assert told.result["sentence_en"].endswith(".")
        card = floor.state.sheets[sheet].cards[0]
        assert (await ask(desk, "why", thing=f"card {card}")).result["facts"]["imposed_rule"] == "full"
        assert (await ask(desk, "trace", card=str(card))).result["past"] is None


async def test_an_application_that_the_checks_refused_says_for_which_codes(tmp_path):
    async with desk_of(made(), tmp_path) as desk:
        row = {"batch_id": 9, "idx": 0, "acceptance_number": "4" * 22, "verdict": 3, "codes": '["number.check_digit"]'}
        table = tables.inbox_application
        digests = ("row_digest", "identity", "person", "row_hash")
        blank = {one.name: b"" if one.name in digests else "" for one in table.columns}
        blank |= {"express": False, "in_scope": False} | row
        writer = writer_engine(tmp_path / DATABASE_NAME)
        with writer.begin() as connection:
            connection.execute(table.insert().values(**blank))
        writer.dispose()
        told = await ask(desk, "why", thing="4" * 22)
        assert told.result["sentence_en"].endswith("was refused by the checks: number.check_digit.")


async def test_a_page_has_as_many_rows_as_are_asked_for_or_one_whole_load(tmp_path):
    async with desk_of(made(), tmp_path) as desk:
        stretch = {"station": "l1", "from_floor_s": 0, "to_floor_s": 1e7}
        whole, found, after = (await ask(desk, "trace", **stretch)).result, [], 0
        while True:
            page = (await ask(desk, "trace", **stretch, rows=1, after=after)).result
            assert len(page["jobs"]) == 1
            found, after = found + page["cards"], page["after"]
            if not after:
                break
        assert found == whole["cards"]
        for wrong in (0, ROWS_MAX + 1, "7"):
            assert (await ask(desk, "trace", **stretch, rows=wrong)).code == "command.argument"


async def test_a_number_leads_to_what_it_may_stand_for_and_a_short_one_to_a_card_and_to_a_blank(tmp_path):
    async with desk_of(made(), tmp_path) as desk:
        card = (await ask(desk, "trace", card="10005")).result
        numbers = {"card": 10_005, "acceptance_number": card["acceptance_number"], "batch_number": card["batch_number"]}
        for typed, by in (
            (card["acceptance_number"], "acceptance_number"),
            (str(card["blank"]), "blank"),
            ("10005", "card"),
        ):
            found = (await ask(desk, "trace", find=typed)).result["found"]
            assert numbers | {"by": by} in found
        for typed in ("0", "9", "99999", "1" * 15, "1" * 16, "1" * 22, "1" * 25):
            assert (await ask(desk, "trace", find=typed)).result["found"] == []
        for typed in ("", "card 10005", "1" * 65, "１０００５"):
            assert (await ask(desk, "trace", find=typed)).code == "command.argument"


async def test_a_card_s_receipts_are_those_that_its_upstream_was_given_about_it(tmp_path):
    async with desk_of(made(), tmp_path) as desk:
        given = desk.ledger.reader.receipts("north", 0) or desk.ledger.reader.receipts("u1", 0)
        for card in range(10_000, 10_020):
            if desk.ledger.reader.card(card) is None:
                continue
            told = (await ask(desk, "trace", card=str(card))).result
            wanted = [(one.number, one.kind) for one in given if one.index == card - 10_000]
            assert [(one["number"], one["kind"]) for one in told["receipts"]] == wanted != []


@pytest.mark.parametrize(
    ("args", "code", "field"),
    [
        ({"station": "zz", "from_floor_s": 0, "to_floor_s": 9}, "trace.unknown", ""),
        ({"station": "l1", "from_floor_s": 9, "to_floor_s": 9}, "command.argument", "to_floor_s"),
        ({"station": "l1", "from_floor_s": "a", "to_floor_s": 9}, "command.argument", "from_floor_s"),
        ({"station": "l1", "from_floor_s": float("nan"), "to_floor_s": 9}, "command.argument", "from_floor_s"),
        ({"station": "l1", "from_floor_s": True, "to_floor_s": 9}, "command.argument", "from_floor_s"),
        ({"station": "l1", "from_floor_s": 0, "to_floor_s": 9, "after": -1}, "command.argument", "after"),
        ({"card": "77"}, "trace.unknown", ""),
        ({"card": "7" * 22}, "trace.unknown", ""),
        ({"card": "x"}, "command.argument", "card"),
        ({}, "command.argument", "card"),
    ],
)
async def test_a_trace_of_what_is_not_there_is_an_answer(tmp_path, args, code, field):
    async with desk_of(made(), tmp_path) as desk:
        told = await ask(desk, "trace", **args)
        assert isinstance(told, Refusal)
        assert (told.code, told.field) == (code, field)


def a_page(rows):
    names = [
        "job_id",
        "sheet_id",
        "position",
        "card",
        "acceptance_number",
        "batch_number",
        "blank",
        "body_lot",
        "state",
        "generation",
        "bundle_id",
        "consignment_id",
        "unit",
        "here",
    ]
    card = [2**40, 2**40, 7, 2**50, "5" * 22, "6" * 25, 2**50, "L" * 32, "dispatched", 9, 2**40, 2**40, "5" * 9, True]
    job = {
        "job_id": 2**40,
        "step": "print",
        "started_floor_s": 36_000.0,
        "because": "next",
        "operator": "mei",
        "lots": ["film F1"],
        "ended_floor_s": 0.0,
        "answer": "",
        "bundle_id": 0,
    }
    head = {"station": "p1", "after": 0, "walked_moves": 1, "walked_to_floor_s": 0.0, "complete": True}
    return {**head, "jobs": [job], "columns": names, "cards": [card] * rows}


def test_a_whole_page_fits_into_one_message():
    page = a_page(ROWS_MAX)
    assert len(pack(Done(result=page | {"jobs": page["jobs"] * (ROWS_MAX // 8)}))) < MAX_MESSAGE_BYTES


def test_numbers_survive_the_spreadsheet_as_text_and_nobody_s_text_becomes_a_formula(tmp_path):
    page, path = a_page(2), tmp_path / "recall.csv"
    page["jobs"][0]["operator"] = "=cmd()"
    columns, rows = cli_trace.station_rows(page)
    cli_trace.write_csv(path, columns, rows)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    read = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert len(read) == 2
    assert read[0]["acceptance_number"] == f'="{"5" * 22}"'
    assert read[0]["batch_number"] == f'="{"6" * 25}"'
    assert read[0]["blank"] == f'="{2**50}"'
    assert read[0]["operator"] == '="=cmd()"'
    assert read[0]["started_floor_s"] == "1970-01-01 10:00:00"
    assert read[0]["ended_floor_s"] == ""
    assert read[0]["position"] == "8"  # 7 on the wire


def test_pages_are_put_together_until_there_is_no_next_one():
    asked = []

    def ask_after(after):
        asked.append(after)
        return a_page(3) | {"after": {0: 7, 7: 9, 9: 0}[after]}

    whole = cli_trace.pages(ask_after)
    assert asked == [0, 7, 9]
    assert (len(whole["cards"]), len(whole["jobs"]), whole["after"]) == (9, 3, 0)


def test_a_recall_and_a_history_are_read_on_a_screen_with_sums_first():
    page = a_page(50)
    page["complete"] = False
    lines = cli_trace.station_lines(page)
    assert lines[0] == "p1: 50 positions of 1 card in 1 load"
    assert "     50 dispatched" in "\n".join(lines)
    assert "  lots: film F1" in lines
    assert "  people: mei" in lines
    assert any("were not looked for" in line for line in lines)
    assert "30 more" in lines[-1]


def test_times_are_those_of_the_floor_s_clock_and_nonsense_is_refused():
    at = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()
    assert cli_trace.floor_s("2026-03-02T08:00", "--from") == at
    with pytest.raises(ConfigError, match="--to 'noon'"):
        cli_trace.floor_s("noon", "--to")
    with pytest.raises(ConfigError, match="either --station"):
        cli_trace.trace(station="a", card="b")


def test_a_card_s_history_is_one_line_for_each_thing(tmp_path):
    columns, rows = cli_trace.card_rows({"happened": []})
    assert (columns, rows) == ([], [])
    one = {
        "at_floor_s": 60.0,
        "what": "job",
        "step": "write",
        "station": "w1",
        "job_id": 4,
        "sheet_id": 3,
        "position": 2,
        "because": "next",
        "lots": ["ribbon R1"],
        "people": ["mei"],
    }
    card = {
        "card": 5,
        "acceptance_number": "5" * 22,
        "batch_number": BATCH,
        "state": "made",
        "generation": 1,
        "unit": "u",
        "blank": 0,
        "bundle_id": 2,
        "consignment_id": 0,
        "happened": [one],
        "complete": True,
    }
    assert (
        cli_trace.card_lines(card)[-1] == "01-01 00:01:00 write job 4 w1 sheet 3/3 (first in the queue): ribbon R1, mei"
    )
    sent = one | {"what": "sent", "station": "", "sheet_id": 0, "position": -1, "because": "", "lots": []}
    sent["people"] = ["dispatch"]
    encode = one | {"what": "encode", "sheet_id": 0, "position": -1, "people": ["dispatch"]}
    card["happened"] = [encode, sent]
    assert cli_trace.card_lines(card)[-1] == "01-01 00:01:00 sent: automatic"
    columns, rows = cli_trace.card_rows(card)
    cli_trace.write_csv(tmp_path / "card.csv", columns, rows)
    read = list(csv.DictReader((tmp_path / "card.csv").read_text("utf-8-sig").splitlines()))
    assert [(row["position"], row["people"]) for row in read] == [("", "dispatch"), ("", "automatic")]
    assert sent["people"] == ["dispatch"]  # JSON tells what the ledger has


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("00", ""),
        ("no_more", "nothing more could join"),
        ("P1", "P1 smear on the film"),
        ("X1", "X1"),
        ("name.no_glyph", "name.no_glyph"),
    ],
)
def test_a_rule_or_a_defect_is_said_in_words_and_what_was_good_in_none(because, words):
    assert cli_trace.because_words(because) == words


def test_every_rule_of_the_plan_has_its_words():
    assert set(cli_trace.RULES) == set(Because)


async def test_a_suspect_says_where_it_was_lost_and_which_bodies_may_lie_under_it(tmp_path):
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(10.0, 1, cards=20)
    while not any(job.step == "laminate" for job in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    job = next(job for job in floor.state.jobs.values() if job.step == "laminate")
    floor.host.handle(e.JobForgotten(job.station, job.job_id), floor.host.now_floor_s)
    magazine = floor.state.stock.magazines[job.station]
    async with desk_of(floor, tmp_path) as desk:
        rows = (await ask(desk, "suspects")).result
        assert lost_at(desk.ledger.reading, {99_999}) == {}
    assert [row["sheet_id"] for row in rows] == job.sheets
    expected = list(range(magazine[0].first, magazine[0].first + len(job.sheets)))
    for row in rows:
        assert (row["station"], row["step"], row["body"], row["bodies"]) == (job.station, "laminate", 0, expected)
    settle = {"sheet_id": job.sheets[0], "mask": rows[0]["mask"], "finding": "spoiled", "body": expected[0]}
    asked = floor.host.handle(e.ActAsked("settle", settle, "ann"), floor.host.now_floor_s)
    assert asked.refused is None
    done = floor.host.handle(e.ActSeconded(asked.answer, "bob"), floor.host.now_floor_s)
    assert done.refused is None
