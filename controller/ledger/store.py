"""The ledger as the service holds it: opened, locked, migrated, checked at its end, written by one thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import trio
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from controller.core.events import AnyEvent
from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, link
from controller.ledger.committer import Change, Committer
from controller.ledger.engine import Place, reach_advice, reason_of
from controller.ledger.epoch import Epoch
from controller.ledger.errors import LedgerDamaged, LedgerOther, LedgerStopped, LedgerUnreadable
from controller.ledger.journal import Journal, Recorded, open_event, open_move, read_rows
from controller.ledger.lock import lock_folder
from controller.ledger.migrations import migrate, write_meta
from controller.ledger.reader import Reader
from controller.ledger.verify.whole import Verified, verify
from controller.ledger.writer import Observe, Writer

DATABASE_NAME = "ledger.db"
SCHEMA_NAME = "cardmill"  # in PostgreSQL
GATHER_S = 0.1  # real: a station works for seconds, and turns that come together cost one fsync
CHECKED_AT_OPEN = 1_000  # last moves whose chain is computed anew at each start

Result = TypeVar("Result")
Require = Callable[[Connection], None]
"""Raises when a ledger must not be opened for writing; called in the transaction of the opening."""


def nothing_more(connection: Connection) -> None:
    """Require nothing else of a ledger."""


class Ledger:
    """What is recorded, durably.  Moves and inbox changes go through one writer; reading has its own connections."""

    def __init__(self, writer: Writer, journal: Journal, reading: Engine) -> None:
        self._writer, self._journal, self._reading = writer, journal, reading
        self.reader = Reader(reading)

    @property
    def reading(self) -> Engine:
        """The engine of the read-only connections, for long looks that cut themselves into short transactions."""
        return self._reading

    @property
    def head(self) -> Head:
        """The chain's durable end."""
        return self._journal.durable_head

    @property
    def failed(self) -> LedgerStopped | None:
        """Why a commit failed, if one did: then the service must end."""
        return self._writer.failed

    async def wait_failed(self) -> LedgerStopped:
        """Wait until a commit fails, and give the reason."""
        return await self._writer.wait_failed()

    def put(self, recorded: Recorded, on_durable: Callable[[], None] | None = None) -> None:
        """Queue an event and its moves; `on_durable`, which must not raise, is called after their commit.

        Raises: LedgerStopped, LedgerBehind.
        """
        self._writer.put(recorded, on_durable)

    async def record(self, recorded: Recorded) -> int:
        """Make an event and its moves durable and give the number of the last move.  Raises: LedgerStopped."""
        seq: int = await self._writer.append(recorded)
        return seq

    async def write(self, change: Change[Result]) -> Result:
        """Make a change of the inbox durable and give its result.

        A cancelled call leaves the change queued: it may become durable or not.
        Raises: LedgerStopped.  ChangeRefused and other LedgerErrors of this change alone.
        """
        return await self._writer.write(change)

    async def room(self) -> None:
        """Wait until the disk has caught up: who puts much awaits this in between."""
        await self._writer.room()

    def replay(self, after: int = 0) -> Iterator[tuple[float, AnyMove]]:
        """Give the durable moves numbered above `after`, in order, with their floor times.  Raises: LedgerDamaged."""
        for row in read_rows(self._reading, tables.move, after):
            yield row.at_floor_s, open_move(row)

    def events(self, after: int = 0) -> Iterator[tuple[float, AnyEvent]]:
        """Give the durable events numbered above `after`, in order, with their stamps.  Raises: LedgerDamaged."""
        for row in read_rows(self._reading, tables.journal_event, after):
            yield row.at_floor_s, open_event(row)

    def verify(self) -> Verified:
        """Compute chain and state anew and compare with what stands there: a long read, for a worker thread."""
        return verify(self._reading)


def ledger_place(folder: Path, url: str = "") -> Place:
    """Give where the ledger of a data folder stands: in a file there, or in the PostgreSQL database of `url`."""
    return Place(folder / DATABASE_NAME, SCHEMA_NAME, url)


@asynccontextmanager
async def open_ledger(
    folder: Path,
    *,
    url: str = "",
    observe: Observe | None = None,
    nature: Mapping[str, str] | None = None,
    require: Require = nothing_more,
) -> AsyncIterator[Ledger]:
    """Open the ledger of a data folder, new or old; at the end all that was queued is durable, or `failed` says why.

    `url` names a PostgreSQL database; without one the ledger is a file of SQLite.  `observe(seconds, moves)` is
    called on the trio thread for each commit.  `nature` is kept at the first opening and must be the same at each
    later one.  `require` looks at the ledger as well and raises what it likes: a refused opening changes no row.
    Raises: LedgerInUse, LedgerTooNew, LedgerOther, LedgerUnreadable, LedgerUnfit, LedgerDamaged.
    """
    place = ledger_place(folder, url)
    with ExitStack() as stack:
        stack.enter_context(lock_folder(folder))
        engine, committer = await trio.to_thread.run_sync(partial(open_writing, place, nature or {}, require))
        stack.callback(engine.dispose)
        reading = place.reader()
        stack.callback(reading.dispose)
        writer = Writer(committer, "ledger", observe=observe, gather_s=GATHER_S)
        writer.start()
        assert isinstance(committer.book, Journal)
        try:
            yield Ledger(writer, committer.book, reading)
        finally:
            await writer.stop()


def open_writing(place: Place, nature: Mapping[str, str], require: Require = nothing_more) -> tuple[Engine, Committer]:
    """Give a ledger for its one writer: what `open_ledger` does, for a thread of one's own that holds the lock.

    Raises: LedgerTooNew, LedgerOther, LedgerUnreadable, LedgerUnfit, LedgerDamaged.
    """
    engine = place.writer()
    try:
        with engine.begin() as connection:
            migrate(connection, tables.metadata, tables.meta)
            check_nature(connection, nature)
            check_tail(connection)
            require(connection)
            epoch = Epoch(connection, tables.meta)
        return engine, Committer(engine, Journal, epoch)
    except DBAPIError as error:
        engine.dispose()
        raise LedgerUnreadable(f"{place.name} cannot be opened: {reason_of(error)}{reach_advice(error)}") from error
    except BaseException:
        engine.dispose()
        raise


def check_nature(connection: Connection, nature: Mapping[str, str]) -> None:
    """Keep what this ledger is of, or compare it with what was kept.  Raises: LedgerOther."""
    meta = tables.meta
    kept = {row.key: row.value for row in connection.execute(select(meta))}
    for key, wanted in nature.items():
        if key not in kept:
            write_meta(connection, meta, key, wanted)
        elif kept[key] != wanted:
            raise LedgerOther(key, kept[key], wanted)


def check_tail(connection: Connection, moves: int = CHECKED_AT_OPEN) -> None:
    """Compute the chain of the last moves anew.  Raises: LedgerDamaged."""
    move = tables.move
    last = connection.execute(select(move).order_by(move.c.seq.desc()).limit(moves + 1)).all()
    rows = last[::-1]
    previous = GENESIS if len(rows) <= moves else Head(rows[0].seq, rows[0].hash)
    for row in rows[len(rows) - min(len(rows), moves) :]:
        chain = link(previous.hash, row.at_floor_s, row.body)
        if row.seq != previous.seq + 1 or chain != row.hash:
            raise LedgerDamaged(
                f"the chain is broken at move {row.seq}: restore a backup, or run `cardmill audit verify`"
            )
        previous = Head(row.seq, chain)
