"""Asking for a report: the verb with its arguments, who shares a long look, and the command's files."""

from __future__ import annotations

import csv
import io
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import pytest
import trio
from typer.testing import CliRunner

from controller import commands
from controller.cli import app
from controller.commandline import report as cli_report
from controller.core import events as e
from controller.core.settings import CalendarConfig, CoreConfig
from controller.desk.desk import Desk
from controller.desk.flights import Flights
from controller.ledger.journal import Recorded
from controller.ledger.store import open_ledger
from controller.report.span_report import SpanReport
from controller.report.year_report import YearReport
from controller.wire import Command, Done, Refusal
from encoders.envelope import MAX_MESSAGE_BYTES, pack
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, worked_floor

CALENDAR = CalendarConfig(shifts="00:00-04:00, 04:00-08:00, 08:00-16:00", weekdays="1234567", shifts_per_day=3)


@asynccontextmanager
async def desk_in(folder, floor, url=""):
    async with open_ledger(folder, url=url) as ledger:
        for at, move in floor.log:
            ledger.put(Recorded(at, e.TimerFired(), [move]))
            await ledger.room()
        await ledger.record(Recorded(floor.log[-1][0], e.TimerFired(), []))
        clock = SimpleNamespace(now_floor_s=lambda: ENDS_FLOOR_S, scale=1.0)
        core = CoreConfig(calendar=CALENDAR)
        yield Desk(ledger, floor.state, floor.report.tally, clock, True, 4_000.0, lambda event: None, core)


async def ask(desk, **args):
    return await commands.answer(desk, "ann", Command(verb="report", args=args))


@pytest.fixture(scope="module")
def floor():
    return worked_floor(8)


async def test_the_verb_gives_the_span_that_is_asked_for_on_both_engines(tmp_path, floor, engine_url):
    async with desk_in(tmp_path, floor, engine_url) as desk:
        said = await ask(desk, span="shift", date="1970-01-01", shift=2)
        assert isinstance(said, Done)
        assert len(pack(said)) < MAX_MESSAGE_BYTES
        report = msgspec.convert(said.result, SpanReport)
        assert (report.span.name, report.span.begin_floor_s, report.until_floor_s) == ("1970-01-01/2", 14_400, 28_800)
        assert report.cards["made"] > 0
        assert report.broken == []
        now = msgspec.convert((await ask(desk, span="shift")).result, SpanReport)
        assert (now.span.name, now.until_floor_s) == ("1970-01-01/3", ENDS_FLOOR_S)
        day = msgspec.convert((await ask(desk, span="day")).result, SpanReport)
        month = msgspec.convert((await ask(desk, span="month", date="1970-01")).result, SpanReport)
        assert month.cards == day.cards
        assert (month.span.name, len(month.curve), len(day.curve)) == ("1970-01", 1, 12)
        year = msgspec.convert((await ask(desk, span="year", date="1970")).result, YearReport)
        assert year.whole.cards == day.cards
        assert (year.whole.span.name, len(year.days), year.simulated) == ("1970", 1, True)
        assert year.constants["clock.scale"] == "1 floor seconds per real second"
        assert (await ask(desk, span="year")).result == msgspec.to_builtins(year)
        whole = (await ask(desk)).result
        assert (whole["made"], whole["dispatched"]) == (day.cards["made"], day.cards["dispatched"])


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"span": "decade"}, "span"),
        ({"span": "year", "shift": 1}, "shift"),
        ({"span": "year", "date": "26"}, "date"),
        ({"span": "day", "date": "1970"}, "date"),
        ({"span": 7}, "span"),
        ({"span": "shift", "shift": 4}, "shift"),
        ({"span": "shift", "shift": -1}, "shift"),
        ({"span": "shift", "shift": "1"}, "shift"),
        ({"span": "shift", "shift": True}, "shift"),
        ({"span": "day", "shift": 1}, "shift"),
        ({"span": "day", "date": "2026-02-30"}, "date"),
        ({"span": "day", "date": "1970-01"}, "date"),
        ({"span": "day", "date": 20260302}, "date"),
        ({"span": "day", "date": "x" * 5_000}, "date"),
        ({"span": "month", "date": "9999-12"}, "date"),
        ({"span": "shift", "date": "9999-12-31", "shift": 3}, "date"),
        ({"span": "day", "date": "0001-01-01"}, "date"),
    ],
)
async def test_what_is_no_span_is_an_answer(tmp_path, args, field):
    clock = SimpleNamespace(now_floor_s=lambda: ENDS_FLOOR_S, scale=1.0)
    desk = Desk(SimpleNamespace(), None, None, clock, True, 4_000.0, None, CoreConfig(calendar=CALENDAR))
    said = await ask(desk, **args)
    assert isinstance(said, Refusal)
    assert (said.code, said.field) == ("command.argument", field)


