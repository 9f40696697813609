"""The campaign: a fold of moves into counts per police station and month, never a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from controller.core import moves as m
from controller.core.cards import Decision
from controller.core.moves import Verdict
from controller.core.quality_moves import BundleOpened

CARDS_PER_BATCH = 10_000
COUNTY_DIGITS = 6
FULL, HALF, EXEMPT, NO_FEE, UNKNOWN = "full", "half", "exempt", "none", "unknown"
RETURNED = "returned"  # what stands for the fee class of a card that came back: it is made again without a fee
FEE_GROUPS: Mapping[str, str] = {  # fee class of an application -> how it is reconciled
    "standard": FULL,
    "loss": FULL,
    "reduced": HALF,
    "exempt": EXEMPT,
    "free_first": EXEMPT,
    RETURNED: NO_FEE,
}
PHOTO, OTHER_FAULT = "photo", "data"
ALWAYS = ("0000-00", "9999-12")  # all months


@dataclass(slots=True)
class Counts:
    """What one police station brought and got in one month.

    `received`, `refused` and the faults count applications (first cases) by the month they came in, so a share of
    them is a share of one whole; the fee classes count cases by the month of what happened.
    """

    received: int = 0
    refused: int = 0  # at once, or by a person while held
    photo_faults: int = 0  # refused, with a fault of the portrait among the codes
    data_faults: int = 0  # refused, with a fault of another field
    capture_faults: int = 0  # refused for one or both of these
    completed: int = 0  # dispatched cards of people in scope, each acceptance number once
    accepted: Counter[str] = field(default_factory=Counter)  # fee class -> cases
    dispatched: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    refused_late: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another month's or station's counts."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, name, mine + theirs)

    def open(self, fee_class: str) -> int:
        """Give the accepted cases of a fee class that are not at their end; of counts from the ledger's beginning."""
        ended = self.dispatched[fee_class] + self.cancelled[fee_class] + self.refused_late[fee_class]
        return self.accepted[fee_class] - ended

    def capture_accuracy(self) -> float:
        """Give 1 less the share of applications refused for photo or data faults; 1 when none came."""
        return 1.0 - self.capture_faults / self.received if self.received else 1.0


class _Case(NamedTuple):
    """An open case: what its end will count."""

    unit: str
    month: str  # it came in
    fee_class: str
    is_first: bool  # an acceptance number counts once: not when it came back
    in_scope: bool
    faults: tuple[str, ...] = ()  # of a held one, in order


@dataclass(slots=True)
class Kept:
    """All that a campaign folded from the moves."""

    counts: dict[str, dict[str, dict[str, Counts]]] = field(default_factory=dict)  # county -> station -> month
    open: dict[int, _Case] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    bundles: dict[int, list[int]] = field(default_factory=dict)  # not yet sent


