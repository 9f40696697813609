"""Status and report on a screen: eighty columns, what matters first, and the figures of the JSON."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from controller import commands
from controller.core import events as e
from controller.core.cards import State
from controller.core.settings import CalendarConfig, CoreConfig
from controller.desk.desk import Desk
from controller.report.figures import build_report
from controller.report.text import STANDINGS, columns_of, report_lines, status_lines, wrapped
from controller.wire import Command
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor


class Ledger:
    """A ledger that commits at once and knows the moves of a floor."""

    def __init__(self, floor):
        self._floor, self.reader = floor, self

    async def write(self, change):
        return None

    def replay(self):
        return iter(self._floor.log)


async def ask(floor, verb, core=None):
    clock = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s, scale=10.0)
    desk = Desk(Ledger(floor), floor.state, floor.report.tally, clock, True, 4_000.0, lambda event: None)
    desk = desk if core is None else Desk(*[getattr(desk, name) for name in Desk.__slots__][:7], core)
    done = await commands.answer(desk, "ann", Command(verb=verb, args={}))
    return done.result


@pytest.fixture(scope="module")
def floor():
    floor = RoughFloor(3, trouble=0.05)
    for batch in range(1, 5):
        floor.submit(600.0 * batch, batch, cards=60, holds=3, refused=4)
    floor.run()
    return floor


def test_the_report_fits_eighty_columns_and_shows_the_figures_of_the_json(floor):
    report = build_report(floor.log, 4_000.0)
    lines = report_lines(report)
    text = "\n".join(lines)
    assert max(map(columns_of, lines)) <= 80
    assert len(lines) < 60
    assert f"{report['rty']:.2%}" in text
    assert all(f"{report['fpy_by_step'][step]:.2%}" in text for step in Step)
    assert all(f"{report['oee_by_station'][name]:>7.0%}" in text for name in report["stations"])
    assert report["causes"][0]["zh"] in text
    assert "检验员" in text
    assert report["broken_sums"] == []


def test_a_report_of_nothing_and_one_of_many_long_names_fit_too(floor):
    assert max(map(columns_of, report_lines(build_report([], 4_000.0)))) <= 80
    report = build_report(floor.log, 4_000.0)
    name = next(iter(report["stations"]))
    many = [f"printer-of-the-north-{number:09d}" for number in range(80)]
    report["stations"] |= dict.fromkeys(many, report["stations"][name])
    report["oee_parts_by_station"] |= dict.fromkeys(many, report["oee_parts_by_station"][name])
    lines = report_lines(report | {"broken_sums": ["x" * 200]})
    assert max(map(columns_of, lines)) <= 80
    assert any("more" in line for line in lines)


async def test_status_shows_the_last_hour_beside_what_is_there_now_and_a_healthy_idle_looks_healthy(floor):
    floor.two_people("receive", {"first_body": 900_000, "sheets": 20, "lot": "Z"})
    status = await ask(floor, "status")
    lines = status_lines(status)
    assert max(map(columns_of, lines)) <= 80
    assert status["standing"] == ("working" if status["last_hour"]["made"] else "idle")
    assert status["wants"] == []
    assert "last hour" in lines[2]
    assert f"made{status['last_hour']['made']:>20,}{status['tally']['made']:>12,}" in "\n".join(lines)
    assert status["last_hour"]["made"] == floor.report.tally.window.sums(floor.host.now_floor_s)["made"]


async def test_status_names_what_starves_in_its_first_lines():
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.StationReported("p1", "suspended", "no film", 5.0), 5.0)
    floor.state.stock.magazines.clear()
    status = await ask(floor, "status")
    lines = status_lines(status)
    assert "STARVING" in lines[0]
    assert status["standing"] in STANDINGS
    told = "\n".join(lines[:6])
    for words in (
        "vault holds no blanks",
        "magazine of l1 is empty",
        "p1 waits for material (no film)",
        "料仓没有卡体",
    ):
        assert words in told
    assert "p1 is suspended (no film)" in "\n".join(lines)


async def test_status_says_in_its_first_lines_what_is_wrong_with_doors_and_keys(floor):
    status = await ask(floor, "status")
    assert (status["insecure"], status["keys"]) == (False, {"outside": 0, "outside_floor_s": 0.0, "pending": 0})
    calm = "\n".join(status_lines(status))
    assert "INSECURE" not in calm
    assert "keys" not in calm
    loud = status | {"insecure": True, "keys": {"outside": 1_234, "outside_floor_s": 5e9, "pending": 2}}
    lines = status_lines(loud)
    assert max(map(columns_of, lines)) <= 80
    told = "\n".join(lines[:6])
    for words in (
        "INSECURE",
        "身份无凭证",
        "changed past the service 1,234 times",
        "密钥被旁路改动",
        "2 approved",
        "尚未写入",
    ):
        assert words in told
    once = status | {"keys": {"outside": 1, "outside_floor_s": 5e9, "pending": 0}}
    assert "changed past the service 1 time, last" in "\n".join(status_lines(once))


async def test_status_says_which_step_stands_still_and_which_station_the_controller_holds():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=40)
    floor.host.run(60.0)
    floor.host.handle(e.HoldAsked("i1", "smells", "ann"), 61.0)
    floor.host.handle(e.StationReported("w1", "held", "head 3 dirty", 62.0), 62.0)
    status = await ask(floor, "status")
    text = "\n".join(status_lines(status))
    assert status["standing"] == "stopped"
    assert "STOPPED" in text.splitlines()[0]
    assert "  ! no inspect station works" in text
    assert "no write station works" not in text
    assert "the controller holds it: smells" in text
    assert "w1 is held (head 3 dirty)" in text
    assert "1 of 2 down" in text


async def test_a_bundle_that_is_opened_again_is_taken_off_the_last_hour(floor):
    status = await ask(floor, "status")
    assert status["last_hour"]["made"] <= status["tally"]["made"]
    assert status["last_hour"]["remade"] <= status["tally"]["remade"]


async def test_the_report_leaves_hours_without_a_shift_out_of_the_planned_time(floor):
    always = await ask(floor, "report")
    core = CoreConfig(calendar=CalendarConfig(shifts="00:00-01:00", weekdays="1234567"))
    shifts = await ask(floor, "report", core)
    assert shifts["oee_parts_by_station"]["p1"]["availability"] > always["oee_parts_by_station"]["p1"]["availability"]
    assert shifts["oee_parts_by_station"]["p1"]["quality"] == always["oee_parts_by_station"]["p1"]["quality"]


def test_a_long_line_is_cut_at_its_spaces_and_chinese_counts_double():
    assert wrapped("a b c", 3) == ["a b", "    c"]
    assert columns_of("平压 press") == 10
    assert all(columns_of(line) <= 80 for line in wrapped("blanks: " + ", ".join(f"account {i}" for i in range(60))))


async def test_status_says_what_waits_for_a_person_and_which_command_shows_it(floor):
    status = await ask(floor, "status")
    tally = {**status["tally"], "held": 3}
    status = {**status, "stopped": 2, "suspects": 1_104, "tally": tally}
    lines = status_lines(status)
    for command, count in (("review", "3"), ("stopped", "2"), ("suspects", "1,104")):
        assert [line.split()[1] for line in lines if f"`cardmill {command}`" in line] == [count]
    assert max(map(columns_of, lines)) <= 80
    nothing = {**status, "stopped": 0, "suspects": 0, "tally": {**tally, "held": 0}}
    assert not any("`cardmill" in line for line in status_lines(nothing))


async def test_the_status_counts_stopped_cards_and_suspect_sheets(floor):
    stopped = sum(card.state is State.STOPPED for card in floor.state.cards.values())
    suspects = sum(bool(sheet.suspect) for sheet in floor.state.sheets.values())
    status = await ask(floor, "status")
    assert (status["stopped"], status["suspects"]) == (stopped, suspects)
