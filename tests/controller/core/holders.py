"""People of a rough floor who hold cards and batches at any moment, and what must be true of what they hold."""

from __future__ import annotations

import random
from collections import Counter

from controller.core.cards import FINAL, IN_MAKING
from controller.core.events import AnyEvent
from controller.core.hold_events import BatchHoldAsked, BatchReleaseAsked, CardHoldAsked, CardReleaseAsked
from controller.core.hold_moves import BatchHeld, BatchReleased, CardHeld, CardReleased
from controller.core.moves import AnyMove, BundleMade, ConsignmentSent, SheetImposed
from controller.core.state import MOVING, FloorState


class Holders:
    """Luck of their own, and what they hold, by the moves alone."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed + 2)
        self._held: set[int] = set()  # cards, and below zero batches
        self._bundles: dict[int, list[int]] = {}

    def ask(self, state: FloorState, trouble: float) -> AnyEvent | None:
        """Give what one of them wants now, of whatever card or batch; None: nothing."""
        if not state.cards or self.luck.random() > trouble:
            return None
        card = self.luck.choice(sorted(state.cards))
        batch = state.cards[card].batch_id
        asked = (
            *(CardHoldAsked(card, "look", "ann"), CardReleaseAsked(card, "bob")),
            *(BatchHoldAsked(batch, "look", "ann"), BatchReleaseAsked(batch, "bob")),
        )
        return self.luck.choice(asked)

    def saw(self, move: AnyMove) -> None:
        """Raise AssertionError where a move plans or sends something held."""
        if isinstance(move, CardHeld):
            self._held.add(move.card)
        elif isinstance(move, CardReleased):
            self._held.discard(move.card)
        elif isinstance(move, BatchHeld):
            self._held.add(-move.batch_id)
        elif isinstance(move, BatchReleased):
            self._held.discard(-move.batch_id)
        elif isinstance(move, BundleMade):
            self._bundles[move.bundle_id] = move.cards
        elif isinstance(move, ConsignmentSent):
            assert -move.batch_id not in self._held, "a held batch was sent"
            assert self._held.isdisjoint(card for bundle in move.bundles for card in self._bundles[bundle])
        elif isinstance(move, SheetImposed):
            assert self._held.isdisjoint([*move.cards, *(-(card // 10_000) for card in move.cards if card)])


def check_holds(state: FloorState) -> None:
    """Raise AssertionError where what is held is waited for, or what is over stays held."""
    assert state.card_holds.keys() <= state.cards.keys()
    assert state.batch_holds.keys() <= state.batches.keys()
    held = Counter(card.batch_id for card in map(state.card, state.card_holds) if card.state in MOVING)
    assert all(batch.held == held[batch.batch_id] for batch in state.batches.values())
    assert not any(state.cards[one].state in FINAL for one in state.card_holds)
    free = [one for one in state.cards.values() if one.state in IN_MAKING and one.card not in state.card_holds]
    assert state.making == Counter((one.batch_id, one.unit) for one in free)
