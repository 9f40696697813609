"""Power cuts of the real ledger and vault: a recorded run, cut at many moments, opened again each time and compared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from sqlalchemy import Connection, Table, select

import bench
from bench.crash_acknowledged import UPSTREAM, Acknowledged, batch_number, body_of
from bench.crash_disk import Disk
from bench.crash_trace import STRACE, Deed, Said, SyncEnded, deeds_in
from controller.ledger import tables
from controller.ledger.chain import GENESIS, event_link, link
from controller.ledger.errors import LedgerError
from controller.ledger.store import DATABASE_NAME, Ledger, open_ledger
from controller.vault.errors import VaultError
from controller.vault.store import Vault, open_vault

FULL, NORMAL = "full", "normal"
FAST_DISK = Path("/dev/shm")  # noqa: S108  in memory, where there is one: rebuilt files are many and short-lived
RECORD_WITHIN_S = 300.0
VERIFIED_EVERY = 25  # cuts whose state is folded anew too
EXAMPLES_MAX = 5

Hashes = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run of the writer: its deeds in order, and the hash of every move and event it wrote."""

    deeds: Sequence[Deed]
    moves: Hashes
    events: Hashes


@dataclass(slots=True)
class Cuts:
    """What the cuts of one recording showed."""

    cuts: int = 0
    lost: int = 0  # cuts after which something acknowledged was missing, or the ledger was not whole
    acknowledged: int = 0  # things, over all cuts
    checkpoints: int = 0  # syncs of the database file itself
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, other: Cuts) -> None:
        """Take in what another recording showed."""
        self.cuts, self.lost = self.cuts + other.cuts, self.lost + other.lost
        self.acknowledged += other.acknowledged
        self.checkpoints += other.checkpoints
        self.faults += other.faults
        self.examples = [*self.examples, *other.examples][:EXAMPLES_MAX]


def cut_power(seed: int, turns: int, cuts: int, mode: str) -> Cuts:
    """Record one run and cut it `cuts` times at random.  Raises: OSError; TraceError; RuntimeError: it did not run."""
    with TemporaryDirectory(prefix="cardmill-cuts-", dir=FAST_DISK if FAST_DISK.is_dir() else None) as root:
        recording = record(Path(root), seed, turns, mode)
        return trio.run(_cut_all, recording, Path(root) / "rebuilt", seed, cuts)


