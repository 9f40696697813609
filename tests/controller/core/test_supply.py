"""Supplies with lots, and complaint 20: the forecast names the starving input and its date."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from controller.core import events as e
from controller.core.fold import apply
from controller.core.moves import BatchOpened, BundleMade, JobEnded, RowVerdict, SheetBound, SheetEnd, Verdict
from controller.core.state import FloorState
from controller.core.stock_moves import StockReceived, SupplyLoaded
from controller.core.supply import AHEAD_DAYS, SUPPLY_KINDS, WINDOW_HOURS, InputPace, forecast, kind_refusal
from devices.defects import GOOD, Step
from devices.messages import Fate
from tests.controller.core.rough_floor import RoughFloor

DAY_S = 86_400.0
MONDAY_S = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def opened(batch_id: int, cards: int) -> BatchOpened:
    rows = [RowVerdict(index, f"{index:022d}", "520102001", Verdict.OK) for index in range(cards)]
    return BatchOpened(batch_id, f"{batch_id:025d}", "north", "second", 0.0, 9e9, rows)


def loaded(units: int) -> SupplyLoaded:
    return SupplyLoaded("p1", "film", "F7", units, "cat")


def printed(at: float, sheets: int) -> JobEnded:
    ends = [SheetEnd(number, Fate.DONE, "00", 255) for number in range(sheets)]
    return JobEnded(1, "p1", Step.PRINT, "done", at, at, ends)


class Week:
    """A floor of which only the paces matter: each day the same."""

    def __init__(self, *, bodies: int, made: int, accepted: int, printed_sheets: int = 0, days: int = 5) -> None:
        self.pace, self.now_floor_s = InputPace(), MONDAY_S + days * DAY_S
        for day in range(days):
            at = MONDAY_S + day * DAY_S
            for body in range(bodies):
                self.pace.fold(at, SheetBound(body, body, "l1"))
            self.pace.fold(at, BundleMade(1, 1, "520102001", [0] * made, "k1"))
            self.pace.fold(at, opened(1, accepted))
            self.pace.fold(at, printed(at, printed_sheets))
        self.state = FloorState()

    def has(self, *, sheets: int, cards: int, film: int | None = None) -> Week:
        apply(self.state, 0.0, StockReceived(1, sheets, "B", "ann", "bob")) if sheets else None
        apply(self.state, 0.0, opened(1, cards))
        if film is not None:
            apply(self.state, 0.0, loaded(film))
        return self

    def forecast(self):
        return forecast(self.state, self.pace, self.now_floor_s)


def test_blanks_that_last_three_days_more_are_named_with_their_date():
    told = Week(bodies=100, made=700, accepted=800).has(sheets=300, cards=2_000).forecast()
    assert (told.input, told.date) == ("blanks", "2026-03-10")
    assert told.sentence_en == (
        "Blanks run out first, on 2026-03-10: 300 sheets (2,400 blanks) are left, 100.0 a day are used up."
    )
    assert told.sentence_zh == "空白卡体将最先于 2026-03-10 用完：余 300 大张（2,400 张卡体），日均 100.0 大张。"


def test_data_that_comes_slower_than_it_is_made_starves_the_floor_when_its_backlog_is_gone():
    told = Week(bodies=100, made=800, accepted=300).has(sheets=9_000, cards=1_000).forecast()
    assert (told.input, told.date) == ("data", "2026-03-09")
    data = next(one for one in told.inputs if one.name == "data")
    assert (data.left, data.per_day) == (1_000, 500.0)


def test_a_stations_film_that_ends_before_the_rest_is_named_with_its_station():
    week = Week(bodies=100, made=800, accepted=800, printed_sheets=100)
    told = week.has(sheets=9_000, cards=1_000, film=150).forecast()
    assert (told.input, told.station, told.date) == ("film", "p1", "2026-03-08")
    assert "of p1" in told.sentence_en


@pytest.mark.parametrize(
    ("sheets", "cards", "film", "named"), [(0, 5, 9, "blanks"), (0, 0, 9, "blanks"), (9, 5, 0, "film")]
)
def test_what_is_used_up_starves_the_floor_now(sheets, cards, film, named):
    week = Week(bodies=1, made=8, accepted=8, printed_sheets=1).has(sheets=sheets, cards=cards, film=film)
    told = week.forecast()
    assert (told.input, told.ends_floor_s) == (named, week.now_floor_s)
    assert "none left" in told.sentence_en


def test_a_floor_without_open_cards_is_idle_and_not_said_to_starve():
    told = Week(bodies=1, made=8, accepted=8).has(sheets=9, cards=0).forecast()
    assert told.input == "data"
    assert (told.sentence_en, told.sentence_zh) == ("Data: nothing waits to be made.", "没有待制的数据。")


def test_one_supply_of_a_station_runs_out_and_is_told_in_good_grammar_in_both_languages():
    week = Week(bodies=1, made=8, accepted=8, printed_sheets=1).has(sheets=9_000, cards=5)
    for kind, name in (("film", "印刷膜"), ("laminate", "覆合膜")):
        week.state.stock.supplies.clear()
        apply(week.state, 0.0, SupplyLoaded("p1", kind, "F7", 15, "cat"))
        told = week.forecast()
        days = f"{kind.capitalize()} of p1 runs out first, on {told.date}: 15 sheets are left, 1.0 a day are used up."
        assert told.sentence_en == days
        assert told.sentence_zh == f"p1 的{name}将最先于 {told.date} 用完：余 15 张，日均 1.0 张。"
    apply(week.state, 0.0, SupplyLoaded("p1", "laminate", "F7", 1, "cat"))
    assert "1 sheet is left" in week.forecast().sentence_en


def test_a_kind_that_no_station_of_a_step_is_loaded_with_is_refused_with_those_there_are():
    for step, kinds in SUPPLY_KINDS.items():
        assert all(kind_refusal(step, kind) is None for kind in kinds)
    refused = kind_refusal(Step.LAMINATE, "film")
    assert refused is not None
    assert refused.code == "stock.kind"
    assert "print: film, ribbon; laminate: laminate; punch: blade" in refused.text
    assert "Zhang" not in kind_refusal(Step.INSPECT, "Zhang").text


def test_what_lasts_longer_than_a_year_starves_nobody():
    told = Week(bodies=1, made=8, accepted=8).has(sheets=AHEAD_DAYS + 10, cards=50).forecast()
    assert (told.input, told.ends_floor_s, told.date) == ("", None, "")
    assert str(AHEAD_DAYS) in told.sentence_en


def test_a_floor_that_never_worked_has_no_pace_and_a_young_one_has_that_of_its_first_hours():
    state, pace = FloorState(), InputPace()
    apply(state, 0.0, StockReceived(1, 10, "B", "ann", "bob"))
    apply(state, 0.0, opened(1, 8))
    assert forecast(state, pace, 5.0).input == ""
    for body in range(10):
        pace.fold(MONDAY_S, SheetBound(body, body, "l1"))
    assert pace.per_day("bodies", MONDAY_S + 2 * 3_600) == 120.0


def test_only_the_last_week_counts_and_only_so_much_is_kept():
    pace = InputPace()
    for hour in range(4 * WINDOW_HOURS):
        pace.fold(hour * 3_600.0, SheetBound(1, 1, "l1"))
    assert len(pace.hours) <= WINDOW_HOURS + 1
    now = 4 * WINDOW_HOURS * 3_600.0
    assert pace.per_day("bodies", now) == pytest.approx(24.0, rel=0.02)
    assert pace.per_day("bodies", now + 30 * DAY_S) == 0.0


# ---- supplies of stations -----------------------------------------------------------------------------------------


def enter(floor, station, units):
    return floor.host.handle(e.SupplyEntered(station, "film", "F1", units, "cat"), floor.host.now_floor_s)


def test_a_station_whose_supply_is_used_up_gets_no_work_until_it_is_loaded_again():
    floor = RoughFloor(1, trouble=0.0)
    for printer in ("p1", "p2"):
        enter(floor, printer, 2)
    floor.submit(1.0, 1, cards=64)
    floor.host.run()
    assert [floor.state.stock.supplies[printer]["film"].units for printer in ("p1", "p2")] == [0, 0]
    assert floor.state.last_id["sheet"] == 4
    assert floor.state.ready
    enter(floor, "p2", 100)
    floor.run()
    assert not floor.state.batches
    assert floor.state.stock.supplies["p1"]["film"].units == 0


def test_a_station_for_which_nothing_was_entered_is_limited_by_nothing():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=64)
    floor.run()
    assert not floor.state.batches


def test_a_supply_of_a_station_that_never_said_hello_is_refused():
    assert enter(RoughFloor(1), "p9", 5).refused.code == "station.unknown"


@pytest.mark.parametrize(("fate", "left"), [(Fate.DONE, 9), (Fate.SPOILED, 9), (Fate.UNTOUCHED, 10)])
def test_film_that_was_spoiled_is_used_up_too_and_what_came_back_untouched_is_not(fate, left):
    floor = RoughFloor(1, trouble=0.0)
    for printer in ("p1", "p2"):
        enter(floor, printer, 10)
    floor.submit(1.0, 1, cards=8)
    floor.host.run(3.0)
    [job] = floor.state.jobs.values()
    codes = [GOOD] * 8 if fate is Fate.DONE else []
    outcome = e.SheetOutcome(job.sheets[0], fate, GOOD if fate is Fate.DONE else "P1", 0, codes, [0] * 8)
    floor.host.handle(e.StepDone(job.station, job.job_id, 3.0, 4.0, [outcome]), 4.0)
    assert floor.state.stock.supplies[job.station]["film"].units == left
