"""Lead times of cards by due class: from the arrival of the batch to dispatch, of a week and of all there were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from controller.core import moves as m
from controller.core.calendar import DAY_S
from controller.core.moves import AnyMove
from controller.core.quality_moves import BundleOpened
from controller.core.review_moves import CardHastened
from controller.report.figures import quantile
from controller.report.flow import CARDS_PER_BATCH
from controller.report.span_moves import SpanMoves
from controller.report.year_report import ALL, LeadRow

EXPRESS, LONGEST = "express", "over_30"
CLASSES = ((7, "within_7"), (15, "within_15"), (30, "within_30"))  # days from a batch's arrival to its due date
DUE_CLASSES = (ALL, EXPRESS, *(name for _, name in CLASSES), LONGEST)


class _Batch(NamedTuple):
    received_floor_s: float
    due_floor_s: float
    express: dict[int, float]  # place in the batch of an express card -> when it is due


class _Bundle(NamedTuple):
    usual: int  # cards that are not express
    express: Counter[float]  # when the others are due -> cards


class _Sums:
    """Cards by lead time, and those of them that left in time, of each due class."""

    def __init__(self) -> None:
        self.leads: dict[str, Counter[float]] = defaultdict(Counter)
        self.in_time: Counter[str] = Counter()

    def add(self, due_class: str, lead_s: float, cards: int, is_in_time: bool) -> None:
        for name in (ALL, due_class):
            self.leads[name][lead_s] += cards
            self.in_time[name] += cards * is_in_time

    def rows(self, week: str) -> list[LeadRow]:
        return [self._row(week, name, self.leads[name]) for name in DUE_CLASSES if name in self.leads]

    def _row(self, week: str, name: str, leads: Counter[float]) -> LeadRow:
        cards = leads.total()
        p50, p95 = quantile(leads, 0.50), quantile(leads, 0.95)
        in_time = self.in_time[name] / cards
        return LeadRow(week=week, due_class=name, cards=cards, lead_p50_s=p50, lead_p95_s=p95, in_time=in_time)


class Leads:
    """Folds moves; it remembers batches that are not closed and bundles that were not sent."""

    def __init__(self, before: SpanMoves) -> None:
        """Begin with nothing counted; `before` knows what was made and came before the first move."""
        self._before = before
        self._batches: dict[int, _Batch] = {}
        self._bundles: dict[int, _Bundle] = {}
        self._week, self._whole = _Sums(), _Sums()

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def begin(self) -> None:
        """Forget what was counted."""
        self._week, self._whole = _Sums(), _Sums()

    def take_week(self, week: str) -> list[LeadRow]:
        """Give the rows of what was sent since the last call."""
        rows, self._week = self._week.rows(week), _Sums()
        return rows

    def whole(self) -> list[LeadRow]:
        """Give the rows of all that was sent."""
        return self._whole.rows("")

    def _batch(self, at: float, move: m.BatchOpened) -> None:
        due = min(move.due_floor_s, move.express_due_floor_s or move.due_floor_s)
        express = {row.index: due for row in move.rows if row.express}
        self._batches[move.batch_id] = _Batch(move.received_floor_s, move.due_floor_s, express)

    def _hastened(self, at: float, move: CardHastened) -> None:
        batch_id, place = divmod(move.card, CARDS_PER_BATCH)
        self._known(batch_id).express[place] = move.due_floor_s

    def _closed(self, at: float, move: m.BatchClosed) -> None:
        self._batches.pop(move.batch_id, None)

    def _bundle(self, at: float, move: m.BundleMade) -> None:
        self._bundles[move.bundle_id] = self._counted(move.batch_id, move.cards)

    def _opened(self, at: float, move: BundleOpened) -> None:
        self._bundles.pop(move.bundle_id, None)

    def _sent(self, at: float, move: m.ConsignmentSent) -> None:
        batch, usual, express = self._known(move.batch_id), 0, Counter[float]()
        for bundle_id in move.bundles:
            known = self._bundles.pop(bundle_id, None)
            bundle = known or self._counted(move.batch_id, self._before.cards_in(bundle_id))
            usual += bundle.usual
            express.update(bundle.express)
        lead_s = round(at - batch.received_floor_s, 1)
        for sums in (self._week, self._whole):
            if usual:
                due_class = due_class_of(batch.due_floor_s - batch.received_floor_s)
                sums.add(due_class, lead_s, usual, at <= batch.due_floor_s)
            for due, cards in express.items():
                sums.add(EXPRESS, lead_s, cards, at <= due)

    def _counted(self, batch_id: int, cards: list[int]) -> _Bundle:
        dues = self._known(batch_id).express
        express = Counter(dues[card % CARDS_PER_BATCH] for card in cards if card % CARDS_PER_BATCH in dues)
        return _Bundle(len(cards) - express.total(), express)

    def _known(self, batch_id: int) -> _Batch:
        if batch_id not in self._batches:
            self._batch(0.0, self._before.batch_opened(batch_id))
        return self._batches[batch_id]


def due_class_of(due_in_s: float) -> str:
    """Give the due class of cards that are due so long after their batch came, express ones left out."""
    return next((name for days, name in CLASSES if due_in_s <= days * DAY_S), LONGEST)


FOLDS: dict[type, Callable[[Leads, float, Any], None]] = {
    m.BatchOpened: Leads._batch,
    m.BatchClosed: Leads._closed,
    CardHastened: Leads._hastened,
    m.BundleMade: Leads._bundle,
    BundleOpened: Leads._opened,
    m.ConsignmentSent: Leads._sent,
}
