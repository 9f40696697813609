"""People's hours: how long somebody was there between two times, and when so much of it is over."""

from __future__ import annotations

import math

from controller.core.calendar import calendar_of
from controller.core.settings import CalendarConfig

ALWAYS = CalendarConfig()  # without shifts there is somebody at any time
NOBODY = ""  # no station: planned maintenance keeps nobody away
SHIFTS_MAX = 2_000  # of one wait: what lasts longer never ends


class PeopleHours:
    """Answers for one calendar: people are there while a shift is; all times are floor seconds."""

    def __init__(self, config: CalendarConfig = ALWAYS) -> None:
        self._calendar, self._always = calendar_of(config), not config.shifts

    def between(self, begin_floor_s: float, end_floor_s: float) -> float:
        """Give the seconds between two times in which people were there."""
        if self._always:
            return max(0.0, end_floor_s - begin_floor_s)
        there_s, at = 0.0, begin_floor_s
        for _ in range(SHIFTS_MAX):
            opens = self._calendar.opens_at(NOBODY, at)
            if opens >= end_floor_s:
                break
            at = min(end_floor_s, self._calendar.closes_at(NOBODY, opens))
            there_s += at - opens
        return there_s

    def after(self, begin_floor_s: float, there_s: float) -> float:
        """Give when people were there for so many seconds after a time; `inf`: never."""
        if self._always:
            return begin_floor_s + there_s
        at = begin_floor_s
        for _ in range(SHIFTS_MAX):
            opens = self._calendar.opens_at(NOBODY, at)
            if opens == math.inf:
                break
            at = self._calendar.closes_at(NOBODY, opens)
            if opens + there_s <= at:
                return opens + there_s
            there_s -= at - opens
        return math.inf
