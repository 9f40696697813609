"""The counts: a fold of moves that metrics, console and reports read; nothing else counts anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core.cards import Decision
from controller.core.moves import Mark, Verdict
from controller.core.open_ends import WATCHED, Since
from controller.core.quality_moves import BundleOpened, CardSetGood
from controller.core.rates import DENIED, LoadLine, Window
from controller.core.remakes import FOLDS as CLOCKED
from controller.core.remakes import Remakes
from controller.core.rights_moves import Denied, GlassBroken
from controller.core.supply import PACED, InputPace
from devices.defects import Step
from devices.messages import StationState

SPOILING = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
ROUTES_KEPT = 20_000  # sheets whose stations are remembered, so that a defect found late is charged to its cause
UP = (StationState.IDLE, StationState.EXECUTE)
BIT: dict[str, int] = {step: 1 << place for place, step in enumerate(Step)}  # of each step, in a sheet's `passed`


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
    set_good: int = 0  # charged to it once, and taken off `bad` again
    reworked: int = 0  # of `worked`: positions this step had worked on before (a tray inspected again)
    load_max: int = 1  # sheets of a full load; pack: cards
    line: LoadLine = field(default_factory=LoadLine)

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
    opened: int = 0  # cards of bundles that were opened again, and taken off `made`
    held_released: int = 0
    held_refused: int = 0
    batches: int = 0
    batches_closed: int = 0
    encoded: int = 0
    sheets: int = 0
    denied: int = 0  # attempts at what was not theirs who tried
    glass_broken: int = 0  # roles taken in an emergency
    remade: int = 0  # what two people set good is taken off again, here and in the next two
    refused_by_code: Counter[str] = field(default_factory=Counter)
    spoiled_by: Counter[tuple[str, str]] = field(default_factory=Counter)  # causing step, code
    found_at: Counter[tuple[str, str]] = field(default_factory=Counter)  # causing step, step that found it
    set_good: Counter[tuple[str, str]] = field(default_factory=Counter)  # step it was charged to, why it is good
    causes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # code, causing step, finding step
    lied: Counter[tuple[str, str]] = field(default_factory=Counter)  # station, code: said what cannot be
    uncharged: int = 0  # of `remade`: no known station caused them
    worked: Counter[str] = field(default_factory=Counter)  # step -> positions (pack: cards)
    reworked: Counter[str] = field(default_factory=Counter)  # step -> of those, worked on before
    window: Window = field(default_factory=Window)
    stations: dict[str, StationTally] = field(default_factory=dict)
    lead_s: Counter[float] = field(default_factory=Counter)  # lead time -> cards
    first_floor_s: float | None = None  # the first batch's arrival
    last_made_floor_s: float = 0.0
    last_floor_s: float = 0.0
    held: set[int] = field(default_factory=set)
    batch_received: dict[int, float] = field(default_factory=dict)
    bundles: dict[int, int] = field(default_factory=dict)  # not yet sent: cards
    routes: dict[int, dict[str, str]] = field(default_factory=dict)  # sheet -> step -> station
    passed: dict[int, int] = field(default_factory=dict)  # sheet -> the bits of the steps that worked on it
    remakes: Remakes = field(default_factory=Remakes)  # the clocks of what is made again
    inputs: InputPace = field(default_factory=InputPace)  # of the last floor days, for the forecast
    since: Since = field(default_factory=Since)  # when what has no closing event yet began to wait

    def open(self) -> int:
        """Give the cases that have not come to their end, held ones among them."""
        return self.received - self.refused - self.cancelled - self.refused_late - self.dispatched

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Count one move."""
        self.last_floor_s = at_floor_s
        kind = type(move)
        if kind in CLOCKED:
            self.remakes.fold(at_floor_s, move)
        if kind in PACED:
            self.inputs.fold(at_floor_s, move)
        if kind in WATCHED:
            self.since.fold(at_floor_s, move)
        fold = FOLDS.get(kind)
        if fold:
            fold(self, at_floor_s, move)


def _batch(tally: Tally, at: float, move: m.BatchOpened) -> None:
    tally.batches += 1
    tally.received += len(move.rows)
    tally.batch_received[move.batch_id] = move.received_floor_s
    if tally.first_floor_s is None:
        tally.first_floor_s = move.received_floor_s
    tally.window.add(at, "received", len(move.rows))
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
    tally.routes[move.sheet_id], tally.passed[move.sheet_id] = {}, 0
    tally.routes.pop(move.sheet_id - ROUTES_KEPT, None)
    tally.passed.pop(move.sheet_id - ROUTES_KEPT, None)


def _job(tally: Tally, at: float, move: m.JobStarted) -> None:
    for sheet_id in move.sheets:
        tally.routes.setdefault(sheet_id, {})[move.step] = move.station


