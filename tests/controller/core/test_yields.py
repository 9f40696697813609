"""Yields, OEE and causes: the formulas on figures known by hand, and sums that hold on any floor."""

from __future__ import annotations

import math

import pytest

from controller.core import moves as m
from controller.core.calendar import Calendar
from controller.core.moves import Mark, SheetEnd
from controller.core.quality_moves import CardSetGood
from controller.core.rates import LoadLine
from controller.core.settings import CalendarConfig
from controller.core.tally import StationTally, Tally
from controller.core.yields import (
    Quality,
    broken_sums,
    pareto,
    planned_busy_s,
    rolled_throughput_yield,
    station_effect,
    step_quality,
    words_of,
)
from devices.defects import DEFECTS, Step
from tests.controller.core.rough_floor import RoughFloor

HOUR_S = 3_600.0
ALL = 0xFF


def a_floor() -> Tally:
    """Ten sheets through print (p1, p2) and a press; two positions smeared by p2, one bubble, one tray done twice."""
    tally = Tally()
    for station, step in (("p1", "print"), ("p2", "print"), ("l1", "laminate"), ("i1", "inspect")):
        tally.fold(0.0, m.StationJoined(station, step, "x", 4 if station == "l1" else 1))
    for sheet in range(1, 11):
        tally.fold(1.0, m.SheetImposed(sheet, list(range(sheet * 8, sheet * 8 + 8))))
        station = "p1" if sheet % 2 else "p2"
        tally.fold(1.0, m.JobStarted(sheet, station, "print", [sheet]))
        tally.fold(31.0, m.JobEnded(sheet, station, "print", "done", 1.0, 31.0, [SheetEnd(sheet, "done", "00", ALL)]))
    for job, sheets in ((20, [1, 2, 3, 4]), (21, [5, 6])):
        tally.fold(40.0, m.JobStarted(job, "l1", "laminate", sheets))
        ends = [SheetEnd(sheet, "done", "00", ALL) for sheet in sheets]
        tally.fold(640.0, m.JobEnded(job, "l1", "laminate", "done", 40.0, 640.0, ends))
    for job in (30, 31):
        tally.fold(700.0, m.JobStarted(job, "i1", "inspect", [2]))
        tally.fold(730.0, m.JobEnded(job, "i1", "inspect", "done", 700.0, 730.0, [SheetEnd(2, "done", "00", ALL)]))
    tally.fold(731.0, m.PositionsMarked(2, 0b11, Mark.SPOILED, "P1", "i1", "print", "inspect"))
    tally.fold(731.0, m.PositionsMarked(5, 0b1, Mark.SPOILED, "L1", "l1", "laminate", "laminate"))
    return tally


def test_scrap_is_charged_to_the_step_that_caused_it_and_rework_to_the_step_that_did_it_twice():
    tally = a_floor()
    printing, pressing, inspecting = (step_quality(tally, step) for step in ("print", "laminate", "inspect"))
    assert printing == Quality(80, 2, 0)
    assert pressing == Quality(48, 1, 0)
    assert inspecting == Quality(16, 0, 8)
    assert printing.fpy == pytest.approx(78 / 80)
    assert inspecting.fpy == 1.0
    assert inspecting.fty == pytest.approx((16 - 0 - 8) / 16)
    assert inspecting.rework_ratio == 0.5
    assert pressing.scrap_ratio == pytest.approx(1 / 48)
    assert (tally.stations["p1"].bad, tally.stations["p2"].bad) == (0, 2)


def test_the_rolled_yield_is_the_product_of_the_first_time_yields():
    tally = a_floor()
    assert rolled_throughput_yield(tally) == pytest.approx(78 / 80 * 47 / 48 * 0.5)
    assert rolled_throughput_yield(Tally()) == 1.0


def test_a_press_that_runs_half_empty_is_charged_for_it_in_its_effectiveness():
    station = StationTally(Step.LAMINATE, 0.0, load_max=24)
    for sheets in (24, 12, 24, 12):
        station.line.take(sheets, 1_200.0)
        station.busy_s += 1_200.0
        station.worked += sheets * 8
    effect = station_effect(station, 9_600.0, 9_600.0)
    assert effect.ideal_s == pytest.approx(50.0)
    assert effect.availability == pytest.approx(0.5)
    assert effect.effectiveness == pytest.approx(0.75)
    assert effect.oee == pytest.approx(0.5 * 0.75)


