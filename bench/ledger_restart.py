"""How a service starts on a ledger full of open work: from a snapshot and the moves after it, or from the moves."""

from __future__ import annotations

import gc
from pathlib import Path
from time import perf_counter
from typing import Any

import trio

from bench.ledger_paths import Ours
from bench.ledger_stream import grouped, moves_in, turns_with
from bench.result import median_and_spread
from controller.config import Config
from controller.ledger.snapshot import StoreSnapshot
from controller.ledger.store import ledger_place, open_ledger
from controller.upkeep.books import Folded, code_of, encode_books, open_books
from controller.upkeep.snapshots import EVERY_MOVES

GROUP = 5_000  # moves of a commit here: the ledger is only to be there
STARTS = 3


def restarts(folder: Path, moves: int) -> dict[str, Any]:
    """Write `moves` moves of work that stays open, as many after a snapshot as the service lets come, and start.

    Before the snapshot there is one start without it, which gives the speed of a replay.
    """
    tail, written = min(moves // 10, EVERY_MOVES), 0
    groups = grouped(turns_with(moves, auto_dispatch=False), min(GROUP, max(1, tail // 10)))
    result: dict[str, Any] = {}
    ours = _open(folder)
    for group in groups:
        ours.write(group)
        ours.checkpoint_if_large()
        written += moves_in(group)
        if not result and written >= moves - tail:
            ours.close()
            result = trio.run(_fold_and_keep, folder)
            ours = _open(folder)
    ours.close()
    starts = []
    for _ in range(STARTS):
        gc.collect()
        taken_s, opened = trio.run(_start, folder)
        starts.append(taken_s)
    cards = len(opened.books.foreman.state.cards)
    restart = {"moves": opened.seq, "tail_moves": opened.moves, "open_cards": cards}
    return result | {"restart_s": median_and_spread(starts), "restart": restart}


def _open(folder: Path) -> Ours:
    return Ours(ledger_place(folder).writer())


async def _start(folder: Path) -> tuple[float, Folded]:
    """Open the ledger and its books as the service does; give the seconds."""
    start_s = perf_counter()
    async with open_ledger(folder) as ledger:
        opened = await trio.to_thread.run_sync(open_books, ledger, Config())
        return perf_counter() - start_s, opened


async def _fold_and_keep(folder: Path) -> dict[str, Any]:
    config = Config()
    async with open_ledger(folder) as ledger:
        start_s = perf_counter()
        opened = await trio.to_thread.run_sync(open_books, ledger, config)
        folded_s = perf_counter() - start_s
        body = encode_books(opened.books)
        encoded_s = perf_counter() - start_s - folded_s
        await ledger.write(StoreSnapshot(opened.seq, code_of(config), body))
    snapshot = {"moves": opened.seq, "size_bytes": len(body), "encode_s": encoded_s}
    return {"replay_moves_per_s": opened.moves / folded_s, "snapshot": snapshot}
