"""The quality pages: yields, causes, charts, suspects, recall and remakes, and who may see them."""

from __future__ import annotations

import csv
import html
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from controller.console.words import catalogue
from controller.core import events as e
from controller.core.yields import pareto, step_quality
from controller.report.drift_chart import drift_chart
from controller.report.spreadsheet import quoted
from controller.trace.drift import drift_curve
from controller.trace.states import station_states
from controller.trace.station import trace_station
from devices.defects import DEFECTS, Step
from tests.controller.console.quality_floor import open_quality_floor, until
from tests.controller.core.rough_floor import RoughFloor

RECALL = "/quality/recall?station={}&from=1970-01-01T00:00:01&to=1970-01-03T00:00"
PAGES = ("/quality", "/quality/drift/p1", "/quality/remakes", RECALL.format("p1"))
ENDS = 2 * 86_400.0


def troubled_floor(seed=5):
    """A floor whose stations drift, and that loses sheets which nobody has settled yet."""
    floor = RoughFloor(seed, trouble=0.06)
    for batch in (1, 2):
        floor.submit(3_000.0 * batch, batch, cards=200)
    floor.host.run(12_000.0)
    return floor


def texts(page):
    """What a reader sees."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text)).replace("\u202f", "")


async def test_yields_causes_charts_and_suspects_are_those_of_the_books(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        for language in ("en", "zh"):
            browser = await console.browser("quality", language)
            start = await browser.get("/")
            assert start.header("location") == "/quality"
            page = await browser.get("/quality")
            said = texts(page)
            for step in Step:
                assert f"{100 * step_quality(console.desk.tally, step).fpy:.2f} %" in said
            causes = pareto(console.desk.tally)
            assert causes
            for one in causes:
                assert one.code not in DEFECTS or (one.zh if language == "zh" else one.en) in said
                assert f"{one.count} · {one.share:.0%} · {one.cumulated:.0%}" in said
            for name in floor.state.drift.charts:
                assert f'href="/quality/drift/{name}"' in page.text
            held = [name for name, hold in floor.state.station_holds.items() if hold.code == "drift"]
            assert held
            drawn = ET.fromstring(re.search(r'<div class="chart">(<svg.*?</svg>)', page.text, re.S)[1])
            assert drawn.tag == "svg"


async def test_a_suspect_s_links_lead_to_the_act_that_two_people_do(tmp_path):
    floor = troubled_floor()
    suspects = {one.sheet_id: one for one in floor.state.sheets.values() if one.suspect}
    assert suspects
    async with open_quality_floor(tmp_path, floor) as console:
        page = await (await console.browser("quality")).get("/quality")
        links = re.findall(r'href="(/do/act-settle\?[^"]+)"', page.text)
        told = {tuple(re.findall(r"(?:sheet_id|mask|finding)=(\w+)", one)) for one in links}
        for number, sheet in suspects.items():
            assert (str(number), str(sheet.suspect), "spoiled") in told
            can_be_good = bool(sheet.body) and sheet.step is Step.INSPECT
            assert ((str(number), str(sheet.suspect), "good") in told) == can_be_good
        one = next(iter(suspects.values()))
        args = {"sheet_id": one.sheet_id, "mask": one.suspect, "finding": "spoiled"}
        floor.host.handle(e.ActAsked("settle", args, "quality"), floor.host.now_floor_s)
        places = ", ".join(str(place + 1) for place in range(8) if one.suspect >> place & 1)
        query = f"sheet_id={one.sheet_id}&mask={one.suspect}&finding=spoiled"
        shown = await (await console.browser("quality")).get(f"/do/act-settle?{query}")
        assert f"Suspect positions {places} of sheet {one.sheet_id}" in shown.text
        assert f"<dd>{places}</dd>" in shown.text
        assert f'name="mask" value="{one.suspect}"' in shown.text, "what is sent is the mask"
        own = await (await console.browser("quality")).get("/quality")
        assert "Acts that wait for a second person" in own.text
        assert "/do/second" not in own.text, "nobody agrees with themselves"
        assert "/do/second?act_id=" in (await (await console.browser("supervisor")).get("/quality")).text
        auditor = await (await console.browser("auditor")).get("/quality")
        assert auditor.status == 200
        assert "/do/" not in auditor.text


async def test_who_may_not_gets_no_row_and_no_chart(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        for name in ("operator", "stock-keeper", "nobody"):
            browser = await console.browser(name)
            for path in (*PAGES, "/quality/recall.csv?" + RECALL.partition("?")[2].format("p1"), "/events/quality"):
                if path == "/quality/remakes" and name != "nobody":
                    assert (await browser.get(path)).status == 200
                    continue
                page = await browser.get(path)
                assert page.status == 403, (name, path)
                assert "<svg" not in page.text
                assert f"{1:022d}" not in page.text


async def test_a_recall_shows_every_card_that_went_through_page_by_page(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        browser = await console.browser("quality")
        whole = trace_station(console.desk.ledger.reading, "l2", 1.0, ENDS)
        path, found, pages = RECALL.format("l2"), [], 0
        while path:
            page = await until(browser, path, lambda one: '<th scope="row">' in one.text)
            found += re.findall(r"<code>(\d+)</code></a></th><td><code>(\d{22})</code>", page.text)
            more = re.search(r'href="(/quality/recall\?[^"]*&after=\d+)"', page.text)
            path, pages = html.unescape(more[1]) if more else "", pages + 1
        assert found == [(str(one.card), one.acceptance_number) for one in whole.cards]
        assert pages > 1
        for wrong in ("station=l2&from=x&to=y", "station=l2&from=1970-01-02T00:00&to=1970-01-01T00:00"):
            assert "the second after the first" in texts(await browser.get(f"/quality/recall?{wrong}"))
        assert (await browser.get("/quality/recall.csv?station=l2")).status == 400


async def test_the_csv_of_a_recall_keeps_long_numbers_as_text_and_says_that_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("controller.console.views.recall.CSV_ROWS", 40)
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        browser = await console.browser("auditor")
        whole = trace_station(console.desk.ledger.reading, "p1", 1.0, ENDS)
        answer = await browser.get("/quality/recall.csv?" + RECALL.partition("?")[2].format("p1"))
        assert answer.header("content-disposition").startswith("attachment")
        assert answer.text.startswith("\ufeff")
        rows = list(csv.reader(answer.text[1:].splitlines()))
        assert [row[4] for row in rows[2:-1]] == [quoted(one.acceptance_number) for one in whole.cards]
        assert rows[-1] == [catalogue("en")["recall.ended"]]


async def test_a_chart_ends_where_the_watch_stands_and_shows_when_it_held_the_station(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        watch, config = floor.state.drift, console.desk.core.drift
        for name, chart in watch.charts.items():
            curve = drift_curve(console.desk.ledger.reading, name, config, 1.0, ENDS)
            assert curve.points[-1].score in (chart.score, curve.limit)
            assert curve.cards == chart.cards
            assert bool(curve.signals) == (name in floor.state.drifted)
            assert max(one.score for one in curve.points) <= curve.limit
            drawn = ET.fromstring(drift_chart(curve, 181, "<title>", "limit", "warning", str))
            assert len(drawn.findall("circle")) == len(curve.signals)
        browser = await console.browser("quality", "zh")
        name = next(iter(floor.state.drifted))
        page = await until(browser, f"/quality/drift/{name}", lambda one: "polyline" in one.text)
        assert catalogue("zh")["quality.limit"] in page.text
        assert (await browser.get("/quality/drift/none")).status == 404


async def test_states_of_a_day_have_no_gap_and_end_as_the_station_stands(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        now = floor.host.now_floor_s
        for name, station in floor.state.stations.items():
            found = station_states(console.desk.ledger.reading, name, now - 5_000, now)
            assert (found[0].begin_floor_s, found[-1].end_floor_s) == (now - 5_000, now)
            assert all(one.end_floor_s == next_.begin_floor_s for one, next_ in pairwise(found))
            stands = "execute" if station.job_id else "on_hold" if name in floor.state.station_holds else "idle"
            assert found[-1].state == stands


async def test_remakes_are_shown_with_their_clocks(tmp_path):
    floor = troubled_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        clocks = console.desk.tally.remakes.remakes
        assert clocks
        page = await (await console.browser("operator")).get("/quality/remakes")
        assert sorted(map(int, re.findall(r'<th scope="row">(?:<a[^>]*>)?<code>(\d+)', page.text))) == sorted(clocks)
        assert "/do/act-set_good" not in page.text
        assert "/do/act-set_good" in (await (await console.browser("quality")).get("/quality/remakes")).text
