"""What people hold must go no further: a second opinion on holds, from the durable moves alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

from controller.application import batch_of
from controller.core import hold_moves as h
from controller.core import moves as m
from controller.core.hold_events import BatchHoldAsked, BatchReleaseAsked, CardHoldAsked, CardReleaseAsked
from controller.core.state import FloorState
from sims.storm.errors import Broken
from sims.storm.life import Life

HOLD, HOLD_BATCH, RELEASE = 0.5, 0.1, 0.4  # of each look around


class HeldThings:
    """Follows durable moves.  Raises: Broken: something held was planned, packed or sent."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self._cards: set[int] = set()
        self._batches: set[int] = set()
        self._bundles: dict[int, list[int]] = {}

    def saw(self, move: m.AnyMove) -> None:
        """Take one durable move."""
        if isinstance(move, h.CardHeld):
            self._cards.add(move.card)
            self._seen["card held"] += 1
        elif isinstance(move, h.CardReleased):
            self._cards.remove(move.card)
            self._seen["card let go on"] += 1
        elif isinstance(move, h.BatchHeld):
            self._batches.add(move.batch_id)
            self._seen["batch held"] += 1
        elif isinstance(move, h.BatchReleased):
            self._batches.remove(move.batch_id)
            self._seen["batch let go on"] += 1
        elif isinstance(move, m.SheetImposed | m.EncodeStarted | m.JobStarted):
            self._free("planned", move.cards)
        elif isinstance(move, m.BundleMade):
            self._bundles[move.bundle_id] = move.cards
        elif isinstance(move, m.ConsignmentSent):
            self._free("sent", (card for bundle in move.bundles for card in self._bundles[bundle]))

    def _free(self, what: str, cards: Iterable[int]) -> None:
        for card in filter(None, cards):
            if card in self._cards or batch_of(card) in self._batches:
                raise Broken("holds", f"card {card} is {what}, and a person holds it")


def hold_and_release(life: Life, state: FloorState, luck: Random, by: tuple[str, str], is_calm: bool) -> None:
    """Let one person hold a card or a batch now and then, wherever it is, and another one let it go on."""
    first, second = by
    for card in list(state.card_holds):
        if is_calm or luck.random() < RELEASE:
            life.post(CardReleaseAsked(card, second))
    for batch_id in list(state.batch_holds):
        if is_calm or luck.random() < RELEASE:
            life.post(BatchReleaseAsked(batch_id, second))
    if is_calm or not state.cards:
        return
    card = luck.choice(sorted(state.cards))
    if luck.random() < HOLD:
        life.post(CardHoldAsked(card, "look_closer", first))
    if luck.random() < HOLD_BATCH:
        life.post(BatchHoldAsked(batch_of(card), "recheck", first))
