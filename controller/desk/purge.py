"""Verbs of the purge: what it would take, and how far one is that is under way."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import trio

from controller.core.calendar import DAY_S
from controller.desk.desk import Args, BadArgument, Desk, Verb, number
from controller.ledger.purge_rows import PurgeReader

DAYS_MAX = 36_500  # a century


async def _purge_preview(desk: Desk, user: str, args: Args) -> Any:
    least = desk.core.vault.retention_days
    days = number(args, "days") if "days" in args else least
    if days > DAYS_MAX:
        raise BadArgument("days", f"a whole number from vault.retention_days ({least:,}) to {DAYS_MAX:,}")
    before = desk.clock.now_floor_s() - days * DAY_S
    due = await trio.to_thread.run_sync(PurgeReader(desk.ledger.reading).summary, before)
    return {"days": days, "retention_days": least, "closed_before_floor_s": before} | asdict(due)


async def _purges(desk: Desk, user: str, args: Args) -> Any:
    reader, with_done = PurgeReader(desk.ledger.reading), "done" in args and number(args, "done") > 0
    under_way = await _under_way(desk, reader)
    if not with_done:
        return under_way
    done = await trio.to_thread.run_sync(reader.done)
    return {"under_way": under_way, "done": [asdict(day) for day in done]}


async def _under_way(desk: Desk, reader: PurgeReader) -> list[dict[str, Any]]:
    return [
        {
            "purge_id": purge_id,
            "closed_before_floor_s": before,
            "batches_left": await trio.to_thread.run_sync(reader.left, before),
        }
        for purge_id, before in sorted(dict(desk.state.purges).items())
    ]


VERBS: dict[str, Verb] = {
    "purge_preview": _purge_preview,
    "purges": _purges,
}
