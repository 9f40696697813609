"""Verbs of trace and recall: what a station touched, and all that happened to one card."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import trio

from controller.application import ACCEPTANCE_DIGITS, batch_of
from controller.core.turn import Refused
from controller.desk.desk import Args, BadArgument, Desk, Verb, number, text
from controller.trace.card import past, trace_card
from controller.trace.found import found_by
from controller.trace.station import ROWS_MAX, trace_station
from controller.trace.told import receipts_about

NAME = 64


async def _trace(desk: Desk, user: str, args: Args) -> Any:
    if "station" in args:
        return await _station(desk, args)
    if "find" in args:
        return await _find(desk, args)
    thing = text(args, "card", ACCEPTANCE_DIGITS)
    cards = await cards_named(desk, thing)
    history = await trio.to_thread.run_sync(trace_card, desk.ledger.reading, cards[0]) if cards else None
    if history is None:
        return Refused("trace.unknown", "no card has this number: say a card's number, or an application's 22 digits")
    batch = await trio.to_thread.run_sync(desk.ledger.reader.batch, batch_of(cards[0]))
    assert batch is not None, "a card's batch has its verdicts"
    times = {batch.decided_floor_s, *(one.at_floor_s for one in history.happened)}
    about = (desk.ledger.reading, batch.upstream, cards[0], times)
    receipts = await trio.to_thread.run_sync(receipts_about, *about)
    rest = {"purged_floor_s": batch.purged_floor_s, "upstream": batch.upstream, "receipts": receipts}
    is_over = cards[0] not in desk.state.cards
    rest["past"] = asdict(past(history, desk.clock.now_floor_s())) if is_over else None
    return history.as_json() | {"other_cards": cards[1:], **rest}


async def _find(desk: Desk, args: Args) -> Any:
    typed = text(args, "find", NAME)
    if not (typed.isascii() and typed.isdigit()):
        raise BadArgument("find", "digits: of an application, a batch, a card or a blank")
    return {"found": await trio.to_thread.run_sync(found_by, desk.ledger.reading, typed)}


async def _station(desk: Desk, args: Args) -> Any:
    station, begin, end = text(args, "station", NAME), _time(args, "from_floor_s"), _time(args, "to_floor_s")
    if begin >= end:
        raise BadArgument("to_floor_s", "a time after from_floor_s")
    after = number(args, "after") if "after" in args else 0
    rows = number(args, "rows") if "rows" in args else ROWS_MAX
    if not 1 <= rows <= ROWS_MAX:
        raise BadArgument("rows", f"of one page, 1 to {ROWS_MAX:,}; a page has at least one whole load")
    if station not in desk.state.stations:
        return Refused("trace.unknown", "no station of this name ever said hello: see `cardmill stations`")
    page = await trio.to_thread.run_sync(trace_station, desk.ledger.reading, station, begin, end, after, rows)
    return page.as_json()


async def cards_named(desk: Desk, thing: str) -> list[int]:
    """Give the cards of an acceptance number, newest first, or the one card of a number."""
    if not (thing.isascii() and thing.isdigit()):
        raise BadArgument("card", "a card's number, or the 22 digits of an application")
    if len(thing) < ACCEPTANCE_DIGITS:
        return [int(thing)] if len(thing) <= 18 else []
    rows = await trio.to_thread.run_sync(desk.ledger.reader.cards_of, thing)
    return [row.card_id for row in rows]


def _time(args: Args, name: str) -> float:
    value = args.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadArgument(name, "a time in floor seconds")
    return float(value)


VERBS: dict[str, Verb] = {"trace": _trace}
