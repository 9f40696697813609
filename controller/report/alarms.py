"""Alarms of a span: the moves that somebody had to look at, counted by code and by what they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import key_moves as k
from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import record_moves as r
from controller.core import rights_moves as g
from controller.core import stock_moves as s
from controller.core.moves import AnyMove, Mark
from controller.core.state import SILENT
from controller.report.span_report import AlarmRow
from devices.messages import StationState

KEPT_MAX = 1_000  # causes and things of one report; more are counted under `others`
OTHERS = ("others", "")
PAST_THE_SERVICE = "folder"
# Codes are those of the list of alarms: there one stands while its cause lasts, and some only once it is old enough;
# here each beginning counts.  These four never stand there: they are over when they are known
COUNTED_ONLY = ("station.lied", "consignment.differs", "count.differs", "account.locked")

Cause = tuple[str, str, int]  # the code, what it is about, how many times


def _station(move: m.StationChanged) -> Cause | None:
    alarm = {StationState.ABORTED: "station.aborted", SILENT: "station.silent"}.get(move.state)
    return (alarm, move.station, 1) if alarm else None


def _mark(move: m.PositionsMarked) -> Cause | None:
    alarms = {Mark.SUSPECTED: "suspect.open", Mark.FOUND_MISSING: "blank.missing"}
    alarm = alarms.get(move.mark)
    return (alarm, move.station or move.caused_at, move.mask.bit_count()) if alarm else None


def _count(move: s.StockCounted) -> Cause | None:
    return ("count.differs", move.place, 1) if move.counted != move.expected else None


def _arrival(move: m.ArrivalCounted) -> Cause | None:
    return ("consignment.differs", move.unit, 1) if move.cards != move.sent else None


def _key(move: k.KeyAllowed | k.KeyRevoked | k.KeyRotated) -> Cause | None:
    return ("keys.outside", f"{move.role} {move.name}", 1) if move.where == PAST_THE_SERVICE else None


def _account(move: r.AccountChanged) -> Cause | None:
    return ("account.locked", move.account, move.times) if move.what == "locked" else None


ALARMS: Mapping[type, Callable[[Any], Cause | None]] = {
    m.StationChanged: _station,
    m.StationLied: lambda move: ("station.lied", f"{move.station} {move.code}", 1),
    m.PositionsMarked: _mark,
    m.CardMissing: lambda move: ("blank.missing", "pack", 1),
    m.CardStopped: lambda move: ("card.stopped", move.code, 1),
    m.BundleStopped: lambda move: ("pile.stopped", move.station, 1) if move.waits else None,
    m.ArrivalCounted: _arrival,
    q.DriftSignalled: lambda move: ("station.drift", f"{move.station} {move.code}".strip(), 1),
    q.StationHeld: lambda move: ("station.held", f"{move.station} {move.code}", 1),
    s.StockCounted: _count,
    s.BodiesLost: lambda move: ("blank.missing", move.station or "vault", move.sheets * move.places),
    s.BlanksLost: lambda move: ("blank.missing", "spoiled", 1),
    g.Denied: lambda move: ("attempt.denied", f"{move.verb} {move.act}".strip(), move.count),
    g.GlassBroken: lambda move: ("glass.broken", f"{move.by} {move.role}", 1),
    k.KeyAllowed: _key,
    k.KeyRevoked: _key,
    k.KeyRotated: _key,
    r.AccountChanged: _account,
    r.LedgerRestored: lambda move: ("ledger.reconciling", str(move.at_seq), 1),
}


class Alarms:
    """Folds moves; `rows` gives each alarm once for each thing, the most frequent first."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[int, float, float]] = {}

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        look = ALARMS.get(type(move))
        cause = look(move) if look else None
        if cause is None:
            return
        alarm, about, times = cause
        key = (alarm, about)
        if key not in self._seen and len(self._seen) >= KEPT_MAX:
            key = OTHERS
        count, first, _ = self._seen.get(key, (0, at_floor_s, at_floor_s))
        self._seen[key] = (count + times, first, at_floor_s)

    def rows(self) -> list[AlarmRow]:
        """Give what was seen."""
        order = sorted(self._seen.items(), key=lambda one: (-one[1][0], one[0]))
        return [
            AlarmRow(alarm=alarm, about=about, times=times, first_floor_s=first, last_floor_s=last)
            for (alarm, about), (times, first, last) in order
        ]
