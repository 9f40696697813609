"""Verbs of stock: counts, shifts, supplies and what they are good for, and what has no closing event yet."""

from __future__ import annotations

from typing import Any

import structlog

from controller.clock import floor_text
from controller.core.events import CountTaken, SupplyEntered
from controller.core.moves import AnyMove, CardMissing, Mark, PositionsMarked
from controller.core.open_ends import open_ends
from controller.core.stock import VAULT
from controller.core.stock_moves import BlanksLost, BodiesLost
from controller.core.stocktaking import uncounted
from controller.core.supply import kind_refusal
from controller.desk.desk import Args, BadArgument, Desk, Verb, number, text
from controller.desk.rights import sees_stock

MAX_NAME = 32
MAX_LOT = 64
MAX_UNITS = 1_000_000  # sheets; more is a slip of the pen
log = structlog.get_logger()


def alarm(move: AnyMove) -> None:
    """Raise the alarm for blanks that two people could not find: serials and places, nothing else."""
    if isinstance(move, CardMissing):
        log.error("blank.missing", card=move.card, blank=move.blank)
    elif isinstance(move, BlanksLost):
        log.error("blank.missing", blank=move.blank)
    elif isinstance(move, BodiesLost):
        log.error("bodies.missing", place=move.station or VAULT, first_body=move.first_body, sheets=move.sheets)
    elif isinstance(move, PositionsMarked) and move.mark is Mark.FOUND_MISSING:
        log.error("blank.missing", sheet_id=move.sheet_id, mask=move.mask)


async def _count(desk: Desk, user: str, args: Args) -> Any:
    turn = await desk.post(CountTaken(text(args, "place", MAX_NAME), number(args, "counted"), user)).wait()
    return turn if turn.refused else {"recorded": args["place"]}  # whether it agrees, no one person is told


async def _shift(desk: Desk, user: str, args: Args) -> Any:
    return shift_row(desk)


def shift_row(desk: Desk) -> dict[str, Any]:
    """Give since when the shift runs, and which places were counted in it."""
    stock = desk.state.stock
    return {
        "began_floor_s": stock.shift_floor_s,
        "began": floor_text(stock.shift_floor_s) if stock.shift_floor_s else "with the ledger",
        "closed": desk.state.last_id["shift"],
        "counted": sorted(stock.counts),
        "not_counted": uncounted(stock),
    }


async def _load(desk: Desk, user: str, args: Args) -> Any:
    station, kind, lot = text(args, "station", MAX_NAME), text(args, "kind", MAX_NAME), text(args, "lot", MAX_LOT)
    units = number(args, "units")
    if units > MAX_UNITS:
        raise BadArgument("units", f"the sheets the lot is good for, 0 to {MAX_UNITS:,}")
    known = desk.state.stations.get(station)
    refused = kind_refusal(known.step, kind) if known else None
    if refused:
        return refused
    return await desk.post(SupplyEntered(station, kind, lot, units, user)).wait()


async def _supplies(desk: Desk, user: str, args: Args) -> Any:
    return supply_rows(desk)


def supply_rows(desk: Desk) -> list[dict[str, Any]]:
    """Give the lot of each kind that every station works from."""
    return [
        {"station": station, "kind": kind, "lot": supply.lot, "units": supply.units}
        for station, supplies in sorted(desk.state.stock.supplies.items())
        for kind, supply in sorted(supplies.items())
    ]


async def _open_ends(desk: Desk, user: str, args: Args) -> Any:
    now, found = desk.clock.now_floor_s(), open_ends(desk.state, desk.tally.since, sees_stock(desk, user))
    rows = [
        {
            "kind": one.kind,
            "name": one.name,
            "since_floor_s": one.since_floor_s,
            "age_hours": round(max(0.0, now - one.since_floor_s) / 3_600, 1),
        }
        for one in found.rows
    ]
    return {"counts": found.counts, "rows": rows}


VERBS: dict[str, Verb] = {
    "count": _count,
    "shift": _shift,
    "load": _load,
    "supplies": _supplies,
    "open_ends": _open_ends,
}
