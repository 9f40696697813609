"""Verbs of the purge: what it would take, and how far one is that is under way."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import trio

from controller.core.record_keeping import DAY_S
from controller.desk.desk import Args, Desk, Verb, number
from controller.ledger.purge_rows import PurgeReader


async def _purge_preview(desk: Desk, user: str, args: Args) -> Any:
    least = desk.core.vault.retention_days
    days = number(args, "days") if "days" in args else least
    before = desk.clock.now_floor_s() - days * DAY_S
    due = await trio.to_thread.run_sync(PurgeReader(desk.ledger.reading).summary, before)
    return {"days": days, "retention_days": least, "closed_before_floor_s": before} | asdict(due)


async def _purges(desk: Desk, user: str, args: Args) -> Any:
    reader, under_way = PurgeReader(desk.ledger.reading), dict(desk.state.purges)
    return [
        {
            "purge_id": purge_id,
            "closed_before_floor_s": before,
            "batches_left": await trio.to_thread.run_sync(reader.left, before),
        }
        for purge_id, before in sorted(under_way.items())
    ]


VERBS: dict[str, Verb] = {
    "purge_preview": _purge_preview,
    "purges": _purges,
}