async def test_who_asks_for_a_look_under_way_gets_its_answer_and_a_failed_one_is_taken_again():
    flights, began, answers, go_on = Flights(), [], [], trio.Event()

    def look():
        began.append(len(began))
        trio.from_thread.run(go_on.wait)
        if len(began) == 1:
            raise ValueError("the first one fails")
        return 42

    async def one():
        try:
            answers.append(await flights.share("key", look))
        except ValueError:
            answers.append("failed")

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(one)
        await trio.testing.wait_all_tasks_blocked(0.01)
        go_on.set()
    assert sorted(map(str, answers)) == ["42", "42", "failed"]
    assert len(began) == 2


@pytest.fixture
def answers(monkeypatch, tmp_path, floor):
    """What the service would answer, and what it was asked."""
    asked = []

    def answer(verb, args, as_name, config, data, within_s=0.0):
        asked.append((verb, args))
        if verb == "campaign":
            total = {"completed": 7, "target": 10}
            return {"from": "2026-03", "to": "2026-03", "total": total, "units": [], "unplanned": [], "fees": []}

        async def one():
            async with desk_in(tmp_path / str(len(asked)), floor) as desk:
                return (await ask(desk, **args)).result

        (tmp_path / str(len(asked))).mkdir()
        return trio.run(one)

    monkeypatch.setattr(cli_report, "ask", answer)
    return asked


def run(*words):
    return CliRunner().invoke(app, ["report", *map(str, words), "--as", "ann"])


def test_the_command_writes_page_csv_and_json_and_opens_the_page(answers, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(cli_report.typer, "launch", opened.append)
    page, sheet, text = tmp_path / "r.html", tmp_path / "r.csv", tmp_path / "r.json"
    files = ("--out", page, "--csv", sheet, "--json", text)
    done = run("shift", "--date", "1970-01-01", "--shift", "2", "--lang", "en", "--open", *files)
    assert done.exit_code == 0, done.output
    assert answers == [("report", {"span": "shift", "date": "1970-01-01", "shift": 2})]
    assert "Production report: shift 1970-01-01/2" in page.read_text("utf-8")
    assert opened == [page.as_uri()]
    rows = list(csv.reader(io.StringIO(sheet.read_bytes().decode("utf-8-sig"), newline="")))
    report = msgspec.json.decode(text.read_bytes(), type=SpanReport)
    assert ["made", str(report.cards["made"])] in rows


def test_a_page_that_is_only_looked_at_lies_in_a_file_of_its_own(answers, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(cli_report.typer, "launch", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = run("day", "--open")
    assert done.exit_code == 0, done.output
    [page] = tmp_path.glob("cardmill-day-*.html")
    assert opened == [page.as_uri()]
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert page.stat().st_mode & 0o077 == 0, "nobody else reads it"


def test_without_a_file_a_summary_is_printed_and_without_a_span_everything_as_before(answers, tmp_path):
    done = run("month", "--date", "1970-01")
    assert done.stdout.startswith("制证报告：月 1970-01\n")
    whole = run()
    assert whole.stdout.startswith("report 制证报告: applications 申请\n")
    run("--html", tmp_path / "whole.html")
    assert "Cardmill floor report" in (tmp_path / "whole.html").read_text("utf-8")
    assert answers == [("report", {"span": "month", "date": "1970-01"}), ("report", {}), ("report", {})]


def test_a_year_has_a_page_a_csv_and_a_summary_of_its_own(answers, tmp_path):
    page, sheet = tmp_path / "y.html", tmp_path / "y.csv"
    done = run("year", "--date", "1970", "--out", page, "--csv", sheet, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert answers == [("report", {"span": "year", "date": "1970"})]
    assert "Production report: year 1970" in page.read_text("utf-8")
    assert "The bottleneck by week" in sheet.read_text("utf-8-sig")
    said = run("year", "--lang", "en").stdout
    assert said.startswith("Production report: year 1970\n  made ")
    assert "lead time p95" in said


def test_the_campaign_is_asked_for_by_its_month(answers, tmp_path):
    done = run("campaign", "--date", "2026-03", "--csv", tmp_path / "c.csv")
    assert done.exit_code == 0, done.output
    assert answers == [("campaign", {"from": "2026-03", "to": "2026-03"})]
    assert b"completed,7\r\n" in (tmp_path / "c.csv").read_bytes()
    assert "7 / 10" in run("campaign").stdout


@pytest.mark.parametrize(
    "words",
    [
        ["decade"],
        ["year", "--shift", "1"],
        ["day", "--shift", "1"],
        ["--date", "2026-03-02"],
        ["--csv", "x"],
        ["day", "--lang", "fr"],
    ],
)
def test_what_does_not_go_together_is_refused_before_the_service_is_asked(answers, words):
    assert run(*words).exit_code != 0
    assert answers == []
