"""The estimator: a fold of the ledger's moves into the sums that a pretend line is made of, of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from controller.core import moves as m
from controller.core.line.figures import Estimates
from controller.core.line.hours import ALWAYS, PeopleHours
from controller.core.line.people_record import PEOPLE_FOLDS, PeopleRecord
from controller.core.line.sheet_record import SHEET_FOLDS, SheetRecord
from controller.core.line.station_record import STATION_FOLDS, StationRecord
from controller.core.line.stock_record import STOCK_FOLDS, StockRecord
from controller.core.settings import CalendarConfig
from controller.core.state import Station

Fold = Callable[[float, Any], None]


class Estimator:
    """Folds the moves of a ledger, in order, from its first one on.  Cost: 1 us a move, nothing for most kinds."""

    def __init__(self, calendar: CalendarConfig = ALWAYS) -> None:
        """`calendar`: when people are there; what waits for them outside these hours takes no longer by it."""
        self._estimates, hours = Estimates(), PeopleHours(calendar)
        self._stations = StationRecord(self._estimates)
        self._folds: dict[type, list[Fold]] = {}
        for record, table in (
            (self._stations, STATION_FOLDS),
            (SheetRecord(self._estimates), SHEET_FOLDS),
            (PeopleRecord(self._estimates, hours), PEOPLE_FOLDS),
            (StockRecord(self._estimates, hours), STOCK_FOLDS),
        ):
            for kind, fold in table.items():
                self._folds.setdefault(kind, []).append(fold.__get__(record))

    def know(self, stations: Iterable[Station]) -> None:
        """Know stations that joined before the first move that is folded: moves of others would count for nothing."""
        for one in stations:
            self._stations.joined(0.0, m.StationJoined(one.station, one.step, one.model, one.load_max))

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Take one move."""
        estimates = self._estimates
        if not estimates.moves:
            estimates.first_floor_s = at_floor_s
        estimates.moves += 1
        estimates.last_floor_s = at_floor_s
        for fold in self._folds.get(type(move), ()):
            fold(at_floor_s, move)

    def estimates(self) -> Estimates:
        """Give what the moves so far say, a copy of its own.  Cost: under 1 ms."""
        return msgspec.msgpack.decode(msgspec.msgpack.encode(self._estimates), type=Estimates)
