"""Copying databases: a file of SQLite page by page from one moment, or any database row by row into another."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, func, insert, inspect, select
from sqlalchemy.pool import NullPool

from controller.backup.manifest import Progress
from controller.ledger.engine import BUSY_TIMEOUT_MS

STEP_PAGES = 2_048
PAGE_ROWS = 1_000


@contextmanager
def moment_of(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that sees a database file as it is now, whatever is written meanwhile.

    The writer is not held up; its write-ahead log cannot be begun anew before this ends.
    Raises: sqlite3.Error.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"  # not `ro`: see `ledger.engine.reader_engine`
    timeout_s = BUSY_TIMEOUT_MS / 1_000
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout_s)) as connection:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment is taken at the first read
        yield connection


def copy_pages(source: sqlite3.Connection, target: Path, tell: Progress) -> None:
    """Copy all pages that `moment_of` sees into a new file.

    Because the source's transaction stays open between the steps, a busy writer never makes the copy begin anew;
    without that, 200 pages at a time beside 150 commits a second, it did not end within 20 s and 3,011 restarts.
    Raises: sqlite3.Error.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # the file is synced once, when it is whole
        copy.execute("PRAGMA synchronous = OFF")

        def step(status: int, left: int, whole: int) -> None:
            tell(f"copying {target.name}", whole - left, whole)

        source.backup(copy, pages=STEP_PAGES, progress=step)


def copy_rows(source: Connection, target: Connection, metadata: MetaData, tell: Progress) -> None:
    """Copy all rows of all tables, each in the order of its key, into another database, which gets these tables first.

    A source of an older schema lacks some, and so does its copy: the next start makes them.
    Both transactions are the caller's: the source's should see one moment.
    """
    look = inspect(source)
    present = [table for table in metadata.sorted_tables if look.has_table(table.name)]
    metadata.create_all(target, tables=present)
    for table in present:
        whole = source.execute(select(func.count()).select_from(table)).scalar_one()
        for done in _copy_table(source, target, table):
            tell(f"copying {table.name}", done, whole)


def _copy_table(source: Connection, target: Connection, table: Table) -> Iterator[int]:
    query = select(table).order_by(*table.primary_key.columns)
    done = 0
    found = source.execute(query, execution_options={"yield_per": PAGE_ROWS})
    for page in found.mappings().partitions():
        rows: list[dict[str, Any]] = [dict(row) for row in page]
        target.execute(insert(table), rows)
        done += len(rows)
        yield done


def plain_engine(path: Path) -> Engine:
    """Give an engine on a file that nobody else has open, without a write-ahead log: the file alone is the database."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, hide_parameters=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return engine


def sync_file(path: Path) -> None:
    """Make a file's content durable.  Raises: OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
