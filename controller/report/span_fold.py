"""The fold of a span: the tally's own counts from its first move on, and what people read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from controller.core import moves as m
from controller.core.cards import Decision
from controller.core.moves import AnyMove, Mark
from controller.core.quality_moves import BundleOpened, CardSetGood
from controller.core.stock_moves import ShiftClosed, StockCounted
from controller.core.tally import FOLDS, StationTally, Tally
from controller.report import blank_entries
from controller.report.alarms import ALARMS, Alarms
from controller.report.span_moves import ROWS_MAX, SpanMoves, Station
from controller.report.span_report import CountRow, ShiftRow
from devices.defects import Step
from devices.messages import position_of

# what the tally learns of a sheet or a station before the span begins
LEAD_IN = frozenset({m.SheetImposed, m.JobStarted, m.JobEnded, m.StationJoined, m.StationChanged})
ENDING_A_HOLD = (Decision.RELEASE, Decision.REFUSE, Decision.CORRECT)  # no other state has these
LISTED = frozenset({m.ActProposed, m.ActEnded, m.BatchRefused, StockCounted, ShiftClosed})
KINDS = frozenset({*FOLDS, *blank_entries.FOLDS, *ALARMS, *LISTED})


class _Plan(NamedTuple):
    """What is done with moves of one kind."""

    know: Callable[[SpanFold, Any], None] | None
    tell: Callable[[SpanFold, float, Any], None]
    is_alarm: bool
    is_listed: bool
    is_entered: bool
    is_first: bool  # entered before it is counted


class SpanFold:
    """Takes the moves from `SpanMoves.low` on, in order; `begun` says that the span's own came."""

    def __init__(self, before: SpanMoves, bucket: Callable[[float], int]) -> None:
        self._before, self._bucket = before, bucket
        self.tally, self.alarms = Tally(), Alarms()
        self.entries = blank_entries.BlankEntries(self._cards_of, before.was_returned)
        self.begun, self.moves = False, 0
        self.opening: Counter[str] = Counter()
        self.made: Counter[int] = Counter()
        self.counts: list[CountRow] = []
        self.shifts: list[ShiftRow] = []
        self.proposed: dict[int, m.ActProposed] = {}
        self.ended: list[tuple[float, m.ActEnded]] = []
        self.left_out: Counter[str] = Counter()
        self.faults: list[str] = []
        self.batches_refused = self.set_good_earlier = 0
        self._rejected: set[tuple[int, int]] = set()  # sheet and position, in the span
        for name, station in before.stations().items():
            self._seed(name, station)

    def fold(self, seq: int, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        if not self.begun and seq >= self._before.first:
            self.begin()
        kind = type(move)
        know, tell, is_alarm, is_listed, is_entered, is_first = _PLANS.get(kind) or _plan(kind)
        if know:
            know(self, move)
        if self.begun:
            self.moves += 1
            tell(self, at_floor_s, move)
            if is_alarm:
                self.alarms.fold(at_floor_s, move)
            if is_listed:
                self._list(at_floor_s, move)
        elif kind in LEAD_IN:
            FOLDS[kind](self.tally, at_floor_s, move)
        if is_entered and not (is_first and self.begun):
            self.entries.fold(move)
        elif isinstance(move, ShiftClosed):
            self._check(seq, move)

    def begin(self) -> None:
        """Let the span begin: all counts are 0 again, what is known of sheets and stations stays."""
        known, at = self.tally, self._before.begin_floor_s
        self.tally = Tally(routes=known.routes, passed=known.passed, last_floor_s=at)
        for name, one in known.stations.items():
            self.tally.stations[name] = StationTally(one.step, at, one.state, at, load_max=one.load_max)
        self.opening = Counter(self.entries.accounts)
        self.entries.begin(self.opening)
        self.begun = True

    # ---- what stood before -------------------------------------------------------------------------------------

    def _seed(self, name: str, station: Station) -> None:
        begin = self._before.begin_floor_s
        fresh = StationTally(Step(station.step), begin, station.state, begin, load_max=max(1, station.load_max))
        self.tally.stations[name] = fresh

    def _know_station(self, move: m.JobEnded | m.StationChanged) -> None:
        if move.station not in self.tally.stations:
            self._seed(move.station, self._before.station(move.station))

    def _know_bundles(self, move: m.ConsignmentSent) -> None:
        for bundle_id in move.bundles:
            self._cards_of(bundle_id)
        received = self.tally.batch_received
        if move.batch_id not in received:
            received[move.batch_id] = self._before.received_floor_s(move.batch_id)

    def _know_bundle(self, move: BundleOpened) -> None:
        self._cards_of(move.bundle_id)

    def _know_hold(self, move: m.CardDecided) -> None:
        if move.decision in ENDING_A_HOLD:
            self.tally.held.add(move.card)

    def _cards_of(self, bundle_id: int) -> int:
        bundles = self.tally.bundles
        if bundle_id not in bundles:
            bundles[bundle_id] = self._before.cards_of(bundle_id)
        return bundles[bundle_id]

    # ---- the span ----------------------------------------------------------------------------------------------

    def _check(self, seq: int, move: ShiftClosed) -> None:
        """Begin with the accounts of the shift that was closed last before; those of a later one must be these."""
        if seq == self._before.anchor_seq:
            self.entries.begin(move.accounts)
        elif seq > self._before.anchor_seq and Counter(move.accounts) != self.entries.accounts:
            self.faults.append(f"shift {move.shift_id} was closed with other accounts than its moves give")

    def _sent(self, at: float, move: m.ConsignmentSent) -> None:
        self.entries.fold(move)  # before the tally forgets the bundles
        self._tell(at, move)

    def _opened(self, at: float, move: BundleOpened) -> None:
        self.entries.fold(move)
        self.made[self._bucket(at)] -= self._cards_of(move.bundle_id)
        self._tell(at, move)

    def _bundled(self, at: float, move: m.BundleMade) -> None:
        self.made[self._bucket(at)] += len(move.cards)
        self._tell(at, move)

    def _marked(self, at: float, move: m.PositionsMarked) -> None:
        if move.mark is Mark.SPOILED and move.found_at == Step.INSPECT:
            self._rejected |= {(move.sheet_id, position) for position in m.positions_in(move.mask)}
        self._tell(at, move)

    def _set_good(self, at: float, move: CardSetGood) -> None:
        place = (move.sheet_id, position_of(move.blank))
        if place in self._rejected:
            self._rejected.discard(place)
            self._tell(at, move)
        else:  # it was counted as spoiled before this span
            self.set_good_earlier += 1

    def _tell(self, at: float, move: AnyMove) -> None:
        fold = FOLDS.get(type(move))
        if fold:
            fold(self.tally, at, move)

    def _list(self, at: float, move: AnyMove) -> None:
        if isinstance(move, m.ActProposed):
            self.proposed[move.act_id] = move
        elif isinstance(move, m.ActEnded):
            if len(self.ended) >= ROWS_MAX:
                self.proposed.pop(move.act_id, None)  # nobody is told of it
            self._keep("acts", self.ended, (at, move))
        elif isinstance(move, m.BatchRefused):
            self.batches_refused += 1
        elif isinstance(move, StockCounted):
            row = CountRow(at_floor_s=at, place=move.place, counted=move.counted, expected=move.expected, by=move.by)
            self._keep("counts", self.counts, row)
        elif isinstance(move, ShiftClosed):
            room = ROWS_MAX - sum(len(one.lost) for one in self.shifts)
            lost = [str(blank) for blank in move.lost[: max(0, room)]]
            self.left_out["lost"] += len(move.lost) - len(lost)
            self._keep("shifts", self.shifts, _shift(at, move, lost))

    def _keep(self, name: str, rows: list[Any], row: Any) -> None:
        if len(rows) < ROWS_MAX:
            rows.append(row)
        else:
            self.left_out[name] += 1


def _shift(at: float, move: ShiftClosed, lost: list[str]) -> ShiftRow:
    return ShiftRow(
        shift=move.shift_id,
        opened_floor_s=move.opened_floor_s,
        closed_floor_s=at,
        by=move.by,
        second=move.second,
        lost=lost,
    )


_KNOWN: dict[type, Callable[[SpanFold, Any], None]] = {  # what may speak of things before the first move
    m.JobEnded: SpanFold._know_station,
    m.StationChanged: SpanFold._know_station,
    m.ConsignmentSent: SpanFold._know_bundles,
    BundleOpened: SpanFold._know_bundle,
    m.CardDecided: SpanFold._know_hold,
}
_COUNTED: dict[type, Callable[[SpanFold, float, Any], None]] = {
    m.ConsignmentSent: SpanFold._sent,
    BundleOpened: SpanFold._opened,
    m.BundleMade: SpanFold._bundled,
    m.PositionsMarked: SpanFold._marked,
    CardSetGood: SpanFold._set_good,
}
_ENTERED_FIRST = frozenset({m.ConsignmentSent, BundleOpened})  # by what counts them
_PLANS: dict[type, _Plan] = {}


def _plan(kind: type) -> _Plan:
    """Give what is done with moves of a kind, looked up once: a year has millions of them."""
    alarm, listed, entered = kind in ALARMS, kind in LISTED, kind in blank_entries.FOLDS
    told = (_KNOWN.get(kind), _COUNTED.get(kind, SpanFold._tell), alarm, listed, entered, kind in _ENTERED_FIRST)
    return _PLANS.setdefault(kind, _Plan(*told))
