"""The two engines of the ledger's benchmark: for each, our path and the bare driver on databases of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import Engine

from bench.ledger_paths import Ours, Raw
from controller.ledger import engine as sqlite_engine
from controller.ledger import postgresql, tables
from controller.ledger.migrations import migrate
from sims.postgres_server import PostgresServer

DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg"}


@dataclass(frozen=True, slots=True)
class Store:
    """Where databases are made: `engine` gives our engine of a new one, `bare` a cursor's connection to one."""

    engine: Callable[[str], Engine]
    bare: Callable[[str], Any]
    begin: str

    def ours(self, name: str) -> Ours:
        """Give our path to a new database."""
        return Ours(self.engine(name))

    def raw(self, name: str, *, chained: bool) -> Raw:
        """Give the bare driver's path to a new database with the same tables."""
        engine = self.engine(name)
        with engine.begin() as connection:
            migrate(connection, tables.metadata, tables.meta)
        engine.dispose()
        return Raw(self.bare(name), self.begin, chained=chained)


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    """Give the store of an engine: files in `folder`, or a PostgreSQL server of one's own."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield Store(lambda name: sqlite_engine.writer_engine(folder / name), _Files(folder), "BEGIN IMMEDIATE")
        else:
            url = stack.enter_context(PostgresServer()).create_database("bench")
            yield Store(lambda name: postgresql.writer_engine(url, name, locking=False), _Schemas(url), "BEGIN")


@dataclass(frozen=True, slots=True)
class _Files:
    folder: Path

    def __call__(self, name: str) -> sqlite3.Connection:
        """Give sqlite3's own connection with what makes it as safe and as fast as ours."""
        connection = sqlite3.connect(self.folder / name, isolation_level=None)
        for pragma in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA wal_autocheckpoint = 0",
            f"PRAGMA cache_size = -{sqlite_engine.CACHE_KIB}",
            "PRAGMA temp_store = MEMORY",
        ):
            connection.execute(pragma)
        return connection


@dataclass(frozen=True, slots=True)
class _Schemas:
    url: str

    def __call__(self, name: str) -> psycopg.Connection[Any]:
        """Give psycopg's own connection, with what its `executemany` is fastest with: one statement, one plan."""
        options = f"-c search_path={name} -c synchronous_commit=on"
        connection = psycopg.connect(self.url, autocommit=True, options=options)
        for dumper in (Int8Dumper, Int8BinaryDumper):  # else a statement is planned for each size of its numbers
            connection.adapters.register_dumper(int, dumper)
        return connection
