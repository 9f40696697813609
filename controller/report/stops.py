"""Stops of stations: how often and how long each was in a state in which it does not work, by the reason it gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from controller.core.moves import AnyMove, StationChanged, StationJoined
from controller.core.tally import UP
from controller.report.year_report import StopRow
from devices.messages import StationState

KEPT_MAX = 1_000  # stations, states and reasons of one report; more are counted under `OTHERS`
OTHERS = ("", "others", "")

Key = tuple[str, str, str]  # station, state, reason


class _Spell(NamedTuple):
    key: Key
    since_floor_s: float


class Stops:
    """Folds moves from any time on; `begin` says from when on they count, `rows` gives them up to a time."""

    def __init__(self, states: Mapping[str, str], at_floor_s: float) -> None:
        """Begin with the stations that are known, each in its state since a time, for no reason that is known."""
        self._spells = {name: _Spell((name, state, ""), at_floor_s) for name, state in states.items()}
        self._sums: dict[Key, list[float]] = {}  # times, seconds, the longest
        self._begin_floor_s = at_floor_s

    def begin(self, at_floor_s: float) -> None:
        """Count from a time on: a stop that goes on then counts with its time alone."""
        self._sums.clear()
        self._begin_floor_s = at_floor_s

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def rows(self, until_floor_s: float) -> list[StopRow]:
        """Give each station, state and reason, the longest in sum first; what goes on counts up to `until_floor_s`."""
        for spell in self._spells.values():
            self._end(spell, until_floor_s)
        self._spells.clear()
        order = sorted(self._sums.items(), key=lambda one: (-one[1][1], -one[1][0], one[0]))
        return [
            StopRow(station=name, state=state, reason=reason, times=int(times), seconds=seconds, longest_s=longest)
            for (name, state, reason), (times, seconds, longest) in order
            if times or seconds
        ]

    def _joined(self, at: float, move: StationJoined) -> None:
        if move.station not in self._spells:  # until it says more
            self._spells[move.station] = _Spell((move.station, StationState.STOPPED.value, ""), at)

    def _changed(self, at: float, move: StationChanged) -> None:
        self._end(self._spells.get(move.station), at)
        key = (move.station, move.state, move.reason)
        self._spells[move.station] = _Spell(key, at)
        if move.state not in UP:
            self._sum_of(key)[0] += 1

    def _end(self, spell: _Spell | None, at: float) -> None:
        if spell is not None and spell.key[1] not in UP:
            lasted_s = max(0.0, at - max(spell.since_floor_s, self._begin_floor_s))
            sums = self._sum_of(spell.key)
            sums[1] += lasted_s
            sums[2] = max(sums[2], lasted_s)

    def _sum_of(self, key: Key) -> list[float]:
        if key not in self._sums and len(self._sums) >= KEPT_MAX:
            key = OTHERS
        return self._sums.setdefault(key, [0, 0.0, 0.0])


FOLDS: dict[type, Callable[[Stops, float, Any], None]] = {StationJoined: Stops._joined, StationChanged: Stops._changed}
