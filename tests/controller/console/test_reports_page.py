"""The reports' pages: the list, a report that comes when it is added up, its files, and who may see it."""

from __future__ import annotations

import html
import re

import msgspec
import pytest
import trio

from controller.commands import answer_certified
from controller.console.console import VerbRefused
from controller.console.long_looks import LongLooks
from controller.console.strict_headers import POLICY
from controller.console.views.reports import SHEETS, listed, read_wanted
from controller.core.settings import CalendarConfig
from controller.ledger.errors import LedgerDamaged
from controller.report import span_page, year_page
from controller.report.span_report import SpanReport
from controller.report.year_report import YearReport
from controller.wire import Command
from tests.controller.console.quality_floor import open_quality_floor, until
from tests.controller.console.test_quality_page import troubled_floor


async def report_of(console, **args):
    """What the verb itself answers."""
    answer = await answer_certified(console.desk, "supervisor", Command(verb="report", args=args))
    return msgspec.convert(answer.result, SpanReport)


@pytest.mark.parametrize(
    ("query", "args"),
    [
        ("span=day&date=1970-01-01", {"span": "day", "date": "1970-01-01"}),
        ("span=shift&date=1970-01-01&shift=1", {"span": "shift", "date": "1970-01-01", "shift": 1}),
        ("span=month&date=1970-01", {"span": "month", "date": "1970-01"}),
    ],
)
async def test_a_report_is_the_verb_s_in_both_languages_and_its_csv_too(tmp_path, query, args):
    async with open_quality_floor(tmp_path, troubled_floor()) as console:
        report = await report_of(console, **args)
        for language in ("en", "zh"):
            browser = await console.browser("auditor", language)
            page = await until(browser, f"/reports/show?{query}", lambda one: "report-span.css" in one.text)
            assert span_page.heading(report, language) in page.text
            assert "<style" not in page.text
            assert " style=" not in page.text
            assert page.header("content-security-policy") == POLICY
            assert f">{report.cards['made']:,}</b>" in page.text
            table = await browser.get(f"/reports/show.csv?{query}")
            assert table.text.encode() == span_page.csv(report, language)
            saved = await browser.get(f"/reports/show.html?{query}")
            assert saved.text == span_page.html(report, language)
            assert saved.header("content-disposition").startswith("attachment; filename=")


async def test_a_year_is_a_page_of_its_own_with_its_style_sheet_and_its_csv(tmp_path):
    async with open_quality_floor(tmp_path, troubled_floor()) as console:
        asked = Command(verb="report", args={"span": "year", "date": "1970"})
        answer = await answer_certified(console.desk, "supervisor", asked)
        report = msgspec.convert(answer.result, YearReport)
        browser = await console.browser("auditor", "en")
        query = "span=year&date=1970"
        page = await until(browser, f"/reports/show?{query}", lambda one: "report-year.css" in one.text)
        assert "The bottleneck by week" in page.text
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert (await browser.get("/static/report-year.css")).text.endswith(SHEETS["year"][-40:])
        assert (await browser.get(f"/reports/show.csv?{query}")).text.encode() == year_page.csv(report, "en")
        assert (await browser.get(f"/reports/show.html?{query}")).text == year_page.html(report, "en")
        assert "span=year&amp;date=1970" in (await browser.get("/reports")).text


async def test_everything_and_the_campaign_have_pages_and_their_style_sheets_are_there(tmp_path):
    async with open_quality_floor(tmp_path, troubled_floor()) as console:
        browser = await console.browser("supervisor")
        for kind in ("whole", "campaign"):
            page = await until(
                browser, f"/reports/show?span={kind}", lambda one, kind=kind: f"report-{kind}.css" in one.text
            )
            assert "<style" not in page.text
            sheet = await browser.get(f"/static/report-{kind}.css")
            assert sheet.header("content-type").startswith("text/css")
        assert (await browser.get("/static/report-other.css")).status == 404
        assert (await browser.get("/reports/show.csv?span=whole")).status == 404
        assert (await browser.get("/reports/show.exe?span=whole")).status == 404


