"""One act about many cards: each is an event and an outcome of its own, in portions that do not keep the floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import trio

from controller import rights
from controller.application import ACCEPTANCE_DIGITS
from controller.core.events import AnyEvent
from controller.core.moves import CardDecided
from controller.core.turn import Turn
from controller.denials import Attempt
from controller.desk.desk import MAX_REASON, Args, BadArgument, Desk, number, text
from controller.desk.quality import CODE

PORTION = 500  # cards of one command; who has more asks again, which is the progress, too
TURNS = 20  # of the foreman, after which others have their turn: some milliseconds
CARD_DIGITS = 15
UNKNOWN = ("decision.no_card", "no card has this number")
Named = int | str


def word(args: Args, name: str = "code") -> str:
    """Give an argument that is a short word: no sentence, so that no person's name gets in.  Raises: BadArgument."""
    code = text(args, name, 32)
    if not CODE.fullmatch(code):
        raise BadArgument(name, "a short word of a-z, 0-9, _, . and -")
    return code


def reason_of(args: Args) -> str:
    """Give the reason of an act; of one about many cards it is a short word.  Raises: BadArgument."""
    return word(args, "reason") if "cards" in args else text(args, "reason", MAX_REASON)


async def each_card(desk: Desk, user: str, verb: str, args: Args, event_of: Callable[[int], AnyEvent]) -> Any:
    """Post an event for the card of `args`, or for each of its `cards`; every outcome is durable when it is told.

    Gives of one card the turn; of many `done`, `failed` (card as it was named, code, text) and `decisions`, by what
    was recorded.  Raises: BadArgument.
    """
    if "cards" not in args:
        return await desk.post(event_of(number(args, "card"))).wait()
    named = _named(args)
    cards = await trio.to_thread.run_sync(_numbers, desk, named)
    turns = await _post_each(desk, [event_of(card) for card in cards if card])
    outcomes = iter(turns)
    failed, decisions, done = [], Counter[str](), 0
    for name, card in zip(named, cards, strict=True):
        turn = next(outcomes) if card else None
        code, why = (turn.refused.code, turn.refused.text) if turn and turn.refused else UNKNOWN
        if turn is None or turn.refused:
            failed.append({"card": name, "code": code, "text": why})
        else:
            done += 1
            decisions.update(str(move.decision) for move in turn.moves if isinstance(move, CardDecided))
    await _note(desk, user, verb, {str(one["code"]) for one in failed})
    return {"done": done, "failed": failed, "decisions": dict(sorted(decisions.items()))}


async def _post_each(desk: Desk, events: Sequence[AnyEvent]) -> list[Turn]:
    tickets = []
    for place, event in enumerate(events, 1):
        tickets.append(desk.post(event))
        if place % TURNS == 0:
            await trio.lowlevel.checkpoint()
    return [await ticket.wait() for ticket in tickets]


async def _note(desk: Desk, user: str, verb: str, codes: set[str]) -> None:
    """Let attempts at what was not theirs leave their rows, as those about single cards do."""
    for code in sorted(codes & rights.AUDITED):
        assert desk.denials is not None, "the service gives every desk its denials"
        await desk.denials.note(Attempt(user, verb, "", code))


def _named(args: Args) -> list[Named]:
    cards = args["cards"]
    if "card" in args or not isinstance(cards, list) or not 1 <= len(cards) <= PORTION:
        raise BadArgument("cards", f"1 to {PORTION} cards, and no `card` beside them")
    for one in cards:
        is_number = type(one) is int and 0 <= one < 2**53
        is_text = isinstance(one, str) and one.isascii() and one.isdigit()
        if not is_number and not (is_text and (len(one) <= CARD_DIGITS or len(one) == ACCEPTANCE_DIGITS)):
            raise BadArgument("cards", "cards' numbers, or applications' 22 digits as text")
    return list(cards)


def _numbers(desk: Desk, named: Sequence[Named]) -> list[int]:
    """Give the number of each card, 0 where no application has these digits; for a worker thread."""
    found = []
    for one in named:
        if isinstance(one, str) and len(one) == ACCEPTANCE_DIGITS:
            rows = desk.ledger.reader.cards_of(one)
            found.append(rows[0].card_id if rows else 0)
        else:
            found.append(int(one))
    return found
