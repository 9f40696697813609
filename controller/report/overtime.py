"""Work outside the calendar: how long stations had a load when the floor should have been closed, and what was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from controller.core import moves as m
from controller.core.calendar import Calendar
from controller.core.moves import AnyMove
from controller.core.tally import UP


class Outside(NamedTuple):
    """Seconds with at least one station at work, the same added over stations, cards bundled: all outside."""

    seconds: float = 0.0
    station_s: float = 0.0
    cards: int = 0


class OvertimeFold:
    """Folds moves; a station is at work while it has a load and its state is one in which it can work."""

    def __init__(self, calendar: Calendar, state_of: Callable[[str], str]) -> None:
        """Begin with all stations empty; `state_of` gives a station's state after the last move."""
        self._calendar, self._state_of = calendar, state_of
        self._jobs: dict[int, str] = {}
        self._loads: Counter[str] = Counter()
        self._at_work: set[str] = set()
        self._is_up: dict[str, bool] = {}
        self._since = 0.0
        self._is_open, self._edge = False, float("-inf")  # as it is until the edge
        self._seconds = self._station_s = 0.0
        self._cards = 0

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def take(self, at_floor_s: float) -> Outside:
        """Give the sums up to a time and begin them again."""
        self._reach(at_floor_s)
        sums = Outside(self._seconds, self._station_s, self._cards)
        self._seconds, self._station_s, self._cards = 0.0, 0.0, 0
        return sums

    def _reach(self, at: float) -> None:
        """Count the time since the last change, with the stations that were at work until now."""
        count = len(self._at_work)
        since = self._since
        while count and since < at:
            if since >= self._edge:
                self._turn(since)
            end = min(at, self._edge)
            if not self._is_open:
                self._seconds += end - since
                self._station_s += count * (end - since)
            since = end
        self._since = at

    def _turn(self, at: float) -> None:
        """Look up whether the floor is open at a time, and until when it is so."""
        closes = self._calendar.closes_at("", at)
        self._is_open = closes > at
        self._edge = closes if self._is_open else self._calendar.opens_at("", at)

    def _look_at(self, station: str, at: float) -> None:
        if station not in self._is_up:
            self._is_up[station] = self._state_of(station) in UP
        is_at_work = self._loads[station] > 0 and self._is_up[station]
        if is_at_work != (station in self._at_work):
            self._reach(at)
            (self._at_work.add if is_at_work else self._at_work.discard)(station)

    def _job(self, at: float, move: m.JobStarted) -> None:
        self._jobs[move.job_id] = move.station
        self._loads[move.station] += 1
        self._look_at(move.station, at)

    def _job_ended(self, at: float, move: m.JobEnded) -> None:
        station = self._jobs.pop(move.job_id, None)
        if station is not None:
            self._loads[station] -= 1
            self._look_at(station, at)

    def _changed(self, at: float, move: m.StationChanged | m.StationJoined) -> None:
        self._is_up.pop(move.station, None)
        self._look_at(move.station, at)

    def _bundled(self, at: float, move: m.BundleMade) -> None:
        self._reach(at)  # with the hours that hold until now
        if at >= self._edge:
            self._turn(at)
        if not self._is_open:
            self._cards += len(move.cards)


FOLDS: dict[type, Callable[[OvertimeFold, float, Any], None]] = {
    m.JobStarted: OvertimeFold._job,
    m.JobEnded: OvertimeFold._job_ended,
    m.StationChanged: OvertimeFold._changed,
    m.StationJoined: OvertimeFold._changed,
    m.BundleMade: OvertimeFold._bundled,
}
