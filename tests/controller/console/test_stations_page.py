"""The stations' pages: what stands there, for whom, and what can be done in two clicks."""

from __future__ import annotations

import html
import re

import pytest

from controller.console.words import catalogue
from controller.core import events as e
from controller.core.settings import CalendarConfig, CoreConfig
from controller.desk.looking import station_rows
from devices.defects import Step
from tests.controller.console.quality_floor import open_quality_floor, until
from tests.controller.core.rough_floor import RoughFloor

HOSTILE = "<img src=x onerror=alert(1)>"


def worked_floor(seed=3, trouble=0.05):
    floor = RoughFloor(seed, trouble=trouble)
    floor.host.handle(e.SupplyEntered("l1", "laminate", "A1", 900, "sam"), 1.0)
    floor.submit(10.0, 1, cards=160)
    floor.run()
    return floor


def texts(page):
    """What a reader sees."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text)).replace("\u202f", "")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_table_says_of_each_station_what_the_verb_says(tmp_path, language):
    floor = worked_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        browser, words = await console.browser("operator", language), catalogue(language)
        page = await browser.get("/stations")
        assert page.status == 200
        for row in station_rows(console.desk):
            [line] = re.findall(rf'<tr [^>]*id="row-{row["station"]}">(.*?)</tr>', page.text, re.S)
            said = html.unescape(re.sub(r"<[^>]+>", " ", line)).replace("\u202f", "")
            assert words[f"state.{row['state']}"] in said
            assert words[f"step.{row['step']}"] in said
            assert f" {row['worked']} " in said


async def test_a_station_s_page_shows_its_factors_and_its_day(tmp_path):
    floor = worked_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        browser = await console.browser("operator")
        page, tally = await browser.get("/stations/l1"), console.desk.tally.stations["l1"]
        said = texts(page)
        assert f"{tally.worked} · {tally.bad} spoiled by it" in said
        assert "A1" in said
        assert said.count("%") >= 4
        day = await until(browser, "/stations/l1/day", lambda one: "<svg" in one.text)
        assert 's-execute"' in day.text
        assert re.search(r"<desc>.*Execute \d+%", day.text)
        assert (await browser.get("/stations/none")).status == 404
        assert (await browser.get("/stations/none/day")).status == 404


async def test_body_sheets_in_a_magazine_are_shown_to_those_alone_who_may_see_stock(tmp_path):
    async with open_quality_floor(tmp_path, worked_floor()) as console:
        assert "body sheets" in texts(await (await console.browser("supervisor")).get("/stations/l1"))
        operator = await (await console.browser("operator")).get("/stations/l1")
        assert "body sheets" not in texts(operator)
        assert "laminate" in texts(operator), "supplies are for whoever loads them"
        assert "/do/load?station=l1" in operator.text


async def test_a_station_is_held_with_a_reason_of_the_list_and_put_back_by_those_who_may(tmp_path):
    floor = worked_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        operator = await console.browser("operator")
        page = await operator.get("/stations/p1")
        assert "/do/release-station" not in page.text
        asked = re.findall(r'<option value="([a-z_]+)"', page.text)
        assert asked[:2] == ["maintenance", "cleaning"]
        shown = await operator.get("/do/hold-station?station=p1&code=jam")
        sent = {"csrf": shown.csrf, "nonce": nonce_of(shown), "station": "p1", "code": "jam"}
        assert (await operator.post("/do/hold-station", sent)).status == 200
        assert floor.state.station_holds["p1"].code == "jam"
        held = texts(await operator.get("/stations/p1"))
        assert "jam" in held
        assert "A supervisor or quality puts it back" in held
        quality = await console.browser("quality")
        shown = await quality.get("/do/release-station?station=p1")
        await quality.post("/do/release-station", {"csrf": shown.csrf, "nonce": nonce_of(shown), "station": "p1"})
        assert "p1" not in floor.state.station_holds
        wrong = await operator.post("/do/hold-station", {"csrf": page.csrf, "station": "p1", "code": "whatever"})
        assert wrong.status == 400
        own = await operator.get("/do/hold-station-as?station=p1&code=belt.torn")
        assert "belt.torn" in own.text


async def test_somebody_signs_on_and_off(tmp_path):
    floor = worked_floor()
    async with open_quality_floor(tmp_path, floor) as console:
        operator = await console.browser("operator")
        for name, there in (("sign-on", "operator"), ("sign-off", "")):
            page = await operator.get("/stations/p1")
            assert f"/do/{name}?station=p1" in page.text
            shown = await operator.get(f"/do/{name}?station=p1")
            sent = {"csrf": shown.csrf, "nonce": nonce_of(shown), "station": "p1"}
            assert (await operator.post(f"/do/{name}", sent)).status == 200
            assert floor.state.stations["p1"].operator == there


async def test_maintenance_that_is_not_over_is_shown(tmp_path):
    windows = "p1 1970-01-01T00:00/1970-01-01T00:01, p1 1970-02-01T08:00/1970-02-01T10:00"
    core = CoreConfig(calendar=CalendarConfig(maintenance=windows))
    async with open_quality_floor(tmp_path, worked_floor(), core=core) as console:
        said = texts(await (await console.browser("operator")).get("/stations/p1"))
        assert "1970-02-01 08:00:00 – 1970-02-01 10:00:00" in said
        assert "1970-01-01 00:00:00 –" not in said


async def test_whoever_has_no_role_sees_no_station_and_a_hostile_name_is_text(tmp_path):
    floor = worked_floor()
    floor.host.handle(e.StationSeen(HOSTILE, Step.PRINT, "rough", 1, "idle", HOSTILE), floor.host.now_floor_s)
    async with open_quality_floor(tmp_path, floor) as console:
        nobody = await console.browser("nobody")
        for path in ("/stations", "/stations/p1", "/stations/p1/day"):
            page = await nobody.get(path)
            assert page.status == 403
            assert "p1" not in page.text.replace(path, "")
        operator = await console.browser("operator")
        page = await operator.get("/stations")
        assert html.escape(HOSTILE) in page.text
        assert HOSTILE not in page.text
        assert HOSTILE not in (await operator.get("/stations/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E")).text


def nonce_of(page):
    return re.search(r'name="nonce" value="([^"]+)"', page.text)[1]
