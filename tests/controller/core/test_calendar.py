"""The calendar: shifts, maintenance, working days; and that the plan keeps to it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core import events as e
from controller.core.calendar import Calendar
from controller.core.moves import JobStarted
from controller.core.settings import CalendarConfig, CoreConfig, SettingError
from tests.controller.core.rough_floor import RoughFloor


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


TWO_SHIFTS = Calendar(CalendarConfig(shifts="08:00-16:00, 16:00-24:00", holidays="2026-03-04"))


@pytest.mark.parametrize(
    ("now", "closes", "opens"),
    [
        ("2026-03-02T07:59", "2026-03-02T07:59", "2026-03-02T08:00"),  # Monday, before the first shift
        ("2026-03-02T08:00", "2026-03-03T00:00", "2026-03-02T08:00"),  # two shifts in a row are one
        ("2026-03-03T23:59", "2026-03-04T00:00", "2026-03-03T23:59"),
        ("2026-03-04T12:00", "2026-03-04T12:00", "2026-03-05T08:00"),  # a holiday
        ("2026-03-07T12:00", "2026-03-07T12:00", "2026-03-09T08:00"),  # a Saturday
    ],
)
def test_a_floor_closes_with_its_shift_and_opens_with_the_next(now, closes, opens):
    assert TWO_SHIFTS.closes_at("p1", at(now)) == at(closes)
    assert TWO_SHIFTS.opens_at("p1", at(now)) == at(opens)


def test_shifts_that_meet_at_midnight_are_one_shift_until_the_weekend():
    calendar = Calendar(CalendarConfig(shifts="00:00-08:00, 08:00-16:00, 16:00-24:00"))
    assert calendar.closes_at("p1", at("2026-03-02T23:50")) == at("2026-03-07T00:00")


def test_a_calendar_without_shifts_is_always_open_and_one_that_never_works_never_opens():
    assert Calendar(CalendarConfig()).always
    assert Calendar(CalendarConfig()).closes_at("p1", 0.0) == math.inf
    holidays = ", ".join(f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29))
    calendar = Calendar(CalendarConfig(shifts="08:00-16:00", weekdays="1", holidays=holidays))
    assert calendar.opens_at("p1", at("2026-01-01T00:00")) > at("2026-01-28T00:00")


def test_planned_maintenance_closes_one_station_alone():
    calendar = Calendar(CalendarConfig(maintenance="l1 2026-03-02T10:00/2026-03-02T12:00"))
    assert calendar.closes_at("l1", at("2026-03-02T09:00")) == at("2026-03-02T10:00")
    assert calendar.closes_at("l1", at("2026-03-02T11:00")) <= at("2026-03-02T11:00")
    assert calendar.opens_at("l1", at("2026-03-02T11:00")) == at("2026-03-02T12:00")
    assert calendar.closes_at("l2", at("2026-03-02T11:00")) == math.inf
    assert calendar.closes_at("l1", at("2026-03-02T12:00")) == math.inf


def test_a_working_day_ends_at_midnight_and_holidays_do_not_count():
    assert TWO_SHIFTS.end_of_working_day(at("2026-03-02T15:00"), 1) == at("2026-03-04T00:00")
    assert TWO_SHIFTS.end_of_working_day(at("2026-03-02T15:00"), 2) == at("2026-03-06T00:00")
    assert TWO_SHIFTS.end_of_working_day(at("2026-03-06T15:00"), 1) == at("2026-03-10T00:00")


@given(minute=st.integers(0, 60 * 24 * 21))
def test_whatever_the_time_a_floor_is_open_or_opens_later_and_what_is_open_closes_later(minute):
    now = at("2026-03-01T00:00") + 60.0 * minute
    closes, opens = TWO_SHIFTS.closes_at("p1", now), TWO_SHIFTS.opens_at("p1", now)
    assert (closes > now) == (opens == now)
    assert opens >= now
    assert TWO_SHIFTS.closes_at("p1", opens) > opens


@pytest.mark.parametrize(
    "setting",
    [
        {"shifts": "8-16"},
        {"shifts": "08:00-25:00"},
        {"shifts": "16:00-24:00, 08:00-16:00"},
        {"weekdays": "18"},
        {"weekdays": "11"},
        {"holidays": "2026-02-30"},
        {"maintenance": "l1 2026-03-02T12:00/2026-03-02T10:00"},
        {"maintenance": "l1"},
    ],
)
def test_a_calendar_that_is_none_is_refused_with_the_setting_named(setting):
    with pytest.raises(SettingError, match=rf"calendar\.{next(iter(setting))}"):
        CalendarConfig(**setting)


def test_no_load_starts_that_would_not_end_before_its_station_closes():
    shifts = "00:00-00:30, 01:00-24:00"
    calendar = CalendarConfig(shifts=shifts, weekdays="1234567", maintenance="l2 1970-01-01T01:10/1970-01-01T02:00")
    floor = RoughFloor(4, CoreConfig(calendar=calendar), trouble=0.0)
    for batch in range(1, 7):
        floor.submit(300.0 * batch, batch, cards=40)
    floor.host.run(1_700.0)
    floor.run()
    kept = Calendar(calendar)
    starts = [(time, move) for time, move in floor.log if isinstance(move, JobStarted)]
    assert any(time >= 3_600 for time, _ in starts)
    for time, move in starts:
        assert kept.closes_at(move.station, time) > time, "a load was started while the floor was closed"
    pressed = [time for time, move in starts if move.station == "l2"]
    assert not any(4_200 <= time < 7_200 for time in pressed)
    assert floor.host.handle(e.TimerFired(), floor.host.now_floor_s).refused is None


@given(st.lists(st.tuples(st.integers(0, 14 * 24 * 60), st.sampled_from(["p1", "p2"])), max_size=30))
def test_a_calendar_answers_as_a_fresh_one_whatever_it_was_asked_before(asked):
    config = CalendarConfig(
        shifts="08:00-12:00, 13:00-16:00, 16:00-24:00",
        holidays="2026-03-04",
        maintenance="p1 2026-03-03T10:00/2026-03-03T11:00, p1 2026-03-05T23:00/2026-03-06T09:00",
    )
    used = Calendar(config)
    for minute, station in asked:
        now = at("2026-03-02T00:00") + minute * 60.0
        for load_s in (0.0, 5_000.0):
            assert used.starts_at(station, now, load_s) == Calendar(config).starts_at(station, now, load_s)
        assert used.closes_at(station, now) == Calendar(config).closes_at(station, now)


def test_a_holiday_farther_ahead_than_is_looked_closes_a_floor_that_was_always_open_before():
    calendar = Calendar(CalendarConfig(shifts="00:00-24:00", weekdays="1234567", holidays="2027-07-01"))
    assert calendar.closes_at("p1", at("2026-01-01T00:00")) == math.inf
    assert calendar.closes_at("p1", at("2027-06-30T23:00")) == at("2027-07-01T00:00")
    assert calendar.starts_at("p1", at("2027-07-01T12:00"), 60.0) == at("2027-07-02T00:00")
