"""What has no closing event yet: spoiled and missing blanks, suspects, stopped work, uncounted consignments, by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain

from controller.core import moves as m
from controller.core.moves import Mark, positions_in
from controller.core.quality_moves import BundleOpened, CardSetGood
from controller.core.review_moves import CardContested
from controller.core.state import FloorState
from controller.core.stock import Stock

ROWS_MAX = 1_000
MISSING = "missing"
WATCHED = frozenset(
    {
        *(m.PositionsMarked, m.CardStopped, m.CardDecided, CardContested, CardSetGood),
        *(m.BundleMade, BundleOpened, m.ConsignmentSent, m.ArrivalCounted),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class OpenEnd:
    """One thing that waits for its closing event, and since when."""

    since_floor_s: float
    kind: str  # see `open_blanks` and `open_work`
    name: str  # a serial, `card N`, `sheet N`, `batch N UNIT`, `consignment N UNIT`


@dataclass(slots=True)
class Since:
    """Since when things wait whose time the floor's state does not keep: a fold of moves."""

    suspects: dict[int, dict[int, float]] = field(default_factory=dict)  # sheet -> position -> since
    stopped: dict[int, float] = field(default_factory=dict)  # card -> since
    units: dict[int, str] = field(default_factory=dict)  # bundle that was not sent -> police station
    uncounted: dict[int, tuple[float, set[str]]] = field(default_factory=dict)  # consignment -> sent, police stations

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Take one move."""
        if type(move) not in WATCHED:
            return
        if isinstance(move, m.PositionsMarked):
            self._marked(at_floor_s, move)
        elif isinstance(move, m.CardStopped):
            self.stopped[move.card] = at_floor_s
        elif isinstance(move, CardContested):
            if move.stops:
                self.stopped[move.card] = at_floor_s
        elif isinstance(move, m.CardDecided | CardSetGood):
            self.stopped.pop(move.card, None)
        elif isinstance(move, m.BundleMade):
            self.units[move.bundle_id] = move.unit
        elif isinstance(move, BundleOpened):
            self.units.pop(move.bundle_id, None)
        elif isinstance(move, m.ConsignmentSent):
            units = {unit for unit in (self.units.pop(bundle, "") for bundle in move.bundles) if unit}
            self.uncounted[move.consignment_id] = (at_floor_s, units)
        elif isinstance(move, m.ArrivalCounted):
            self._counted(move)

    def _marked(self, at_floor_s: float, move: m.PositionsMarked) -> None:
        if move.mark is Mark.SUSPECTED:
            self.suspects.setdefault(move.sheet_id, {}).update(dict.fromkeys(positions_in(move.mask), at_floor_s))
        elif move.sheet_id in self.suspects:
            positions = self.suspects[move.sheet_id]
            for position in positions_in(move.mask):
                positions.pop(position, None)
            if not positions:
                del self.suspects[move.sheet_id]

    def _counted(self, move: m.ArrivalCounted) -> None:
        if move.consignment_id not in self.uncounted:
            return
        units = self.uncounted[move.consignment_id][1]
        units.discard(move.unit)
        if not units:
            del self.uncounted[move.consignment_id]


@dataclass(frozen=True, slots=True)
class OpenEnds:
    """The oldest open ends, at most `ROWS_MAX`, and how many there are of each kind."""

    counts: dict[str, int]
    rows: list[OpenEnd]


def open_ends(state: FloorState, since: Since, sees_stock: bool = True) -> OpenEnds:
    """Give everything without a closing event, the oldest first; blanks for those alone who may see their sums."""
    counts: Counter[str] = Counter()

    def counted() -> Iterator[OpenEnd]:
        for end in chain(_each_blank(state) if sees_stock else (), open_work(state, since), _each_unit(since)):
            counts[end.kind] += 1
            yield end

    rows = nsmallest(ROWS_MAX, counted())
    return OpenEnds(dict(sorted(counts.items())), rows)


def open_blanks(stock: Stock) -> dict[str, dict[int, float]]:
    """Give the blanks without a closing event by kind, and since when: there may be hundreds of thousands."""
    # closed by destruction; a missing one by the shift that names it
    return {"spoiled": stock.spoiled, "returned": stock.returned, MISSING: stock.lost}


def _each_blank(state: FloorState) -> Iterator[OpenEnd]:
    for kind, serials in open_blanks(state.stock).items():
        for serial, at in serials.items():
            yield OpenEnd(at, kind, f"blank {serial}")


def open_work(state: FloorState, since: Since) -> Iterator[OpenEnd]:
    """Give all other things of the floor without a closing event, kind by kind."""
    for sheet_id, positions in since.suspects.items():
        yield OpenEnd(min(positions.values()), "suspect", f"sheet {sheet_id}")
    for (batch_id, unit), pile in state.stopped_piles.items():
        yield OpenEnd(pile.since_floor_s, "pile", f"batch {batch_id} {unit}")
    for card in state.holds:
        yield OpenEnd(state.batch(state.card(card).batch_id).received_floor_s, "held", f"card {card}")
    for card, hold in state.card_holds.items():
        yield OpenEnd(hold.since_floor_s, "card_hold", f"card {card}")
    for batch_id, hold in state.batch_holds.items():
        yield OpenEnd(hold.since_floor_s, "batch_hold", f"batch {state.batch(batch_id).batch_number}")
    for card, at in since.stopped.items():
        yield OpenEnd(at, "stopped", f"card {card}")


def _each_unit(since: Since) -> Iterator[OpenEnd]:
    for number, (at, units) in since.uncounted.items():
        for unit in sorted(units):
            yield uncounted(number, at, unit)


def uncounted(consignment_id: int, at_floor_s: float, unit: str) -> OpenEnd:
    """Give what a police station did not count yet, since it was sent."""
    return OpenEnd(at_floor_s, "consignment", f"consignment {consignment_id} {unit}")
