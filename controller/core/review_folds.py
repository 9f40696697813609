"""How the moves about single applications change the state."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any

from controller.core import review_moves as r
from controller.core.cards import Card, Cause, State, rank_of
from controller.core.state import FloorState, Rank

SHARED_NUMBER = "duplicate.shared_number"  # a hold that one person alone cannot lift


def _contested(state: FloorState, at: float, move: r.CardContested) -> None:
    card = state.card(move.card)
    if card.state is State.HELD:
        codes = state.holds[card.card]
        if SHARED_NUMBER not in codes:
            codes.append(SHARED_NUMBER)
        return
    if move.stops:
        state.set_card(card, card.after(Cause.STOP), at)
    state.contested.setdefault(card.card, move.rival)


def _seen(state: FloorState, at: float, move: r.ApplicationSeen) -> None:
    """Do nothing: it is recorded for the audit."""


def _hastened(state: FloorState, at: float, move: r.CardHastened) -> None:
    card = state.card(move.card)
    _rank_anew(state, card, rank_of(card.card, card.generation, True, move.due_floor_s, card.batch_id, card.unit))
    card.express, card.due_floor_s = True, move.due_floor_s
    state.batch(card.batch_id).express += 1


def _rank_anew(state: FloorState, card: Card, rank: Rank) -> None:
    """Give a card that is on no sheet another place in the order of taking."""
    queue: list[Rank] = []
    if card.state is State.ACCEPTED:
        queue = state.unencoded
    elif card.state is State.READY:
        queue = state.ready.get(state.batch(card.batch_id).card_kind, [])
    place = bisect_left(queue, card.rank)
    if place < len(queue) and queue[place] == card.rank:  # else an encoder has it, or a person holds it
        del queue[place]
        insort(queue, rank)
    card.rank = rank


REVIEW_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    r.CardContested: _contested,
    r.ApplicationSeen: _seen,
    r.CardHastened: _hastened,
}
