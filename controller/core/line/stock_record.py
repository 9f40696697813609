"""What moves say of what the floor eats: batches as they come, magazines as they are filled, supplies as they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from controller.core import moves as m
from controller.core import stock_moves as s
from controller.core.line.bins import Bins
from controller.core.line.figures import BatchShape, Estimates
from controller.core.line.hours import PeopleHours
from controller.core.moves import Verdict
from devices.messages import POSITIONS, SINGLE, Fate

SUPPLY, DELIVERY = "supply", "delivery"
SHAPES_KEPT = 64  # of batches, the latest
PAIRS_KEPT = 64  # of fills and of deliveries, the latest
HOUR_S = 3_600.0


class StockRecord:
    """Folds what comes and is used up into figures."""

    def __init__(self, estimates: Estimates, hours: PeopleHours) -> None:
        self._estimates, self._hours = estimates, hours
        self._magazines: Counter[str] = Counter()  # press -> body sheets of eight
        self._empty_since: dict[str, float] = {}
        self._used: set[str] = set()  # presses that drew a body: what came before is the floor's beginning
        self._singles: set[int] = set()  # films for single bodies
        self._vault = 0
        self._received = False
        self._supplies: dict[str, dict[str, int]] = {}  # station -> kind -> sheets left

    # ---- batches -----------------------------------------------------------------------------------------------

    def opened(self, at: float, move: m.BatchOpened) -> None:
        """Count a batch that came, and remember what it was like; a case of one card is none."""
        rows = [row for row in move.rows if row.verdict != Verdict.REFUSE]
        if not rows or rows[0].case_no:
            return
        arrivals = self._estimates.arrivals
        arrivals.batches += 1
        arrivals.cards += len(rows)
        arrivals.by_hour[int(at // HOUR_S) % 24] += 1
        units = sorted(Counter(row.unit for row in rows).items())
        held = sum(row.verdict == Verdict.HOLD for row in rows)
        due_in_s = max(0.0, move.due_floor_s - move.received_floor_s)
        arrivals.shapes.append(BatchShape(move.card_kind, due_in_s, units, sum(row.express for row in rows), held))
        del arrivals.shapes[:-SHAPES_KEPT]

    # ---- blanks --------------------------------------------------------------------------------------------------

    def received(self, at: float, move: s.StockReceived) -> None:
        """Count a delivery; the first one is the floor's beginning."""
        if move.places != POSITIONS:
            return
        magazines = self._estimates.magazines
        if self._received:
            _keep(magazines.deliveries, (self._vault, move.sheets))
        else:
            magazines.first_sheets = move.sheets
        self._received = True
        self._vault += move.sheets

    def issued(self, at: float, move: s.MagazineIssued) -> None:
        """Count a fill of a magazine."""
        if move.places != POSITIONS:
            return
        magazines = self._estimates.magazines
        if move.station in self._used:
            _keep(magazines.fills, (max(0, self._magazines[move.station]), move.sheets))
        if move.station in self._empty_since:
            magazines.empty_s.add(at - self._empty_since.pop(move.station))
        self._magazines[move.station] += move.sheets
        self._vault -= move.sheets

    def imposed(self, at: float, move: m.SheetImposed) -> None:
        """Know a film that takes a single body."""
        if move.places == SINGLE:
            self._singles.add(move.sheet_id)

    def bound(self, at: float, move: m.SheetBound) -> None:
        """Take a body out of a magazine."""
        if move.sheet_id in self._singles:
            self._singles.discard(move.sheet_id)
            return
        self._used.add(move.station)
        self._take(move.station, 1, at)

    def returned(self, at: float, move: s.BodiesReturned) -> None:
        """Take bodies back into the vault."""
        if move.places == POSITIONS:
            self._vault += move.sheets
            self._take(move.station, move.sheets, at)

    def sampled(self, at: float, move: s.BodiesSampled) -> None:
        """Take bodies out of the vault."""
        self._vault -= move.sheets if move.places == POSITIONS else 0

    def lost(self, at: float, move: s.BodiesLost) -> None:
        """Take bodies that are missing out of where they should be."""
        if move.places != POSITIONS:
            return
        if move.station:
            self._take(move.station, move.sheets, at)
        else:
            self._vault -= move.sheets

    def _take(self, press: str, sheets: int, at: float) -> None:
        self._magazines[press] -= sheets
        if self._magazines[press] <= 0 and press in self._used:
            self._empty_since.setdefault(press, at)

    # ---- supplies ------------------------------------------------------------------------------------------------

    def loaded(self, at: float, move: s.SupplyLoaded) -> None:
        """Count how long a station waited for a supply; not at all when it was loaded before the last one ended."""
        since = self._estimates.open_since_floor_s.pop(f"{SUPPLY} {move.station} {move.kind}", at)
        kinds = self._supplies.setdefault(move.station, {})
        if move.kind in kinds:
            self._estimates.waits.setdefault(SUPPLY, Bins()).add(self._hours.between(since, at))
        kinds[move.kind] = self._estimates.supply_units[move.kind] = move.units

    def ended(self, at: float, move: m.JobEnded) -> None:
        """Take what a load used up off a station's supplies."""
        kinds = self._supplies.get(move.station)
        if not kinds:
            return
        sheets = sum(end.fate != Fate.UNTOUCHED for end in move.sheets)
        for kind, left in kinds.items():
            kinds[kind] = max(0, left - sheets)
            if left and not kinds[kind]:
                self._estimates.open_since_floor_s[f"{SUPPLY} {move.station} {kind}"] = at


def _keep(pairs: list[tuple[int, int]], pair: tuple[int, int]) -> None:
    pairs.append(pair)
    del pairs[:-PAIRS_KEPT]


STOCK_FOLDS: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.BatchOpened: StockRecord.opened,
    m.SheetImposed: StockRecord.imposed,
    m.SheetBound: StockRecord.bound,
    m.JobEnded: StockRecord.ended,
    s.StockReceived: StockRecord.received,
    s.MagazineIssued: StockRecord.issued,
    s.BodiesReturned: StockRecord.returned,
    s.BodiesSampled: StockRecord.sampled,
    s.BodiesLost: StockRecord.lost,
    s.SupplyLoaded: StockRecord.loaded,
}
