"""Which floor seconds a shift, a day or a month is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.settings import CalendarConfig
from controller.report.span import (
    Span,
    day_span,
    floor_day,
    month_span,
    shift_span,
    shift_times,
    span_of,
    whole_day,
    year_span,
)

TWO_SHIFTS = CalendarConfig(shifts="06:00-14:00, 14:00-22:00")
DAYS = st.dates(date(1971, 1, 1), date(2199, 12, 31))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_shift_of_the_calendar_has_its_times():
    span = shift_span(TWO_SHIFTS, date(2026, 3, 2), 2)
    assert span == Span(
        kind="shift", name="2026-03-02/2", begin_floor_s=at("2026-03-02T14:00"), end_floor_s=at("2026-03-02T22:00")
    )


@pytest.mark.parametrize(
    ("parts", "times"), [(1, [(0, 1440)]), (2, [(0, 720), (720, 1440)]), (3, [(0, 480), (480, 960), (960, 1440)])]
)
def test_a_calendar_without_times_has_shifts_of_one_length_that_leave_no_hour_out(parts, times):
    assert shift_times(CalendarConfig(shifts_per_day=parts)) == times


@given(DAYS)
def test_the_days_of_a_month_are_the_month(day):
    month = month_span(day)
    assert month.begin_floor_s <= day_span(day).begin_floor_s < day_span(day).end_floor_s <= month.end_floor_s
    first = floor_day(month.begin_floor_s)
    assert (first.year, first.month, first.day) == (day.year, day.month, 1)
    assert month_span(floor_day(month.end_floor_s)).begin_floor_s == month.end_floor_s


@given(st.integers(1971, 2199))
def test_a_year_is_its_twelve_months(number):
    year = year_span(number)
    months = [month_span(date(number, month, 1)) for month in range(1, 13)]
    assert (year.name, year.begin_floor_s) == (str(number), months[0].begin_floor_s)
    ends = [month.end_floor_s for month in months]
    assert ends == [*(month.begin_floor_s for month in months[1:]), year.end_floor_s]


@pytest.mark.parametrize(("kind", "said", "rest"), [("year", "2026", "-01-01"), ("month", "2026-03", "-01")])
def test_a_month_or_a_year_may_be_named_without_a_day(kind, said, rest):
    assert whole_day(kind, said) == rest
    assert whole_day("day", said) == ""
    assert whole_day(kind, said + rest) == ""


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ("2026-03-02T05:59", "2026-03-01/2"),
        ("2026-03-02T06:00", "2026-03-02/1"),
        ("2026-03-02T13:59", "2026-03-02/1"),
        ("2026-03-02T14:00", "2026-03-02/2"),
        ("2026-03-02T23:59", "2026-03-02/2"),
    ],
)
def test_without_a_date_the_shift_is_the_one_that_began_last(now, name):
    assert span_of("shift", None, 0, TWO_SHIFTS, at(now)).name == name


def test_what_was_not_said_is_of_now():
    now = at("2026-12-31T23:00")
    assert span_of("day", None, 0, TWO_SHIFTS, now).name == "2026-12-31"
    assert span_of("month", None, 0, TWO_SHIFTS, now).name == "2026-12"
    assert span_of("year", None, 0, TWO_SHIFTS, now).name == "2026"
    assert span_of("shift", None, 1, TWO_SHIFTS, now).name == "2026-12-31/1"
    assert span_of("shift", date(2026, 3, 2), 0, TWO_SHIFTS, now).name == "2026-03-02/1"


@pytest.mark.parametrize(
    ("kind", "number", "told"), [("shift", 3, "1 to 2"), ("decade", 0, "shift or day or month or year")]
)
def test_what_there_is_not_is_said(kind, number, told):
    with pytest.raises(ValueError, match=told):
        span_of(kind, date(2026, 3, 2), number, TWO_SHIFTS, 0.0)
