"""A process that records one floor's moves without end and says what is durable; it is there to be killed.

`python -m tests.controller.ledger.appender FOLDER SEED [singly [normal]] [URL]` goes on where the ledger in FOLDER, or
in the PostgreSQL database URL, ends and prints a line `EVENTS MOVES` for each commit it is told of.  `singly`: each
event waits for the one before; `normal`: with a sync setting that is not durable, to see that a test can see it.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path

import trio

from controller.ledger import engine
from controller.ledger.store import open_ledger
from tests.controller.ledger.floor import SmallFloor

STEPS = 1_000_000


async def append(folder: Path, seed: int, singly: bool, url: str) -> None:
    """Record what comes after the ledger's end, a few events at a time."""
    async with open_ledger(folder, url=url) as ledger:
        events, moves = sum(1 for _ in ledger.events()), ledger.head.seq
        for recorded in islice(SmallFloor(seed, rows_max=6).run(STEPS), events, None):
            events, moves = events + 1, moves + len(recorded.moves)
            line = b"%d %d\n" % (events, moves)
            if events % 40 and not singly:
                ledger.put(recorded, lambda line=line: os.write(1, line))
            else:  # so that it never runs far ahead of the disk
                await ledger.record(recorded)
                os.write(1, line)
            if events % 5 == 0:
                await trio.lowlevel.checkpoint()


if __name__ == "__main__":
    modes = sys.argv[3:]
    if "normal" in modes:
        engine._WRITER_PRAGMAS = (*engine._WRITER_PRAGMAS, "PRAGMA synchronous = NORMAL")
    place = next((mode for mode in modes if mode.startswith("postgresql://")), "")
    trio.run(append, Path(sys.argv[1]), int(sys.argv[2]), "singly" in modes, place)
