"""Express asked for later: an application that is not on a sheet yet goes before the others from now on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core.calendar import calendar_of
from controller.core.cards import State
from controller.core.remakes import EXPRESS_DAYS
from controller.core.review_moves import CardHastened
from controller.core.turn import Turn

BEFORE_SHEET = frozenset({State.HELD, State.ACCEPTED, State.READY, State.STOPPED})


def _express_asked(turn: Turn, event: e.ExpressAsked) -> None:
    card = turn.state.cards.get(event.card)
    if card is None:
        turn.refuse("decision.no_card", "no open card has this number")
        return
    if card.express:
        return  # asked again, or sent so: the same answer
    if card.state not in BEFORE_SHEET:
        turn.refuse("decision.too_late", f"the card is {card.state}: what is on a sheet goes with it")
        return
    working = calendar_of(turn.config.calendar)
    due_floor_s = min(card.due_floor_s, working.end_of_working_day(turn.now_floor_s, EXPRESS_DAYS))
    turn.record(CardHastened(card.card, due_floor_s, event.by, event.reason))


EXPRESS_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {e.ExpressAsked: _express_asked}