def record(root: Path, seed: int, turns: int, mode: str) -> Recording:
    """Let the writer run under strace in `root`.  Raises: as `cut_power`."""
    folder, trace = root / "recorded", root / "trace"
    folder.mkdir()
    writer = (sys.executable, "-m", "bench.crash_writer", str(folder), str(seed), str(turns), mode)
    done = subprocess.run(
        [*STRACE, "-o", str(trace), *writer],
        cwd=Path(bench.__path__[0]).parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=RECORD_WITHIN_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the recorded writer failed: {done.stderr.decode('utf-8', 'replace')[-2_000:]}")
    with trace.open(encoding="ascii", errors="replace") as lines:
        deeds = list(deeds_in(lines, str(folder)))
    trace.unlink()
    moves, events = trio.run(_hashes, folder)
    return Recording(deeds, moves, events)


async def _hashes(folder: Path) -> tuple[Hashes, Hashes]:
    async with open_ledger(folder) as ledger:
        with ledger.reading.connect() as connection:
            return _column(connection, tables.move), _column(connection, tables.journal_event)


def _column(connection: Connection, table: Table) -> list[bytes]:
    return [row.hash for row in connection.execute(select(table.c.hash).order_by(table.c.seq))]


async def _cut_all(recording: Recording, folder: Path, seed: int, cuts: int) -> Cuts:
    """Walk through the deeds once, and cut wherever luck says."""
    luck = Random(f"cuts {seed}")
    wanted = Counter(luck.randrange(len(recording.deeds)) for _ in range(cuts))
    disk, acknowledged, found = Disk(), Acknowledged(), Cuts()
    for place, deed in enumerate(recording.deeds):
        disk.take(deed)
        if isinstance(deed, Said):
            acknowledged.take(deed.line)
        elif isinstance(deed, SyncEnded) and deed.name == DATABASE_NAME:
            found.checkpoints += 1
        for _ in range(wanted[place]):
            lay(disk.after_power_cut(luck), folder)
            fold = found.cuts % VERIFIED_EVERY == 0
            faults = await faults_after(folder, recording, acknowledged, fold)
            _count(found, acknowledged, faults, place)
    return found


def _count(found: Cuts, acknowledged: Acknowledged, faults: Sequence[str], place: int) -> None:
    found.cuts += 1
    found.acknowledged += acknowledged.moves + len(acknowledged.batches) + len(acknowledged.chunks)
    if not faults:
        return
    found.lost += 1
    found.faults.update({fault.partition(":")[0] for fault in faults})
    if len(found.examples) < EXAMPLES_MAX:
        found.examples.append(f"after deed {place}: {'; '.join(faults)}"[:500])


def lay(files: dict[str, bytes], folder: Path) -> None:
    """Make a folder that holds these files and nothing else; as the writer does, they are its owner's alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(file, view) :]
        finally:
            os.close(file)


async def faults_after(folder: Path, recording: Recording, acknowledged: Acknowledged, fold: bool = False) -> list[str]:
    """Open a rebuilt folder as the service does, and name what is missing or not whole; nothing when all is well."""
    try:
        async with open_ledger(folder) as ledger, open_vault(folder) as vault:
            found = [*_ledger_faults(ledger, recording, acknowledged, fold), *_vault_faults(vault, acknowledged)]
    except (LedgerError, VaultError, OSError) as error:
        return [f"it does not open: {error}"]
    return found


def _ledger_faults(ledger: Ledger, recording: Recording, acknowledged: Acknowledged, fold: bool) -> Iterator[str]:
    with ledger.reading.connect() as connection:
        [damage] = connection.exec_driver_sql("PRAGMA integrity_check(1)").one()
        if damage != "ok":
            yield f"the file is damaged: {damage}"
            return
        moves = _chained(connection, tables.move)
        events = _chained(connection, tables.journal_event)
        kept = connection.execute(select(tables.inbox_batch.c.batch_number, tables.inbox_batch.c.batch_id))
        batches = {row.batch_number: row.batch_id for row in kept}
        table = tables.inbox_application
        rows = {(row.batch_id, row.idx) for row in connection.execute(select(table.c.batch_id, table.c.idx))}
    for noun, chain, whole, least in (
        ("moves", moves, recording.moves, acknowledged.moves),
        ("events", events, recording.events, acknowledged.turns),
    ):
        if chain != whole[: len(chain)]:
            yield f"the {noun} are not a beginning of those that were written"
        if len(chain) < least:
            yield f"{noun} lost: {least - len(chain)} of {least}"
    for number, batch_id in acknowledged.batches.items():
        if batches.get(batch_number(number)) != batch_id:
            yield f"batch lost: {number}"
    for batch_id, first, size in acknowledged.chunks:
        if not rows.issuperset((batch_id, index) for index in range(first, first + size)):
            yield f"chunk lost: {first} to {first + size - 1} of batch {batch_id}"
    if ledger.reader.receipt_numbers(UPSTREAM)[1] < acknowledged.cursor:
        yield "cursor lost: receipts that upstream has would be kept as unread"
    if fold:
        yield from (f"it does not verify: {fault}" for fault in ledger.verify().faults)


def _vault_faults(vault: Vault, acknowledged: Acknowledged) -> Iterator[str]:
    """Open every application of a chunk that was acknowledged, under its batch's key."""
    indexes: dict[int, list[int]] = {}
    for batch_id, first, size in acknowledged.chunks:
        indexes.setdefault(batch_id, []).extend(range(first, first + size))
    for batch_id, wanted in indexes.items():
        try:
            stored = vault.applications(batch_id, wanted)
        except VaultError as error:
            yield f"vault lost: {error}"
            return
        if stored != [body_of(batch_id, index) for index in wanted]:
            yield f"vault lost: an application of batch {batch_id} is another"


def _chained(connection: Connection, table: Table) -> list[bytes]:
    """Give the hashes of a journal table as far as each is what the rows before it and in it make; a gap ends it."""
    hashes: list[bytes] = []
    previous = GENESIS.hash
    for row in connection.execute(select(table).order_by(table.c.seq)):
        if table is tables.move:
            computed = link(previous, row.at_floor_s, row.body)
        else:
            computed = event_link(previous, row.at_floor_s, row.move_seq_after, row.body)
        if row.seq != len(hashes) + 1 or computed != row.hash:
            return [*hashes, b"broken"]
        hashes.append(computed)
        previous = computed
    return hashes
