"""Spans of floor time that a report is of: a shift of the calendar, a day, a month, a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from controller.core.settings import CalendarConfig, read_shifts

SHIFT, DAY, MONTH, YEAR = "shift", "day", "month", "year"
KINDS = (SHIFT, DAY, MONTH, YEAR)
MINUTE_S, DAY_S = 60.0, 86_400.0
MINUTES_A_DAY = 1_440


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of floor seconds; the end is left out.  `name` is like `2026-03-02/1`, `2026-03`, `2026`."""

    kind: str
    name: str
    begin_floor_s: float
    end_floor_s: float


def shift_times(config: CalendarConfig) -> list[tuple[int, int]]:
    """Give the shifts of a day as (first, last) minute.

    A calendar without times of shifts (the floor works always) has `shifts_per_day` parts of one length, from
    midnight on, so that no hour of a day is in none of them.
    """
    parts = config.shifts_per_day
    return read_shifts(config.shifts) or [
        (MINUTES_A_DAY * place // parts, MINUTES_A_DAY * (place + 1) // parts) for place in range(parts)
    ]


def shift_span(config: CalendarConfig, day: date, number: int) -> Span:
    """Give a shift of a day, 1 the first.  Raises: ValueError: the day has no such shift."""
    times = shift_times(config)
    if not 1 <= number <= len(times):
        raise ValueError(f"1 to {len(times)}")
    begin, end = (midnight_floor_s(day) + minute * MINUTE_S for minute in times[number - 1])
    return Span(kind=SHIFT, name=f"{day.isoformat()}/{number}", begin_floor_s=begin, end_floor_s=end)


def day_span(day: date) -> Span:
    """Give a day, from midnight to midnight."""
    begin = midnight_floor_s(day)
    return Span(kind=DAY, name=day.isoformat(), begin_floor_s=begin, end_floor_s=begin + DAY_S)


def month_span(day: date) -> Span:
    """Give the calendar month of a day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    name = f"{first.year:04d}-{first.month:02d}"
    return Span(kind=MONTH, name=name, begin_floor_s=midnight_floor_s(first), end_floor_s=midnight_floor_s(after))


def year_span(year: int) -> Span:
    """Give a calendar year."""
    begin, end = midnight_floor_s(date(year, 1, 1)), midnight_floor_s(date(year + 1, 1, 1))
    return Span(kind=YEAR, name=f"{year:04d}", begin_floor_s=begin, end_floor_s=end)


def span_of(kind: str, day: date | None, number: int, config: CalendarConfig, now_floor_s: float) -> Span:
    """Give the span that somebody asks for; without a day the present one, without a number (0) the shift of now.

    The shift of now is the one that began last: between two shifts it is the one that is over.
    Raises: ValueError: no such kind, or no such shift on that day.
    """
    today = day or floor_day(now_floor_s)
    if kind == DAY:
        return day_span(today)
    if kind == MONTH:
        return month_span(today)
    if kind == YEAR:
        return year_span(today.year)
    if kind != SHIFT:
        raise ValueError(" or ".join(KINDS))
    if number:
        return shift_span(config, today, number)
    if day is not None:
        return shift_span(config, day, 1)
    return _last_begun(config, today, now_floor_s)


def whole_day(kind: str, said: str) -> str:
    """Give what makes a day of the name of a month or a year; empty for what is none of these."""
    if kind == MONTH and len(said) == len("2026-03"):
        return "-01"
    return "-01-01" if kind == YEAR and len(said) == len("2026") else ""


def _last_begun(config: CalendarConfig, today: date, now_floor_s: float) -> Span:
    begun = [
        shift_span(config, day, number)
        for day in (today - timedelta(days=1), today)
        for number in range(1, len(shift_times(config)) + 1)
    ]
    return [span for span in begun if span.begin_floor_s <= now_floor_s][-1]


def floor_day(at_floor_s: float) -> date:
    """Give the floor's day of a time."""
    return datetime.fromtimestamp(at_floor_s, UTC).date()


def midnight_floor_s(day: date) -> float:
    """Give the first floor second of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
