"""Verbs of packing and dispatch: stopped piles, consignments, arrivals."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import trio

from controller.core.events import ArrivalReported, DispatchAsked
from controller.desk.desk import AllBefore, Args, BadArgument, Desk, Verb, number, text


async def _piles(desk: Desk, user: str, args: Args) -> Any:
    return [
        {
            "batch_id": batch_id,
            "unit": unit,
            "stations": list(pile.stations),
            "cards": list(pile.cards),
            "missing": list(pile.missing),
            "foreign": list(pile.foreign),
        }
        for (batch_id, unit), pile in sorted(desk.state.stopped_piles.items())
    ]


async def _consignments(desk: Desk, user: str, args: Args) -> Any:
    rows = await trio.to_thread.run_sync(desk.ledger.reader.sent)
    return [asdict(row) | {"difference": row.difference()} for row in rows]


async def _dispatch(desk: Desk, user: str, args: Args) -> Any:
    wanted = text(args, "batch_number", 64)
    batch = next((one for one in desk.state.batches.values() if one.batch_number == wanted), None)
    if batch is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("batch_number", "the number of an open batch")
    return await desk.post(DispatchAsked(batch.batch_id, user)).wait()


async def _arrived(desk: Desk, user: str, args: Args) -> Any:
    consignment, unit, cards = number(args, "consignment_id"), text(args, "unit", 32), number(args, "cards")
    rows = await trio.to_thread.run_sync(desk.ledger.reader.sent, consignment)
    row = next((one for one in rows if one.unit == unit), None)
    if row is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("unit", "a police station that a consignment of this number was for")
    turn = await desk.post(ArrivalReported(consignment, unit, row.sent, cards, user)).wait()
    difference = cards - row.sent
    counted = {"consignment_id": consignment, "unit": unit, "sent": row.sent, "arrived": cards}
    return turn if turn.refused else counted | {"difference": difference}


VERBS: dict[str, Verb] = {
    "piles": _piles,
    "consignments": _consignments,
    "dispatch": _dispatch,
    "arrived": _arrived,
}