async def test_a_report_that_takes_long_says_so_and_comes_back_by_itself(tmp_path, monkeypatch):
    async with open_quality_floor(tmp_path, troubled_floor()) as console:
        going, share = trio.Event(), console.desk.flights.share

        async def slow(key, look):
            await going.wait()
            return await share(key, look)

        monkeypatch.setattr(type(console.desk.flights), "share", lambda self, key, look: slow(key, look))
        browser, path = await console.browser("supervisor"), "/reports/show?span=month&date=1970-01"
        page = await browser.get(path)
        assert "Adding up 1970-01" in page.text
        polled = html.unescape(re.search(r'hx-get="([^"]+)"', page.text)[1])
        assert (await browser.get(polled, HX_Request="true")).status == 204
        going.set()
        with trio.fail_after(60):
            while not (answer := await browser.get(polled, HX_Request="true")).header("hx-redirect"):
                assert answer.status == 204
        assert "report-span.css" in (await browser.get(answer.header("hx-redirect"))).text


async def test_a_report_that_is_none_is_said_to_be_none_and_who_may_not_sees_nothing(tmp_path):
    async with open_quality_floor(tmp_path, troubled_floor()) as console:
        browser = await console.browser("administrator")
        for wrong in (
            "",
            "span=decade",
            "span=year&date=26",
            "span=day&date=x",
            "span=shift&date=1970-01-01&shift=9",
            "span=day&date=%3Cb%3E",
        ):
            page = await browser.get(f"/reports/show?{wrong}")
            assert page.status == 400
            assert "There is no such report" in page.text
            assert "<b>1" not in page.text
        for name in ("operator", "stock-keeper", "nobody"):
            other = await console.browser(name)
            for path in (
                "/reports",
                "/reports/show?span=day",
                "/reports/show.csv?span=day",
                "/reports/show?span=whole",
            ):
                assert (await other.get(path)).status == 403
            assert "/reports" not in (await other.get("/account")).text


def test_the_list_has_every_shift_that_began_and_each_names_itself():
    now, calendar = 1_000_000.0, CalendarConfig(shifts="08:00-16:00, 16:00-24:00")
    rows = listed(calendar, now)
    assert all(one.span.begin_floor_s <= now for one in rows["shifts"])
    for one in (*rows["shifts"], *rows["days"], *rows["months"], *rows["years"]):
        sent = dict(pair.split("=") for pair in one.query().replace("%2F", "/").split("&"))
        assert read_wanted(sent, calendar, now) == one


async def test_a_look_is_made_once_for_all_who_wait_and_again_when_it_is_old(autojump_clock):
    asked = []

    async def ask():
        asked.append(trio.current_time())
        await trio.sleep(5)
        return len(asked)

    async with trio.open_nursery() as nursery:
        looks = LongLooks(nursery)
        assert await looks.at("k", ask) is None
        assert await looks.at("k", ask) is None
        await trio.sleep(6)
        assert await looks.at("k", ask) == 1
        await trio.sleep(60)
        assert await looks.at("k", ask) is None
        await trio.sleep(6)
        assert await looks.at("k", ask) == 2
        nursery.cancel_scope.cancel()


async def test_a_look_that_fails_is_told_once_and_ends_nothing_else(autojump_clock):
    async def fail():
        await trio.sleep(1)
        raise LedgerDamaged("move 7")

    async def slowly():
        await trio.sleep(100)

    async with trio.open_nursery() as nursery:
        looks = LongLooks(nursery)
        assert await looks.at("k", fail) is None
        await trio.sleep(2)
        with pytest.raises(VerbRefused) as told:
            await looks.at("k", fail)
        assert told.value.refusal.code == LedgerDamaged.code
        assert await looks.at("k", fail) is None, "it may be tried again"
        await trio.sleep(2)
        for number in range(8):
            assert await looks.at(number, slowly) is None
        with pytest.raises(VerbRefused) as told:
            await looks.at("one more", slowly)
        assert told.value.refusal.code == "busy"
        nursery.cancel_scope.cancel()
