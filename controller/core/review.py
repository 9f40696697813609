"""The review desk's decisions: what two people must let go on because of a shared number, and who looked at what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import events as e
from controller.core.cards import MOVES, Card, Cause, Decision, State
from controller.core.moves import CardDecided
from controller.core.review_folds import SHARED_NUMBER
from controller.core.review_moves import ApplicationSeen, CardContested
from controller.core.turn import Turn

Args = Mapping[str, int | str]
WAITING = (State.HELD, State.STOPPED)


def contest(turn: Turn, number: int, rival: int) -> None:
    """Keep an open card until two people look, because another person has its number; one on a sheet goes on."""
    card = turn.state.cards.get(number)
    if card is None or needs_two(turn, card):
        return
    stops = (card.state, Cause.STOP) in MOVES
    if stops or card.state in WAITING:
        turn.record(CardContested(number, rival, stops))


def needs_two(turn: Turn, card: Card) -> bool:
    """Say whether one person alone cannot let a card go on: two people share its number."""
    if card.state is State.HELD:
        return SHARED_NUMBER in turn.state.holds.get(card.card, [])
    return card.card in turn.state.contested


def application_looked(turn: Turn, event: e.ApplicationLooked) -> None:
    """Record that a person is about to be shown fields of an application; its batch may be closed long ago."""
    turn.record(ApplicationSeen(event.card, event.fields, event.by, event.reason))


# ---- a shared number ------------------------------------------------------------------------------------------


def _override_why(turn: Turn, args: Args) -> tuple[str, str] | None:
    card = turn.state.cards.get(int(args["card"]))
    if card is None or not (card.state is State.HELD or card.card in turn.state.contested):
        return ("decision.not_held", "this card is not held, nor stopped because two people share its number")
    return None


def _override(turn: Turn, args: Args, by: str, second: str) -> None:
    card = turn.state.card(int(args["card"]))
    decision = Decision.RELEASE if card.state is State.HELD else Decision.RESUME
    turn.record(CardDecided(card.card, decision, by, str(args["reason"]), second))


REVIEW_ACTS: Mapping[str, tuple[Mapping[str, type], Callable[..., None], Callable[..., tuple[str, str] | None]]] = {
    "override": ({"card": int, "reason": str}, _override, _override_why),
}
REVIEW_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.ApplicationLooked: application_looked,
}
