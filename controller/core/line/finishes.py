"""When batches and their police stations are finished: a fold of moves, for pretend lines and for the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from controller.core import moves as m
from controller.core.cards import FINAL, Card, Decision, State
from controller.core.fold import CARDS_PER_BATCH
from controller.core.line.waiting import word_of
from controller.core.quality_moves import BundleOpened
from controller.core.state import FloorState, Pile

FINISH_MOVES: tuple[type, ...] = (m.BundleMade, m.CardDecided, BundleOpened)
ENDING = frozenset({Decision.REFUSE, Decision.CANCEL, Decision.REFUSE_LATE, Decision.CORRECT})


class Finishes:
    """Watches the batches that were open at a moment; one is finished when its last card that is to be made is bundled.

    A batch or pile that is opened again afterwards is finished later.
    """

    def __init__(self, state: FloorState) -> None:
        """Begin with what is open now; the state is not kept."""
        self.batches: dict[int, float | None] = {}
        self.piles: dict[Pile, float | None] = {}
        self.others: dict[int, float | None] = {}  # batches of which some wait for people: when the rest is finished
        self.waiting: Counter[tuple[int, str]] = Counter()  # batch, what its cards wait for people to do
        self._waiting: set[int] = set()
        self._left_of_others: Counter[int] = Counter()
        self.made: list[tuple[float, int]] = []  # (when, cards of a bundle), of any batch
        self._left: Counter[Pile] = Counter()
        self._left_of: Counter[int] = Counter()
        self._unit: dict[int, str] = {}
        self._bundles: dict[int, list[int]] = {number: list(cards) for number, (_, cards) in state.bundles.items()}
        for card in state.cards.values():
            if card.state not in FINAL:
                self._unit[card.card] = card.unit
                if card.state is not State.MADE:
                    self._left[card.batch_id, card.unit] += 1
                    self._left_of[card.batch_id] += 1
                    self._ask_who_waits(state, card)
        self.batches = dict.fromkeys(self._left_of)
        self.piles = dict.fromkeys(self._left)
        waiting = {batch_id for batch_id, _ in self.waiting}
        self.others = {batch_id: None for batch_id in self.batches if batch_id in waiting & self._left_of_others.keys()}
        self._open = len(self.batches)

    def _ask_who_waits(self, state: FloorState, card: Card) -> None:
        word = word_of(state, card)
        if word:
            self.waiting[card.batch_id, word] += 1
            self._waiting.add(card.card)
        else:
            self._left_of_others[card.batch_id] += 1

    def is_over(self, watched: Collection[int] | None = None) -> bool:
        """Say whether every batch is finished, or every one of those that are watched."""
        if watched is None:
            return not self._open
        return all(self.batches.get(batch_id, 0.0) is not None for batch_id in watched)

    def left(self) -> int:
        """Give the cards of these batches that are to be bundled yet."""
        return sum(self._left_of[batch_id] for batch_id in self.batches)

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Take one move; those that are not of `FINISH_MOVES` finish nothing."""
        if isinstance(move, m.BundleMade):
            self.made.append((at_floor_s, len(move.cards)))
            self._bundles[move.bundle_id] = move.cards
            self._count(move.cards, -1, at_floor_s)
        elif isinstance(move, m.CardDecided) and move.decision in ENDING:
            self._count([move.card], -1, at_floor_s)
        elif isinstance(move, BundleOpened):
            self._count(self._bundles.get(move.bundle_id, []), 1, at_floor_s)

    def _count(self, cards: Iterable[int], by: int, at_floor_s: float) -> None:
        for card in cards:
            unit, batch_id = self._unit.get(card), card // CARDS_PER_BATCH
            if unit is None:
                continue
            pile = (batch_id, unit)
            self._left[pile] += by
            self._left_of[batch_id] += by
            if batch_id in self.others and card not in self._waiting:
                self._left_of_others[batch_id] += by
                self.others[batch_id] = None if self._left_of_others[batch_id] else at_floor_s
            if pile in self.piles:
                self.piles[pile] = None if self._left[pile] else at_floor_s
            if batch_id in self.batches:
                was, now = self.batches[batch_id], None if self._left_of[batch_id] else at_floor_s
                self.batches[batch_id] = now
                self._open += (now is None) - (was is None)