class Campaign:
    """All counts since the ledger began.  Besides them it knows open cases only."""

    def __init__(self, fault_of: Mapping[str, str] | None = None, kept: Kept | None = None) -> None:
        """Take what the codes of findings say of capture: code -> `photo` or `data`; a code not in it says nothing.

        `kept` is what another one folded: this one goes on from there.
        """
        self._fault_of = dict(fault_of or {})
        self.kept = kept or Kept()
        self._counts, self._open, self._held = self.kept.counts, self.kept.open, self.kept.held
        self._bundles = self.kept.bundles

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Count one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def counties(self) -> list[str]:
        """Give the counties (6 digits) that ever brought an application, in order."""
        return sorted(self._counts)

    def between(self, first_month: str, last_month: str, unit_prefix: str = "") -> Counts:
        """Give the sums over months `YYYY-MM` (both included) and all police stations whose code begins so."""
        total = Counts()
        for counts in self._each(first_month, last_month, unit_prefix):
            total.add(counts)
        return total

    def completed(self, first_month: str, last_month: str, unit_prefix: str = "") -> int:
        """Give `between(…).completed`, faster."""
        return sum(counts.completed for counts in self._each(first_month, last_month, unit_prefix))

    def open_by_fee_class(self) -> Counter[str]:
        """Give the accepted open cases, counted one by one: what `Counts.open` of all months must equal."""
        return Counter(case.fee_class for card, case in self._open.items() if card not in self._held)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _each(self, first_month: str, last_month: str, unit_prefix: str) -> Iterator[Counts]:
        county = unit_prefix[:COUNTY_DIGITS]
        counties = [self._counts.get(county, {})] if len(county) == COUNTY_DIGITS else list(self._counts.values())
        for stations in counties:
            for unit, months in stations.items():
                if unit.startswith(unit_prefix):
                    yield from (counts for month, counts in months.items() if first_month <= month <= last_month)

    def _of(self, unit: str, month: str) -> Counts:
        months = self._counts.setdefault(unit[:COUNTY_DIGITS], {}).setdefault(unit, {})
        counts = months.get(month)
        if counts is None:
            counts = months[month] = Counts()
        return counts

    def _batch(self, at: float, move: m.BatchOpened) -> None:
        month = month_of(at)
        for row in move.rows:
            is_first = not row.case_no
            counts = self._of(row.unit, month)
            counts.received += is_first
            if row.verdict == Verdict.REFUSE:
                if is_first:
                    self._refuse(counts, self._faults(row.codes))
                continue
            is_held = row.verdict == Verdict.HOLD
            fee_class = (row.fee_class or UNKNOWN) if is_first else RETURNED
            faults = self._faults(row.codes) if is_held else ()
            card = move.batch_id * CARDS_PER_BATCH + row.index
            self._open[card] = _Case(row.unit, month, fee_class, is_first, row.in_scope, faults)
            if is_held:
                self._held.add(card)
            else:
                counts.accepted[fee_class] += 1

    def _decided(self, at: float, move: m.CardDecided) -> None:
        case = self._open.get(move.card)
        if case is None:
            return
        counts = self._of(case.unit, month_of(at))
        if move.card in self._held:
            self._held.discard(move.card)
            if move.decision == Decision.RELEASE:
                counts.accepted[case.fee_class] += 1
                return
            if case.is_first:
                self._refuse(self._of(case.unit, case.month), case.faults)
        elif move.decision == Decision.CANCEL:
            counts.cancelled[case.fee_class] += 1
        elif move.decision == Decision.REFUSE_LATE:
            counts.refused_late[case.fee_class] += 1
        else:
            return  # a stopped card is tried again: still open
        del self._open[move.card]

    def _bundled(self, at: float, move: m.BundleMade) -> None:
        self._bundles[move.bundle_id] = list(move.cards)

    def _bundle_opened(self, at: float, move: BundleOpened) -> None:
        self._bundles.pop(move.bundle_id, None)

    def _sent(self, at: float, move: m.ConsignmentSent) -> None:
        month = month_of(at)
        for bundle in move.bundles:
            for card in self._bundles.pop(bundle):
                case = self._open.pop(card)
                counts = self._of(case.unit, month)
                counts.dispatched[case.fee_class] += 1
                counts.completed += case.is_first and case.in_scope

    def _faults(self, codes: list[str]) -> tuple[str, ...]:
        return tuple(sorted({self._fault_of[code] for code in codes if code in self._fault_of}))

    def _refuse(self, counts: Counts, faults: tuple[str, ...]) -> None:
        counts.refused += 1
        counts.photo_faults += PHOTO in faults
        counts.data_faults += OTHER_FAULT in faults
        counts.capture_faults += bool(faults)


FOLDS: Mapping[type, Callable[[Campaign, float, Any], None]] = {
    m.BatchOpened: Campaign._batch,
    m.CardDecided: Campaign._decided,
    m.BundleMade: Campaign._bundled,
    BundleOpened: Campaign._bundle_opened,
    m.ConsignmentSent: Campaign._sent,
}


def month_of(at_floor_s: float) -> str:
    """Give the floor's month as `YYYY-MM`."""
    return datetime.fromtimestamp(at_floor_s, UTC).strftime("%Y-%m")


def month_before(month: str) -> str:
    """Give the month before one `YYYY-MM`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year:04d}-{number - 1:02d}" if number > 1 else f"{year - 1:04d}-12"
