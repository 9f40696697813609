"""Holds by people: a card or a batch that is planned, packed and sent no further until a person releases it.

A hold is a mark beside the state, not a state: what upstream was told stays true, a card on a sheet goes on to
inspection with its sheet, and whatever comes off it lies apart.  Nobody waits for a held card: its pile is packed and
its batch sent without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import hold_events as e
from controller.core import hold_moves as m
from controller.core.cards import FINAL
from controller.core.turn import Turn

NOT_OPEN = (
    "it never was, or it ended and left: what left is stopped at its police station, and comes back by `card-back`"
)


def _hold_card(turn: Turn, event: e.CardHoldAsked) -> None:
    card = turn.state.cards.get(event.card)
    if card is None:
        turn.refuse("hold.no_card", f"no open card has this number: {NOT_OPEN}")
    elif card.state in FINAL:
        turn.refuse("hold.too_late", f"the card is {card.state}: {NOT_OPEN}")
    elif card.card in turn.state.card_holds:
        held = turn.state.card_holds[card.card]
        turn.refuse("hold.held", f"{held.by} holds this card already, for {held.code}: see `cardmill card-holds`")
    else:
        turn.record(m.CardHeld(card.card, event.code, event.by))


def _release_card(turn: Turn, event: e.CardReleaseAsked) -> None:
    if event.card in turn.state.card_holds:
        turn.record(m.CardReleased(event.card, event.by))
        return
    card = turn.state.cards.get(event.card)
    of_batch = card is not None and card.batch_id in turn.state.batch_holds
    why = "its whole batch is held: use `cardmill release-batch`" if of_batch else "see `cardmill card-holds`"
    turn.refuse("hold.not_held", f"nobody holds this card by itself; {why}")


def _hold_batch(turn: Turn, event: e.BatchHoldAsked) -> None:
    if event.batch_id not in turn.state.batches:
        turn.refuse("hold.no_batch", "no open batch has this number: see `cardmill batches`")
    elif event.batch_id in turn.state.batch_holds:
        held = turn.state.batch_holds[event.batch_id]
        turn.refuse("hold.held", f"{held.by} holds this batch already, for {held.code}: see `cardmill card-holds`")
    else:
        turn.record(m.BatchHeld(event.batch_id, event.code, event.by))


def _release_batch(turn: Turn, event: e.BatchReleaseAsked) -> None:
    if event.batch_id in turn.state.batch_holds:
        turn.record(m.BatchReleased(event.batch_id, event.by))
    else:
        turn.refuse("hold.not_held", "nobody holds this batch: see `cardmill card-holds`")


HOLD_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.CardHoldAsked: _hold_card,
    e.CardReleaseAsked: _release_card,
    e.BatchHoldAsked: _hold_batch,
    e.BatchReleaseAsked: _release_batch,
}
