"""The counts: a fold of moves that metrics, console and reports read; nothing else counts anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core.cards import Decision
from controller.core.moves import Mark, Verdict
from devices.defects import Step
from devices.messages import StationState

SPOILING = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
ROUTES_KEPT = 20_000  # sheets whose stations are remembered, so that a defect found late is charged to its cause
UP = (StationState.IDLE, StationState.EXECUTE)


@dataclass(slots=True)
class StationTally:
    """One station's times in floor seconds, and what it worked on in positions (pack: cards)."""

    step: Step
    joined_floor_s: float
    state: str = StationState.STOPPED
    since_floor_s: float = 0.0
    busy_s: float = 0.0
    down_s: float = 0.0  # neither idle nor executing, up to the last change of state
    jobs: int = 0
    worked: int = 0
    bad: int = 0  # charged to it, whoever found it

    def down_until(self, at_floor_s: float) -> float:
        """Give the seconds it was down, the present state counted up to a time."""
        open_s = 0.0 if self.state in UP else max(0.0, at_floor_s - self.since_floor_s)
        return self.down_s + open_s


@dataclass(slots=True)
class Tally:
    """All counts since the ledger began.  Cards by outcome satisfy law 4 at every move."""

    received: int = 0
    refused: int = 0
    accepted: int = 0
    cancelled: int = 0
    refused_late: int = 0
    dispatched: int = 0
    made: int = 0
    held_released: int = 0
    held_refused: int = 0
    batches: int = 0
    batches_closed: int = 0
    encoded: int = 0
    sheets: int = 0
    remade: int = 0
    refused_by_code: Counter[str] = field(default_factory=Counter)
    spoiled_by: Counter[tuple[str, str]] = field(default_factory=Counter)  # causing step, code
    found_at: Counter[tuple[str, str]] = field(default_factory=Counter)  # causing step, step that found it
    worked: Counter[str] = field(default_factory=Counter)  # step -> positions (pack: cards)
    stations: dict[str, StationTally] = field(default_factory=dict)
    lead_s: Counter[float] = field(default_factory=Counter)  # lead time -> cards
    first_floor_s: float | None = None  # the first batch's arrival
    last_made_floor_s: float = 0.0
    last_floor_s: float = 0.0
    held: set[int] = field(default_factory=set)
    batch_received: dict[int, float] = field(default_factory=dict)
    bundles: dict[int, int] = field(default_factory=dict)  # not yet sent: cards
    routes: dict[int, dict[str, str]] = field(default_factory=dict)  # sheet -> step -> station

    def open(self) -> int:
        """Give the cases that have not come to their end, held ones among them."""
        return self.received - self.refused - self.cancelled - self.refused_late - self.dispatched

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Count one move."""
        self.last_floor_s = at_floor_s
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)


def _batch(tally: Tally, at: float, move: m.BatchOpened) -> None:
    tally.batches += 1
    tally.received += len(move.rows)
    tally.batch_received[move.batch_id] = move.received_floor_s
    if tally.first_floor_s is None:
        tally.first_floor_s = move.received_floor_s
    for row in move.rows:
        if row.verdict == Verdict.REFUSE:
            tally.refused += 1
            tally.refused_by_code.update(set(row.codes))
        elif row.verdict == Verdict.HOLD:
            tally.held.add(move.batch_id * 10_000 + row.index)
        else:
            tally.accepted += 1


def _closed(tally: Tally, at: float, move: m.BatchClosed) -> None:
    tally.batches_closed += 1
    tally.batch_received.pop(move.batch_id, None)


def _decided(tally: Tally, at: float, move: m.CardDecided) -> None:
    if move.card in tally.held:
        tally.held.discard(move.card)
        released = move.decision == Decision.RELEASE
        tally.held_released += released
        tally.accepted += released
        tally.held_refused += not released
        tally.refused += not released
    elif move.decision == Decision.CANCEL:
        tally.cancelled += 1
    elif move.decision == Decision.REFUSE_LATE:
        tally.refused_late += 1


def _encode(tally: Tally, at: float, move: m.EncodeStarted) -> None:
    tally.encoded += len(move.cards)


def _sheet(tally: Tally, at: float, move: m.SheetImposed) -> None:
    tally.sheets += 1
    tally.routes[move.sheet_id] = {}
    tally.routes.pop(move.sheet_id - ROUTES_KEPT, None)


def _job(tally: Tally, at: float, move: m.JobStarted) -> None:
    for sheet_id in move.sheets:
        tally.routes.setdefault(sheet_id, {})[move.step] = move.station


def _job_ended(tally: Tally, at: float, move: m.JobEnded) -> None:
    station = tally.stations[move.station]
    worked = sum(end.worked.bit_count() for end in move.sheets) + move.cards
    station.busy_s += max(0.0, move.ended_floor_s - move.started_floor_s)
    station.jobs += 1
    station.worked += worked
    tally.worked[move.step] += worked


def _marked(tally: Tally, at: float, move: m.PositionsMarked) -> None:
    if move.mark not in SPOILING:
        return
    count = move.mask.bit_count()
    tally.remade += count
    tally.spoiled_by[(move.caused_at, move.code)] += count
    tally.found_at[(move.caused_at, move.found_at)] += count
    cause = tally.routes.get(move.sheet_id, {}).get(move.caused_at, move.station)
    if cause in tally.stations:
        tally.stations[cause].bad += count


def _bundle(tally: Tally, at: float, move: m.BundleMade) -> None:
    tally.made += len(move.cards)
    tally.bundles[move.bundle_id] = len(move.cards)
    tally.last_made_floor_s = at


def _missing(tally: Tally, at: float, move: m.CardMissing) -> None:
    tally.remade += 1
    tally.spoiled_by[(Step.PACK, move.code)] += 1
    tally.found_at[(Step.PACK, Step.PACK)] += 1


def _sent(tally: Tally, at: float, move: m.ConsignmentSent) -> None:
    cards = sum(tally.bundles.pop(bundle) for bundle in move.bundles)
    tally.dispatched += cards
    tally.lead_s[round(at - tally.batch_received[move.batch_id], 1)] += cards


def _joined(tally: Tally, at: float, move: m.StationJoined) -> None:
    known = tally.stations.get(move.station)
    if known is None or known.step != move.step:
        tally.stations[move.station] = StationTally(Step(move.step), at, since_floor_s=at)


def _changed(tally: Tally, at: float, move: m.StationChanged) -> None:
    station = tally.stations[move.station]
    station.down_s = station.down_until(at)
    station.state, station.since_floor_s = move.state, at


FOLDS: dict[type, Callable[[Tally, float, Any], None]] = {
    m.BatchOpened: _batch,
    m.BatchClosed: _closed,
    m.CardDecided: _decided,
    m.EncodeStarted: _encode,
    m.SheetImposed: _sheet,
    m.JobStarted: _job,
    m.JobEnded: _job_ended,
    m.PositionsMarked: _marked,
    m.BundleMade: _bundle,
    m.CardMissing: _missing,
    m.ConsignmentSent: _sent,
    m.StationJoined: _joined,
    m.StationChanged: _changed,
}
