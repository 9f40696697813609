"""The calendar: when loads may be started, planned maintenance of stations, and working days."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from controller.core.settings import CalendarConfig, read_dates, read_maintenance, read_shifts, read_weekdays

MINUTE_S, DAY_S = 60.0, 86_400.0
DAYS_AHEAD = 400  # a calendar without a working day in all of them never opens

Stretch = tuple[float, float, float]  # from a time until another the answer is the third
NEVER: Stretch = (math.inf, -math.inf, 0.0)


class Calendar:
    """Answers for one [calendar] section; all times are floor seconds."""

    def __init__(self, config: CalendarConfig) -> None:
        self._shifts = read_shifts(config.shifts)
        self._weekdays, self._holidays = read_weekdays(config.weekdays), read_dates(config.holidays)
        self._maintenance: dict[str, list[tuple[float, float]]] = {}
        for station, begin, end in read_maintenance(config.maintenance):
            self._maintenance.setdefault(station, []).append((begin, end))
        self.always = not self._shifts and not self._maintenance
        # what was looked up last: it is asked all day, by several threads
        self._open: dict[str, Stretch] = {}  # by station, when it closes
        self._opens: dict[str, Stretch] = {}  # by station, when it opens again
        self._shift = self._closed = NEVER  # when the shift ends, and when the next one begins

    def closes_at(self, station: str, now_floor_s: float) -> float:
        """Give when `station` has to stop: the end of the shift, or maintenance; a time not after now: it is closed."""
        first, last, closes = self._open.get(station, NEVER)
        if first <= now_floor_s < last:
            return closes
        closes = self._shift_end(now_floor_s)
        for begin, end in self._maintenance.get(station, ()):
            if now_floor_s < end and begin < closes:
                closes = begin
        if closes > now_floor_s:
            self._open[station] = _stretch(now_floor_s, closes)
        return closes

    def starts_at(self, station: str, now_floor_s: float, load_s: float) -> float:
        """Give when a load of `load_s` may start: now if it ends before the station closes, else when it opens."""
        closes = self.closes_at(station, now_floor_s)
        return now_floor_s if closes > now_floor_s + load_s else self.opens_at(station, max(now_floor_s, closes))

    def opens_at(self, station: str, now_floor_s: float) -> float:
        """Give when a closed station may start a load again; `inf` when never."""
        first, last, opens = self._opens.get(station, NEVER)
        if first <= now_floor_s < last:
            return opens
        opens = self._next_opening(station, now_floor_s)
        if now_floor_s < opens < math.inf:
            self._opens[station] = _stretch(now_floor_s, opens)
        return opens

    def _next_opening(self, station: str, now_floor_s: float) -> float:
        at = now_floor_s
        for _ in range(DAYS_AHEAD):
            at = self._shift_begin(at)
            ends = [end for begin, end in self._maintenance.get(station, ()) if begin <= at < end]
            if not ends:
                return at
            at = max(ends)
        return math.inf

    def is_working_day(self, day: date) -> bool:
        """Say whether people work on a day."""
        return day.isoweekday() in self._weekdays and day not in self._holidays

    def end_of_working_day(self, from_floor_s: float, days: int) -> float:
        """Give the end (midnight) of the `days`-th working day after the one of a time; `inf` when there is none."""
        day = _date(from_floor_s)
        for _ in range(DAYS_AHEAD):
            if not days:
                return _midnight_s(day) + DAY_S
            day += timedelta(days=1)
            days -= self.is_working_day(day)
        return math.inf

    def _shift_end(self, now_floor_s: float) -> float:
        """Give when the shift ends; now, when there is none."""
        first, last, end = self._shift
        if first <= now_floor_s < last:
            return end
        first, last, _ = self._closed
        if first <= now_floor_s < last:
            return now_floor_s
        end = self._next_end(now_floor_s)
        if end > now_floor_s:
            self._shift = _stretch(now_floor_s, end)
        return end

    def _next_end(self, now_floor_s: float) -> float:
        if not self._shifts:
            return math.inf
        end, day = now_floor_s, _date(now_floor_s)
        for _ in range(DAYS_AHEAD):  # shifts that follow each other are one, over midnight too
            midnight_s = _midnight_s(day)
            if self.is_working_day(day):
                for begin, last in self._shifts:
                    if midnight_s + begin * MINUTE_S <= end < midnight_s + last * MINUTE_S:
                        end = midnight_s + last * MINUTE_S
            day += timedelta(days=1)
            if end < _midnight_s(day):
                return end
        return math.inf

    def _shift_begin(self, now_floor_s: float) -> float:
        first, last, begin = self._closed
        if first <= now_floor_s < last:
            return begin
        if not self._shifts or self._shift_end(now_floor_s) > now_floor_s:
            return now_floor_s
        begin = self._next_begin(now_floor_s)
        if begin < math.inf:
            self._closed = _stretch(now_floor_s, begin)
        return begin

    def _next_begin(self, now_floor_s: float) -> float:
        day = _date(now_floor_s)
        for _ in range(DAYS_AHEAD):
            if self.is_working_day(day):
                for begin, _ in self._shifts:
                    at = _midnight_s(day) + begin * MINUTE_S
                    if at > now_floor_s:
                        return at
            day += timedelta(days=1)
        return math.inf


def calendar_of(config: CalendarConfig) -> Calendar:
    """Give the calendar of a section, made once."""
    asked, calendar = _last[0]
    if asked is not config:
        calendar = _calendar_of(config)
        _last[0] = (config, calendar)
    return calendar


@lru_cache(maxsize=8)
def _calendar_of(config: CalendarConfig) -> Calendar:
    return Calendar(config)


_last = [(CalendarConfig(), _calendar_of(CalendarConfig()))]  # a plan asks in each turn, and a section's hash is long


def _stretch(now_floor_s: float, answer_floor_s: float) -> Stretch:
    """Give how long an answer holds: for a day at most, for open as far ahead as is looked (`inf`) is not for ever."""
    return now_floor_s, min(answer_floor_s, now_floor_s + DAY_S), answer_floor_s


def _date(at_floor_s: float) -> date:
    return datetime.fromtimestamp(at_floor_s, UTC).date()


def _midnight_s(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
