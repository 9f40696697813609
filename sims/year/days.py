"""The days of the year: which are worked, the demand of each, the Saturdays worked as overtime, planned maintenance.

The holidays are those of 2026 as far as we know them; days worked in their place count where they are Saturdays.  The
curve of demand is ours: no centre publishes one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from controller.core.settings import CalendarConfig
from sims.floor import StationSpec

YEAR = 2026
YEAR_CARDS = 4_500_000
PEAK = 2.1  # the busiest day over the mean of those on which batches come
RATED_CARDS = 37_800  # what the default floor carries on a day of two shifts
OVERTIME_FROM = 0.9  # of what the rated days of a week carry: above that demand its Saturday is worked
SHIFTS = "07:30-15:30, 15:45-23:45"  # a quarter of an hour between them, for the counts
SHIFT_ENDS_S = (15.5 * 3_600.0, 23.75 * 3_600.0)

_HOLIDAYS = (  # first and last day, month and day
    ((1, 1), (1, 3)),  # New Year
    ((2, 15), (2, 23)),  # Spring Festival
    ((4, 4), (4, 6)),  # Qingming
    ((5, 1), (5, 5)),  # Labour Day
    ((6, 19), (6, 21)),  # Dragon Boat
    ((9, 25), (9, 27)),  # Mid-Autumn
    ((10, 1), (10, 7)),  # National Day
)
_IN_THEIR_PLACE = ((2, 14), (2, 28), (5, 9), (10, 10))  # Saturdays
_EXAMS = (date(YEAR, 6, 26), 26.0)  # middle of the peak, and its width in days
_BEFORE_FESTIVAL = (date(YEAR, 1, 26), 12.0, 0.25)  # people are at home: a small hill
_FRIDAY, _SATURDAY, _SUNDAY = 5, 6, 7
_SERVICE_WEEKS = 13  # each station is looked after once in so many
_SERVICE_H = (8, 11)


@dataclass(frozen=True, slots=True)
class Days:
    """The whole year, day by day, from its first on."""

    first: date
    arriving: tuple[date, ...]  # on these batches come
    cards: tuple[int, ...]  # and so many cards, accepted at once, each day
    overtime: tuple[date, ...]  # Saturdays that are worked besides
    calendar: CalendarConfig
    normal: CalendarConfig  # without them

    def begin_floor_s(self) -> float:
        """Give the first second of the year."""
        return floor_s(self.first)

    @staticmethod
    def day_after(day: date) -> date:
        """Give the next day."""
        return day + timedelta(days=1)


def floor_s(day: date) -> float:
    """Give the first floor second of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def days_of(floor: Sequence[StationSpec], year_cards: int = YEAR_CARDS) -> Days:
    """Give the year of a floor that makes so many cards."""
    every = [date(YEAR, 1, 1) + timedelta(days=number) for number in range(365)]
    free = _holidays()
    extra = {date(YEAR, *day) for day in _IN_THEIR_PLACE}
    arriving = [day for day in every if day not in free and (day.isoweekday() <= _FRIDAY or day in extra)]
    shares = _shares(arriving)
    upto = [round(year_cards * share) for share in accumulate(shares)]
    cards = [now - before for before, now in zip([0, *upto], upto, strict=False)]
    overtime = _overtime(dict(zip(arriving, shares, strict=True)), free)
    normal = [day for day in every if day.isoweekday() == _SATURDAY and day not in extra]
    calendar = CalendarConfig(
        shifts=SHIFTS,
        weekdays="123456",
        holidays=_dates({*free, *normal}.difference(overtime)),
        maintenance=_maintenance(floor, arriving),
        working_days=len(arriving) + len(overtime),
    )
    usual = replace(calendar, holidays=_dates({*free, *normal}), working_days=len(arriving))
    return Days(every[0], tuple(arriving), tuple(cards), overtime, calendar, usual)


def _dates(days: set[date]) -> str:
    return ", ".join(day.isoformat() for day in sorted(days))


def _holidays() -> set[date]:
    found: set[date] = set()
    for first, last in _HOLIDAYS:
        day = date(YEAR, *first)
        while day <= date(YEAR, *last):
            found.add(day)
            day += timedelta(days=1)
    return found


def _shares(days: Sequence[date]) -> list[float]:
    """Give each day's share of the year; the highest hill is such that its top is `PEAK` times the mean."""
    middle, width = _EXAMS
    festival, narrow, low = _BEFORE_FESTIVAL
    exams = [math.exp(-(((day - middle).days / width) ** 2)) for day in days]
    floor = [1.0 + low * math.exp(-(((day - festival).days / narrow) ** 2)) for day in days]
    less, more = 0.0, 10.0
    for _ in range(60):  # halving: the peak over the mean rises with the height
        height = (less + more) / 2
        curve = [flat + height * hill for flat, hill in zip(floor, exams, strict=True)]
        less, more = (height, more) if max(curve) * len(curve) < PEAK * sum(curve) else (less, height)
    return [one / sum(curve) for one in curve]


def _overtime(shares: dict[date, float], free: set[date]) -> tuple[date, ...]:
    """Give the Saturdays of the weeks whose demand is near what their days carry."""
    weeks: dict[date, float] = {}
    worked: dict[date, int] = {}
    for day, share in shares.items():
        saturday = day + timedelta(days=_SATURDAY - day.isoweekday())
        weeks[saturday] = weeks.get(saturday, 0.0) + share * YEAR_CARDS
        worked[saturday] = worked.get(saturday, 0) + 1
    return tuple(
        saturday
        for saturday, cards in weeks.items()
        if saturday not in free and saturday not in shares and cards > OVERTIME_FROM * RATED_CARDS * worked[saturday]
    )


def _maintenance(floor: Sequence[StationSpec], arriving: Sequence[date]) -> str:
    """Give windows in the morning: the stations in turn, each once in a quarter, none in the exam season."""
    middle, width = _EXAMS
    quiet = [day for day in arriving if abs((day - middle).days) > 1.5 * width]
    names = [spec.name for spec in floor]
    begin, end = _SERVICE_H
    windows = []
    every = max(1, len(quiet) * _SERVICE_WEEKS * 7 // 365 // len(names))
    for turn, day in enumerate(quiet[::every]):
        windows.append(f"{names[turn % len(names)]} {day}T{begin:02}:00/{day}T{end:02}:00")
    return ", ".join(windows)
