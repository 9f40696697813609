"""How holds of cards and batches change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import hold_moves as m
from controller.core.cards import Card, State
from controller.core.errors import UnknownThing
from controller.core.holds import CardHold
from controller.core.queue import enter
from controller.core.state import MOVING, FloorState


def _card_held(state: FloorState, at: float, move: m.CardHeld) -> None:
    card = state.card(move.card)
    if not state.is_held(card):
        _take_out(state, card)
    state.card_holds[card.card] = CardHold(move.code, at, move.by)
    _count(state, card, 1)


def _card_released(state: FloorState, at: float, move: m.CardReleased) -> None:
    if state.card_holds.pop(move.card, None) is None:
        raise UnknownThing(f"no hold of card {move.card}")
    card = state.card(move.card)
    _count(state, card, -1)
    if not state.is_held(card):
        _put_back(state, [card])


def _batch_held(state: FloorState, at: float, move: m.BatchHeld) -> None:
    batch = state.batch(move.batch_id)
    state.batch_holds[batch.batch_id] = CardHold(move.code, at, move.by)
    for queue in (state.unencoded, *state.ready.values()):
        queue[:] = [rank for rank in queue if rank[3] != batch.batch_id]
    for pile in [pile for pile in state.piles if pile[0] == batch.batch_id]:
        del state.piles[pile]
        state.ripen(pile)


def _batch_released(state: FloorState, at: float, move: m.BatchReleased) -> None:
    if state.batch_holds.pop(move.batch_id, None) is None:
        raise UnknownThing(f"no hold of batch {move.batch_id}")
    cards = (state.cards[number] for number in state.batch(move.batch_id).cards)
    _put_back(state, [card for card in cards if card.card not in state.card_holds])


def _count(state: FloorState, card: Card, held: int) -> None:
    """Count a card's own hold, 1 or -1: while it is held nobody waits for it."""
    if card.state in MOVING:
        state.batch(card.batch_id).held += held
    state.count_making(card, held)


def _take_out(state: FloorState, card: Card) -> None:
    """Take a card out of the queue that it waits in; a stopped pile it stays on, until two people looked through it."""
    if card.state is State.ACCEPTED:
        state.take_unencoded([card])
    elif card.state is State.READY:
        state.take_ready([card])
    elif card.state is State.GOOD and (card.batch_id, card.unit) not in state.stopped_piles:
        state.take_from_piles([card])


def _put_back(state: FloorState, cards: list[Card]) -> None:
    """Let cards wait again where they would; what an encoder or a packer has comes back from there."""
    encoding = {number for numbers in state.encode_jobs.values() for number in numbers}
    accepted = [card for card in cards if card.state is State.ACCEPTED and card.card not in encoding]
    enter(state.unencoded, [card.rank for card in accepted])
    ready = [card for card in cards if card.state is State.READY]
    if ready:
        kind = state.batch(ready[0].batch_id).card_kind
        enter(state.ready.setdefault(kind, []), [card.rank for card in ready])
    packing = {number for job in state.jobs.values() for number in job.cards}
    for card in cards:
        if card.state is State.GOOD and card.card not in packing:
            stopped = state.stopped_piles.get((card.batch_id, card.unit))
            if stopped is None or card.card not in stopped.cards:
                state.put_on_piles([card])


HOLD_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.CardHeld: _card_held,
    m.CardReleased: _card_released,
    m.BatchHeld: _batch_held,
    m.BatchReleased: _batch_released,
}