def _job_ended(tally: Tally, at: float, move: m.JobEnded) -> None:
    station = tally.stations[move.station]
    worked = sum(end.worked.bit_count() for end in move.sheets) + move.cards
    took_s = max(0.0, move.ended_floor_s - move.started_floor_s)
    units = sum(end.worked > 0 for end in move.sheets) + move.cards
    if move.answer == "done" and units:
        station.line.take(units, took_s)
    station.busy_s += took_s
    station.jobs += 1
    station.worked += worked
    tally.worked[move.step] += worked
    tally.window.add(at, move.step, worked)
    for end in move.sheets:
        steps = tally.passed.get(end.sheet_id, 0)
        if end.worked and steps & BIT[move.step]:
            station.reworked += end.worked.bit_count()
            tally.reworked[move.step] += end.worked.bit_count()
        elif end.worked and end.sheet_id in tally.passed:
            tally.passed[end.sheet_id] = steps | BIT[move.step]


def _marked(tally: Tally, at: float, move: m.PositionsMarked) -> None:
    if move.mark not in SPOILING:
        return
    count = move.mask.bit_count()
    _spoil(tally, at, (move.code, move.caused_at, move.found_at), count)
    cause = tally.routes.get(move.sheet_id, {}).get(move.caused_at, move.station)
    if cause in tally.stations:
        tally.stations[cause].bad += count
    else:
        tally.uncharged += count


def _spoil(tally: Tally, at: float, cause: tuple[str, str, str], count: int) -> None:
    code, caused_at, found_at = cause
    tally.remade += count
    tally.causes[cause] += count
    tally.spoiled_by[(caused_at, code)] += count
    tally.found_at[(caused_at, found_at)] += count
    tally.window.add(at, "remade", count)


def _bundle(tally: Tally, at: float, move: m.BundleMade) -> None:
    tally.made += len(move.cards)
    tally.bundles[move.bundle_id] = len(move.cards)
    tally.last_made_floor_s = at
    tally.window.add(at, "made", len(move.cards))


def _opened(tally: Tally, at: float, move: BundleOpened) -> None:
    cards = tally.bundles.pop(move.bundle_id)
    tally.made -= cards
    tally.opened += cards
    tally.window.add(at, "made", -cards)


def _lied(tally: Tally, at: float, move: m.StationLied) -> None:
    tally.lied[(move.station, move.code)] += 1


def _set_good(tally: Tally, at: float, move: CardSetGood) -> None:
    """Take a wrong reject off its cause again: it was no defect, and the Pareto must not show one."""
    tally.set_good[(move.caused_at, move.code)] += 1
    tally.remade -= 1
    tally.window.add(at, "remade", -1)
    for counts, key in (
        (tally.spoiled_by, (move.caused_at, move.rejected_for)),
        (tally.found_at, (move.caused_at, Step.INSPECT)),
    ):
        counts[key] -= 1
        if not counts[key]:
            del counts[key]  # no row of 0 in a Pareto
    charge = (move.rejected_for, move.caused_at, Step.INSPECT.value)
    tally.causes[charge] -= 1
    if not tally.causes[charge]:
        del tally.causes[charge]
    cause = tally.routes.get(move.sheet_id, {}).get(move.caused_at, "")
    if cause in tally.stations:
        tally.stations[cause].bad -= 1
        tally.stations[cause].set_good += 1
    else:
        tally.uncharged -= 1


def _missing(tally: Tally, at: float, move: m.CardMissing) -> None:
    _spoil(tally, at, (move.code, Step.PACK.value, Step.PACK.value), 1)
    tally.uncharged += 1


def _sent(tally: Tally, at: float, move: m.ConsignmentSent) -> None:
    cards = sum(tally.bundles.pop(bundle) for bundle in move.bundles)
    tally.dispatched += cards
    tally.window.add(at, "dispatched", cards)
    tally.lead_s[round(at - tally.batch_received[move.batch_id], 1)] += cards


def _denied(tally: Tally, at: float, move: Denied) -> None:
    tally.denied += move.count
    tally.window.add(at, DENIED, move.count)


def _glass_broken(tally: Tally, at: float, move: GlassBroken) -> None:
    tally.glass_broken += 1


def _joined(tally: Tally, at: float, move: m.StationJoined) -> None:
    known = tally.stations.get(move.station)
    if known is None or known.step != move.step:
        known = tally.stations[move.station] = StationTally(Step(move.step), at, since_floor_s=at)
    known.load_max = max(1, move.load_max)


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
    BundleOpened: _opened,
    CardSetGood: _set_good,
    m.CardMissing: _missing,
    m.StationLied: _lied,
    m.ConsignmentSent: _sent,
    Denied: _denied,
    GlassBroken: _glass_broken,
    m.StationJoined: _joined,
    m.StationChanged: _changed,
}
