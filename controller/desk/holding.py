"""Verbs by which a person holds cards and batches, lets them go on, sees what is held, and has cards go first."""

from __future__ import annotations

from itertools import islice
from typing import Any

from controller.core.events import ExpressAsked
from controller.core.hold_events import BatchHoldAsked, BatchReleaseAsked, CardHoldAsked, CardReleaseAsked
from controller.core.holds import CardHold
from controller.core.state import Batch
from controller.core.turn import Refused
from controller.desk.desk import Args, Desk, Verb, text
from controller.desk.many import each_card, reason_of, word

ROWS = 1_000
BATCH_NUMBER = 64  # characters: 25 digits, and what stands behind them when a card came back or was corrected


async def _hold_card(desk: Desk, user: str, args: Args) -> Any:
    code = word(args)
    return await each_card(desk, user, "hold_card", args, lambda card: CardHoldAsked(card, code, user))


async def _release_card(desk: Desk, user: str, args: Args) -> Any:
    return await each_card(desk, user, "release_card", args, lambda card: CardReleaseAsked(card, user))


async def _hold_batch(desk: Desk, user: str, args: Args) -> Any:
    code, batch = word(args), batch_named(desk, args)
    if batch is None:
        return Refused("hold.no_batch", "no open batch has this number: see `cardmill batches`")
    return await desk.post(BatchHoldAsked(batch.batch_id, code, user)).wait()


async def _release_batch(desk: Desk, user: str, args: Args) -> Any:
    batch = batch_named(desk, args)
    if batch is None:
        return Refused("hold.not_held", "nobody holds this batch: see `cardmill card-holds`")
    return await desk.post(BatchReleaseAsked(batch.batch_id, user)).wait()


async def _express(desk: Desk, user: str, args: Args) -> Any:
    reason = reason_of(args)
    return await each_card(desk, user, "express", args, lambda card: ExpressAsked(card, user, reason))


async def _card_holds(desk: Desk, user: str, args: Args) -> Any:
    """Give what people hold, at most so many rows of each kind, the oldest first."""
    state, now = desk.state, desk.clock.now_floor_s()
    batches = [
        {"batch_number": state.batches[one].batch_number, "cards": len(state.batches[one].cards), **_row(hold, now)}
        for one, hold in islice(state.batch_holds.items(), ROWS)
    ]
    cards = []
    for number, hold in islice(state.card_holds.items(), ROWS):
        card = state.cards[number]
        batch_number = state.batches[card.batch_id].batch_number
        cards.append(
            {"card": number, "batch_number": batch_number, "state": card.state.value, **_row(hold, now)},
        )
    counts = {"batches_held": len(state.batch_holds), "cards_held": len(state.card_holds)}
    return counts | {"batches": batches, "cards": cards}


def _row(hold: CardHold, now_floor_s: float) -> dict[str, Any]:
    age_s = max(0.0, now_floor_s - hold.since_floor_s)
    return {"code": hold.code, "by": hold.by, "since_floor_s": hold.since_floor_s, "age_s": age_s}


def batch_named(desk: Desk, args: Args) -> Batch | None:
    """Give the open batch that `batch_number` names.  Raises: BadArgument."""
    wanted = text(args, "batch_number", BATCH_NUMBER)
    return next((one for one in desk.state.batches.values() if one.batch_number == wanted), None)


VERBS: dict[str, Verb] = {
    "hold_card": _hold_card,
    "release_card": _release_card,
    "hold_batch": _hold_batch,
    "release_batch": _release_batch,
    "card_holds": _card_holds,
    "express": _express,
}
