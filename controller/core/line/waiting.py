"""What a card waits for that a person must do; the words are those of `Estimates.waits`."""

from __future__ import annotations

from controller.core.cards import Card, State
from controller.core.line.people_record import HELD, HOLD, OVERRIDE, REPACK, SETTLE, STOPPED
from controller.core.review_folds import SHARED_NUMBER
from controller.core.state import FloorState

_HELD, _STOPPED, _SUSPECT, _GOOD = State.HELD, State.STOPPED, State.SUSPECT, State.GOOD


def word_of(state: FloorState, card: Card) -> str:
    """Give what a card waits for a person to do; empty: it goes on by itself."""
    if card.state is _HELD:
        return OVERRIDE if SHARED_NUMBER in state.holds.get(card.card, ()) else HELD
    if card.state is _STOPPED:
        return OVERRIDE if card.card in state.contested else STOPPED
    if card.state is _SUSPECT:
        return SETTLE
    if card.card in state.card_holds or card.batch_id in state.batch_holds:
        return HOLD
    if card.state is _GOOD and (card.batch_id, card.unit) in state.stopped_piles:
        return REPACK
    return ""
