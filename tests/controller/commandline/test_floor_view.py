"""What `cardmill top` draws of a floor: every station, what is wrong first, in the columns there are, grey when old."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from controller.commandline.floor_view import STALE, STALE_S, STATE_SIGNS, picture
from controller.commandline.live_screen import FOOT, cut
from controller.core.state import SILENT
from controller.report.text import STANDINGS
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.test_laws_floor import open_job
from tests.controller.test_report_text import ask


@pytest.fixture(scope="module")
def floor():
    floor = RoughFloor(3, trouble=0.0)
    floor.submit(600.0, 1, cards=60, holds=3, refused=4)
    floor.run()
    return floor


@pytest.fixture
async def status(floor):
    return await ask(floor, "status")


def with_state(status, name, **changes):
    rows = [one | changes if one["station"] == name else one for one in status["stations"]]
    return status | {"stations": rows}


async def test_every_step_and_station_stands_there_in_both_languages_with_speed_and_what_is_open(status):
    drawn = picture(status, 80).plain
    assert all(one["station"] in drawn for one in status["stations"])
    assert all(f"\n{step} " in drawn for step in Step)
    assert STANDINGS[status["standing"]] in drawn.splitlines()[0]
    assert f"{status['last_hour']['made']:,} made 成卡" in drawn
    assert all(zh in drawn for zh in ("质量检验", "排队", "近一小时", "扣留"))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
async def test_no_line_is_wider_than_the_terminal(status, width):
    status = with_state(status, status["stations"][0]["station"], state="held", reason="jam " * 60)
    assert max(cell_len(line) for line in picture(status, width, STALE_S + 1).plain.splitlines()) <= width


async def test_the_numbers_of_a_busy_province_fit_eighty_columns(status):
    many = 37_800
    hour, tally = dict.fromkeys(status["last_hour"], many), dict.fromkeys(status["tally"], many) | {"batches": 99_999}
    steps = {step: dict.fromkeys(one, many) for step, one in status["steps"].items()}
    busy = status | {"last_hour": hour, "tally": tally, "steps": steps, "unencoded": many, "ready": many}
    drawn = picture(busy, 80).plain
    assert "…" not in drawn
    assert drawn.count("37,800") == 3 * len(Step) + 8


async def test_a_wide_terminal_has_the_states_in_chinese_too(status):
    name = status["stations"][0]["station"]
    broken = with_state(status, name, state="aborted", age_s=720.0)
    assert f"{STATE_SIGNS['aborted']} {name} aborted 12 min" in picture(broken, 80).plain
    assert f"{STATE_SIGNS['aborted']} {name} aborted 故障 12 min" in picture(broken, 160).plain


async def test_a_station_that_is_not_heard_is_grey_and_the_others_are_not(status):
    name = status["stations"][0]["station"]
    drawn = picture(with_state(status, name, state=SILENT), 80)
    at = drawn.plain.index(f"{STATE_SIGNS[SILENT]} {name}")
    grey = [span for span in drawn.spans if str(span.style) == STALE]
    assert [span.start for span in grey] == [at]


async def test_a_station_that_gets_no_work_is_told_with_its_reason_and_how_long_it_lasts(status):
    one, other = (row["station"] for row in status["stations"][:2])
    drawn = picture(with_state(status, one, state="held", reason="jam", age_s=60.0), 100).plain
    assert f"{one} held for 1 min: jam" in drawn
    drawn = picture(with_state(status, other, hold="drift", age_s=7_320.0), 100).plain
    assert f"{other} idle for 2 h 02 min: held: drift" in drawn
    assert f"{STATE_SIGNS['on hold']} {other} on hold" in drawn
    drawn = picture(with_state(status, other, state="aborted", hold="drift"), 100).plain
    assert f"{STATE_SIGNS['aborted']} {other} aborted" in drawn, "the machine's own trouble comes first"


async def test_what_starves_comes_before_the_stations_and_what_waits_for_a_person_below(status):
    want = {"what": "magazine", "where": "l1", "en": "the magazine of l1 is empty", "zh": "l1 料仓没有卡体"}
    changes = {"standing": "starving", "wants": [want], "stopped": 7, "alarms": {"urgent": 2}}
    drawn = picture(status | changes, 100).plain
    wanted = (STANDINGS["starving"], want["en"], "2 urgent: `cardmill alarms`", "print 膜打印", "7 stopped cards")
    places = [drawn.index(part) for part in wanted]
    assert places == sorted(places)


async def test_many_wants_do_not_push_the_stations_off_the_screen(status):
    wants = [{"what": "supply", "where": "p1", "en": f"want {one}", "zh": ""} for one in range(100)]
    lines = picture(status | {"wants": wants}, 80).plain.splitlines()
    assert next(at for at, line in enumerate(lines) if line.startswith("print ")) < 18


async def test_a_picture_that_is_old_is_grey_altogether_and_says_how_old(status):
    assert "NO ANSWER" not in picture(status, 80, STALE_S).plain
    old = picture(status, 80, 65.0)
    first = old.plain.index("\n")
    assert old.plain[:first].startswith("NO ANSWER for 1 min")
    assert {str(span.style) for span in old.spans if span.start > first} == {STALE}


async def test_a_floor_without_any_station_is_drawn_too(status):
    drawn = picture(status | {"stations": []}, 80).plain
    assert drawn.count("no station is known") == len(Step)


async def test_what_does_not_fit_is_counted_in_the_last_line(status):
    drawn = picture(status, 80)
    lines = drawn.plain.splitlines()
    small, large = cut(drawn, 10, 80).plain.splitlines(), cut(drawn, len(lines) + 1, 80).plain.splitlines()
    assert small[:9] == lines[:9]
    assert small[9].startswith(f"{FOOT}; {len(lines) - 9} lines more")
    assert large == [*lines, FOOT]


async def test_a_station_that_works_shows_for_how_long_it_has_had_its_job_and_a_free_one_its_own_state():
    floor, _ = open_job("print")
    job = next(iter(floor.state.jobs.values()))
    floor.host.now_floor_s += 5.0
    rows = {one["station"]: one for one in await ask(floor, "stations")}
    assert rows[job.station]["state"] == "execute"
    assert rows[job.station]["age_s"] == floor.host.now_floor_s - job.started_floor_s
    free = next(one for one in floor.state.stations.values() if not one.job_id)
    assert rows[free.station]["age_s"] == floor.host.now_floor_s - free.since_floor_s
    assert job.started_floor_s > free.since_floor_s
