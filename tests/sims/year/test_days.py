"""The days of a year: the peak, the holidays, the Saturdays worked as overtime, and what the calendar makes of them."""

from __future__ import annotations

from datetime import date

import pytest

from controller.core.calendar import DAY_S, calendar_of
from sims.floor import DEFAULT_FLOOR
from sims.year.days import PEAK, RATED_CARDS, SHIFT_ENDS_S, YEAR_CARDS, days_of, floor_s

DAYS = days_of(DEFAULT_FLOOR)
NOON_S, NIGHT_S = 12 * 3_600.0, 3 * 3_600.0


def test_the_year_brings_all_its_cards_and_its_busiest_day_is_as_busy_as_said():
    assert sum(DAYS.cards) == YEAR_CARDS
    mean = YEAR_CARDS / len(DAYS.cards)
    assert max(DAYS.cards) / mean == pytest.approx(PEAK, rel=0.001)
    assert date(2026, 6, 1) < DAYS.arriving[DAYS.cards.index(max(DAYS.cards))] < date(2026, 7, 31)


def test_on_holidays_and_sundays_nothing_comes_and_nobody_works():
    calendar = calendar_of(DAYS.calendar)
    for day in (date(2026, 1, 1), date(2026, 2, 18), date(2026, 10, 5), date(2026, 3, 8)):
        assert day not in DAYS.arriving
        assert calendar.closes_at("p1", floor_s(day) + NOON_S) <= floor_s(day) + NOON_S


def test_a_saturday_is_worked_as_overtime_in_the_weeks_whose_demand_needs_it_and_in_no_other():
    calendar = calendar_of(DAYS.calendar)
    wanted = dict(zip(DAYS.arriving, DAYS.cards, strict=True))
    assert DAYS.overtime
    for saturday in DAYS.overtime:
        week = [cards for day, cards in wanted.items() if 0 < (saturday - day).days < 6]
        assert saturday.isoweekday() == 6
        assert saturday not in wanted
        assert sum(week) > 0.9 * RATED_CARDS * len(week)
        assert calendar.is_working_day(saturday)
        assert calendar.closes_at("p1", floor_s(saturday) + NOON_S) > floor_s(saturday) + NOON_S
        assert not calendar_of(DAYS.normal).is_working_day(saturday)
    assert not calendar.is_working_day(date(2026, 3, 7))


def test_between_two_shifts_and_at_night_no_load_is_started():
    calendar, day = calendar_of(DAYS.calendar), floor_s(date(2026, 3, 4))
    assert calendar.closes_at("k1", day + NOON_S) == day + SHIFT_ENDS_S[0]
    for end_s in SHIFT_ENDS_S:
        assert calendar.closes_at("k1", day + end_s) <= day + end_s
    assert calendar.starts_at("k1", day + NIGHT_S, 60.0) > day + NIGHT_S


def test_every_station_is_looked_after_by_plan_and_gets_no_load_meanwhile():
    windows = [one.split() for one in DAYS.calendar.maintenance.split(", ")]
    names = {station for station, _ in windows}
    assert names == {spec.name for spec in DEFAULT_FLOOR}
    calendar = calendar_of(DAYS.calendar)
    station, times = windows[0]
    begin = floor_s(date.fromisoformat(times[:10])) + int(times[11:13]) * 3_600.0
    assert calendar.starts_at(station, begin + 60.0, 30.0) >= begin + 3_600.0
    others = [name for name in sorted(names) if name != station]
    assert calendar.starts_at(others[0], begin + 60.0, 30.0) == begin + 60.0
    assert calendar.closes_at(station, begin - DAY_S / 48) == begin
