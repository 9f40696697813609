"""Engines: how a database is opened, for its one writer and for its readers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect
from sqlalchemy.pool import StaticPool

from controller.ledger import postgresql
from controller.ledger.prepared import say

WAL_LIMIT_BYTES = 64 * 1024 * 1024
BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 16_384  # beyond it the system's own cache answers as fast: a year with 64 MiB took as long

_WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # NORMAL loses acknowledged work at a power cut: measured with rebuilt files, 885 of 1,500 cuts
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 0",  # the writer checkpoints when it is idle, never inside a commit
    f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}",
)
REACH_ADVICE = "correct storage.url, or start the server"
# the class of PostgreSQL errors whose text may repeat what was to be stored: data exception
_STATE_WITH_VALUES = "22"
_READER_PRAGMAS = ("PRAGMA query_only = 1",)
_COMMON_PRAGMAS = (f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}", "PRAGMA temp_store = MEMORY")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one database stands: in a file of SQLite, or, with a URL, in a schema of a PostgreSQL database."""

    path: Path
    schema: str
    url: str = field(default="", repr=False)  # a password may be in it
    locking: bool = True  # the writer's connection holds the schema's lock
    cache_kib: int = CACHE_KIB  # of the writer, where the database is a file

    @property
    def name(self) -> str:
        """Give the words for it."""
        return f"PostgreSQL's schema {self.schema}" if self.url else self.path.name

    def writer(self) -> Engine:
        """Give an engine for the one writer.  Raises: LedgerUnfit; at its first connection LedgerInUse too."""
        if self.url:
            return postgresql.writer_engine(self.url, self.schema, locking=self.locking)
        return writer_engine(self.path, self.cache_kib)

    def reader(self) -> Engine:
        """Give an engine that cannot write; its connections may be used from any thread.  Raises: LedgerUnfit."""
        return postgresql.reader_engine(self.url, self.schema) if self.url else reader_engine(self.path)

    def is_new(self, engine: Engine, meta: Table) -> bool:
        """Say whether nothing was ever stored there."""
        return not inspect(engine).has_table(meta.name) if self.url else not self.path.exists()


def writer_engine(path: Path, cache_kib: int = CACHE_KIB) -> Engine:
    """Give an engine whose transactions take the write lock at once; the file is created if it is not there."""
    pragmas = (*_COMMON_PRAGMAS, *_WRITER_PRAGMAS, f"PRAGMA cache_size = -{cache_kib}")
    return _sqlite_engine(path, "rwc", pragmas, "BEGIN IMMEDIATE")


def reader_engine(path: Path) -> Engine:
    """Give an engine that cannot write; the file must be there.  Its connections may be used from any thread."""
    # not mode=ro: SQLite cannot open a WAL database read-only when no writer left its shared memory behind
    return _sqlite_engine(path, "rw", (*_COMMON_PRAGMAS, *_READER_PRAGMAS), "BEGIN")


def scratch_engine() -> Engine:
    """Give an empty database in memory, for one thread at a time."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, hide_parameters=True, connect_args={"check_same_thread": False}
    )
    _own_transactions(engine, (), "BEGIN")
    return engine


def reason_of(error: BaseException) -> str:
    """Give why a database refused, in its words if they are sure to repeat no value of a row."""
    cause: Any = getattr(error, "orig", None) or error
    if getattr(cause, "sqlite_errorname", None):
        return f"{cause} ({cause.sqlite_errorname})"
    kind, state = type(cause).__name__, getattr(cause, "sqlstate", "")
    if state is None and kind == "OperationalError":  # of the connection itself: no statement was looked at
        return " ".join(str(cause).split())
    if state and not state.startswith(_STATE_WITH_VALUES):  # the first line names constraints, not values
        return str(cause.diag.message_primary or kind)
    return f"{kind} {state}".strip()


def reach_advice(error: Exception) -> str:
    """Give what to do, as the rest of a sentence, where no connection to a server came about; else nothing."""
    cause: Any = getattr(error, "orig", None) or error
    never_asked = type(cause).__name__ == "OperationalError" and getattr(cause, "sqlstate", "") is None
    return f"; {REACH_ADVICE}" if never_asked else ""


def _sqlite_engine(path: Path, mode: str, pragmas: tuple[str, ...], begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1_000)

    # parameters are hidden because an error's text would repeat them
    engine = create_engine(f"sqlite:///{path}", creator=connect, hide_parameters=True)
    _own_transactions(engine, pragmas, begin)
    return engine


def _own_transactions(engine: Engine, pragmas: tuple[str, ...], begin: str) -> None:
    """Take transactions out of the driver's hands: it would commit before some statements on its own."""

    def on_connect(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    def on_begin(connection: Connection) -> None:
        say(connection, begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