def test_a_packer_that_goes_card_by_card_is_not_charged_for_small_bundles_but_for_loads_nobody_answers_for():
    station = StationTally(Step.PACK, 0.0, load_max=200)
    for cards in (5, 40, 100, 13):
        station.line.take(cards, cards * 3.0)
        station.busy_s += cards * 3.0
        station.worked += cards
    assert station_effect(station, 2_000.0, 2_000.0).effectiveness == pytest.approx(1.0)
    station.busy_s += 474.0
    assert station_effect(station, 2_000.0, 2_000.0).effectiveness == pytest.approx(0.5)
    station.bad = 79
    assert station_effect(station, 2_000.0, 2_000.0).quality == pytest.approx(0.5)


def test_a_line_through_the_loads_gives_start_and_pace_and_never_a_negative_one():
    line = LoadLine()
    assert line.load_s(24) == 0.0
    for units in (2, 4, 8):
        line.take(units, 60.0 + 5.0 * units)
    assert line.load_s(24) == pytest.approx(180.0)
    falling, steep = LoadLine(), LoadLine()
    for units, took in ((2, 30.0), (8, 20.0)):
        falling.take(units, took)
    assert falling.load_s(24) == pytest.approx(25.0)
    for units, took in ((2, 1.0), (8, 20.0)):
        steep.take(units, took)
    assert steep.load_s(20) == pytest.approx(42.0)


def test_planned_time_leaves_out_what_lies_between_shifts_and_planned_maintenance():
    day = CalendarConfig(
        shifts="08:00-12:00", weekdays="1234567", maintenance="p1 1970-01-02T09:00/1970-01-02T10:30"
    )  # fmt: skip
    calendar = Calendar(day)
    assert planned_busy_s("p2", 9 * HOUR_S, 34 * HOUR_S, calendar) == pytest.approx(5 * HOUR_S)
    assert planned_busy_s("p1", 9 * HOUR_S, 36 * HOUR_S, calendar) == pytest.approx(5.5 * HOUR_S)
    assert planned_busy_s("p1", 1.0, 5.0, None) == planned_busy_s("p1", 1.0, 5.0, Calendar(CalendarConfig())) == 4.0
    never = Calendar(CalendarConfig(shifts="08:00-12:00", weekdays="1", holidays=""))
    assert planned_busy_s("p1", 0.0, 3 * 86_400.0, never) == 0.0  # 1970 began on a Thursday


def test_the_pareto_has_shares_that_run_up_to_all_and_the_words_of_the_table():
    rows = pareto(a_floor())
    assert [(one.code, one.caused_at, one.found_at, one.count) for one in rows] == [
        ("P1", "print", "inspect", 2),
        ("L1", "laminate", "laminate", 1),
    ]
    assert [one.cumulated for one in rows] == pytest.approx([2 / 3, 1.0])
    assert (rows[0].en, rows[0].zh) == (DEFECTS["P1"].en, DEFECTS["P1"].zh)
    assert words_of("X1") == ("fate unknown", "下落不明")
    assert words_of("ZZ") == ("", "")


@pytest.mark.parametrize("seed", range(5))
def test_on_a_rough_floor_every_way_to_count_what_was_spoiled_gives_the_same_at_every_move(seed):
    floor = RoughFloor(seed, trouble=0.12)
    for batch in range(1, 4):
        floor.submit(300.0 * batch, batch, cards=50, holds=2)
    floor.run()
    tally, remade = Tally(), 0
    for at, move in floor.log:
        tally.fold(at, move)
        assert broken_sums(tally) == []
        assert all(count > 0 for count in tally.causes.values())
    for _, move in floor.log:
        if isinstance(move, m.PositionsMarked) and move.mark.value in ("film_spoiled", "spoiled", "found_spoiled",
                                                                       "found_missing"):  # fmt: skip
            remade += move.mask.bit_count()
        remade += isinstance(move, m.CardMissing)
        remade -= isinstance(move, CardSetGood)
    assert sum(one.count for one in pareto(tally)) == tally.remade == remade > 0
    assert math.isclose(pareto(tally)[-1].cumulated, 1.0)
    assert all(0.0 <= step_quality(tally, step).fty <= step_quality(tally, step).fpy <= 1.0 for step in Step)


def test_a_sum_that_does_not_hold_is_named():
    tally = a_floor()
    tally.spoiled_by[("print", "P1")] += 1
    assert any("spoiled by step and code: 4, not the 3 remade" in one for one in broken_sums(tally))
