"""A process that fills a real ledger and vault and says what is acknowledged; it is recorded by strace.

`python -m bench.crash_writer FOLDER SEED TURNS full|normal`: the floor's turns are a real foreman's on a whole
simulated floor, beside them batches arrive chunk by chunk and receipts are acknowledged.  Each line of standard
output is one acknowledgement (see `bench.crash_acknowledged`).  Half-way ledger and vault are closed and opened again.
`normal`: with a sync setting that is not durable, so that the test can be seen to see it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

import trio

from bench.crash_acknowledged import UPSTREAM, batch_number, body_of
from controller.core.events import AnyEvent
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.ledger import committer, engine
from controller.ledger.inbox import AcknowledgeReceipts, AnnounceBatch, InboxRow, StoreChunk
from controller.ledger.journal import Recorded
from controller.ledger.store import Ledger, open_ledger
from controller.vault.store import Vault, open_vault
from sims.heap_batches import Batches
from sims.heap_floor import HeapFloor

CARDS, DUE_S = 48, 10 * 86_400.0
WAL_LIMIT_BYTES = 192 * 1024  # so small that checkpoints fall between the commits of a short run
TURNS_A_GROUP = (1, 6)
CHUNK = (1, 5)
CHUNKS = 3  # of a batch
BATCH_EVERY = 8  # groups of turns


class _Floor(HeapFloor):
    """A whole floor in virtual time that keeps its turns."""

    def __init__(self, seed: int) -> None:
        self.turns: list[Recorded] = []
        super().__init__(seed, foreman=Foreman(CoreConfig()))

    def _keep(self, at_floor_s: float, event: AnyEvent, moves: list[AnyMove]) -> None:
        super()._keep(at_floor_s, event, moves)
        self.turns.append(Recorded(at_floor_s, event, moves))


def turns_of(seed: int, wanted: int) -> list[Recorded]:
    """Give the first turns of a floor with a few small batches; all of them start from an empty ledger."""
    floor = _Floor(seed)
    batches = Batches(seed)
    while len(floor.turns) < wanted:
        for _ in range(4):
            floor.submit(batches.next(floor.host.now_floor_s, DUE_S, CARDS))
        floor.run(floor.host.now_floor_s + 6 * 3_600.0)
    return floor.turns[:wanted]


def say(line: str) -> None:
    """Acknowledge: from here on nothing of it may be lost."""
    os.write(1, f"{line}\n".encode("ascii"))


async def move(ledger: Ledger, turns: Iterator[Sequence[Recorded]], done: int) -> None:
    """Record groups of turns, each awaited before the next is begun."""
    for group in turns:
        for recorded in group[:-1]:
            ledger.put(recorded)
        seq = await ledger.record(group[-1])
        done += len(group)
        say(f"turns {done} {seq}")
        if done % 3 == 0:
            _, upto = ledger.reader.receipt_numbers(UPSTREAM)
            say(f"cursor {await ledger.write(AcknowledgeReceipts(UPSTREAM, upto + 5))}")


async def bring(ledger: Ledger, vault: Vault, seed: int, batches: range) -> None:
    """Announce batches and bring their chunks: the bodies into the vault first, as intake does."""
    random = Random(f"chunks {seed} {batches.start}")
    for number in batches:
        sizes = [random.randint(*CHUNK) for _ in range(CHUNKS)]
        text = batch_number(number)
        announced = AnnounceBatch(text, UPSTREAM, "20260401", sum(sizes), "0" * 64, "second", "20260302", 1.0)
        batch = await ledger.write(announced)
        say(f"batch {number} {batch.batch_id}")
        first = 0
        for size in sizes:
            bodies = [(index, body_of(batch.batch_id, index)) for index in range(first, first + size)]
            await vault.store_applications(batch.batch_id, bodies)
            await ledger.write(StoreChunk(batch.batch_id, [_row(index, body) for index, body in bodies]))
            say(f"chunk {batch.batch_id} {first} {size}")
            first += size


def _row(index: int, body: bytes) -> InboxRow:
    digest = sha256(body).digest()
    return InboxRow(index, f"{index:022d}", digest, digest, digest, "520102001", False, "11")


async def write(folder: Path, seed: int, wanted: int) -> None:
    """Fill the folder in two lives."""
    turns = turns_of(seed, wanted)
    random = Random(f"groups {seed}")
    groups: list[Sequence[Recorded]] = []
    at = 0
    while at < len(turns):
        size = random.randint(*TURNS_A_GROUP)
        groups.append(turns[at : at + size])
        at += size
    half, batches = len(groups) // 2, len(groups) // BATCH_EVERY
    lives = ((groups[:half], range(batches // 2)), (groups[half:], range(batches // 2, batches)))
    done = 0
    for some, brought in lives:
        async with open_ledger(folder) as ledger, open_vault(folder) as vault:
            say("open")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(move, ledger, iter(some), done)
                nursery.start_soon(bring, ledger, vault, seed, brought)
        done += sum(map(len, some))


def soften(mode: str) -> None:
    """Make the log small; in `normal` mode also leave out the syncs that make a commit durable."""
    pragmas = [*engine._WRITER_PRAGMAS, f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}"]
    if mode == "normal":
        pragmas.append("PRAGMA synchronous = NORMAL")
    for module, name, value in (
        (engine, "_WRITER_PRAGMAS", tuple(pragmas)),
        (committer, "WAL_LIMIT_BYTES", WAL_LIMIT_BYTES),
        (committer, "_WAL_RETRY_BYTES", WAL_LIMIT_BYTES // 4),
    ):
        if not hasattr(module, name):
            raise AttributeError(f"{module.__name__} has no {name}: the recorded run would not be what it says")
        setattr(module, name, value)


if __name__ == "__main__":
    soften(sys.argv[4])
    trio.run(write, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
