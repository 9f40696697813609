"""The committer: a database's only writing connection, and how one group of changes becomes durable on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from controller.ledger.engine import WAL_LIMIT_BYTES, reason_of
from controller.ledger.epoch import Epoch
from controller.ledger.errors import ChangeRefused, LedgerError
from controller.ledger.prepared import say

Result = TypeVar("Result", covariant=True)

REFUSING = (IntegrityError, DataError)  # of one change alone: the transaction stands
_WAL_RETRY_BYTES = WAL_LIMIT_BYTES // 4


class Change(Protocol[Result]):
    """Something to be written, in a savepoint of its own: if it is refused, its neighbours are not concerned."""

    def apply(self, connection: Connection) -> Result:
        """Write it in the open transaction.  A LedgerError, IntegrityError or DataError it raises is its caller's."""
        ...


class Book(Protocol):
    """Gathers the entries of one kind that come in a group and writes them together.

    An entry that raises is a broken invariant: the group fails, and the database takes no more.
    """

    kind: type

    def take(self, entry: Any) -> Any:
        """Note an entry; what it gives is the caller's once the group is durable."""
        ...

    def flush(self) -> int:
        """Write what was noted, in the transaction that is open on the book's connection; give how much it was."""
        ...

    def settle(self) -> None:
        """Hear that all that was written is durable."""
        ...


@dataclass(slots=True, eq=False)
class Item:
    """One change or entry on its way to the disk.  `forgiving`: somebody waits, and can be told of its refusal."""

    change: Any
    forgiving: bool = False
    result: Any = None
    refusal: LedgerError | None = None


class Committer:
    """Commits groups on one connection.  Any thread may use it, but only one at a time.

    After an exception nothing more may be committed: what the failed group left on the disk is known only after
    the database was opened anew (a second fsync after a failed one can claim what the first one lost).
    """

    def __init__(
        self, engine: Engine, open_book: Callable[[Connection], Book] | None = None, epoch: Epoch | None = None
    ) -> None:
        """`epoch` is that of this opening: each commit makes sure that there is no later one."""
        self._connection, self._epoch = engine.connect(), epoch
        self._driver: Any = self._connection.connection.dbapi_connection
        self._is_sqlite = engine.dialect.name == "sqlite"
        self.book: Book | None = None
        if open_book is not None:
            with self._connection.begin():
                self.book = open_book(self._connection)
        self._wal = self._wal_path() if self._is_sqlite else None
        self._checkpoint_at_bytes = WAL_LIMIT_BYTES
        self.is_checkpointed = True

    def commit(self, items: Sequence[Item]) -> int:
        """Make a group durable and give how much the book wrote (moves), or how many changes without a book.

        Raises: LedgerOvertaken, and whatever the database or the book raises; then nothing of the group is durable.
        A refused change of a forgiving item is noted in the item and is not written; the others are.
        """
        book = self.book
        written = 0
        with self._connection.begin():
            if self._epoch is not None:
                self._epoch.check(self._connection)
            for item in items:
                written += self._apply(item)
            written += len(items) if book is None else book.flush()
        self.is_checkpointed = False
        if book is not None:
            book.settle()
        return written

    @property
    def may_be_lost(self) -> bool:
        """Say whether the database is a server, which can go while nothing is committed."""
        return not self._is_sqlite

    def ping(self) -> None:
        """Ask the server for nothing.  Raises: SQLAlchemyError: it is gone."""
        with self._connection.begin():
            self._connection.exec_driver_sql("SELECT 1")

    def checkpoint(self) -> None:
        """Copy what readers allow from the write-ahead log into the database file; commits wait meanwhile."""
        if not self._is_sqlite:
            self.is_checkpointed = True
            return
        _, in_log, copied = self._driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self.is_checkpointed = in_log == copied

    def checkpoint_if_large(self) -> None:
        """Checkpoint when the log has grown past its limit; while a reader pins it, try again every 16 MiB."""
        if self._wal is None:
            return
        try:
            size = self._wal.stat().st_size
        except FileNotFoundError:
            return
        if size <= self._checkpoint_at_bytes:
            return
        self.checkpoint()
        # copied whole, the log starts anew at the next commit and is cut to its limit (journal_size_limit)
        self._checkpoint_at_bytes = WAL_LIMIT_BYTES if self.is_checkpointed else size + _WAL_RETRY_BYTES

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _apply(self, item: Item) -> int:
        """Do one item; give what the book wrote because of it."""
        book = self.book
        if book is not None and isinstance(item.change, book.kind):
            item.result = book.take(item.change)
            return 0
        written = 0 if book is None else book.flush()  # a change may read what was recorded before it
        try:
            with _savepoint(self._connection):
                item.result = item.change.apply(self._connection)
        except LedgerError as error:
            item.refusal = error
        except REFUSING as error:
            item.refusal = ChangeRefused(reason_of(error))
        if item.refusal is not None and not item.forgiving:
            raise item.refusal
        return written

    def _wal_path(self) -> Path | None:
        rows = self._driver.execute("PRAGMA database_list").fetchall()
        file = next(path for _, name, path in rows if name == "main")
        return Path(f"{file}-wal") if file else None


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """Take back what is done inside when it raises.  Core's own costs as much as a small change itself (measured)."""
    say(connection, "SAVEPOINT change")
    try:
        yield
    except BaseException as error:
        try:
            say(connection, "ROLLBACK TO SAVEPOINT change")
        except SQLAlchemyError:
            if isinstance(error, DBAPIError) and not isinstance(error, REFUSING):
                raise error from None  # because of it the connection or the whole transaction is gone: it tells why
            raise
        raise
    say(connection, "RELEASE SAVEPOINT change")
