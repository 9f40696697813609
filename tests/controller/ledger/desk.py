"""What ledger tests share: a journal on a database of its own, without the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.pool import NullPool

from controller.ledger import tables
from controller.ledger.committer import Committer, Item
from controller.ledger.engine import Place, scratch_engine
from controller.ledger.journal import Journal, Recorded
from controller.ledger.store import DATABASE_NAME, SCHEMA_NAME

desk_url = ""  # where desks stand that are opened now; empty: in memory
_numbers = count(1)
_open: list[Desk] = []  # in PostgreSQL


class Desk:
    """A journal in memory, or in a schema of its own in PostgreSQL; `keep` commits one group."""

    def __init__(self, engine: Engine | None = None) -> None:
        writing = self.engine = engine or scratch_engine()
        if desk_url and engine is None:
            place = Place(Path(), f"desk{next(_numbers)}", desk_url)
            writing, self.engine = place.writer(), plain_engine(desk_url, place.schema)
            _open.append(self)
        tables.metadata.create_all(writing)
        self._engines = (writing, self.engine)
        self._committer = Committer(writing, Journal)
        assert isinstance(self._committer.book, Journal)
        self.journal = self._committer.book

    def close(self) -> None:
        """Give the connections back."""
        self._committer.close()
        for engine in self._engines:
            engine.dispose()

    def keep(self, group: Sequence[object]) -> list[Item]:
        """Commit a group of entries and changes; give their items."""
        items = [Item(change, forgiving=not isinstance(change, Recorded)) for change in group]
        self._committer.commit(items)
        return items

    def rows(self, table_name: str) -> list[tuple]:
        """Give all rows of a table in the order of its key."""
        table = tables.metadata.tables[table_name]
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]

    def state(self) -> dict[str, list[tuple]]:
        """Give all state tables."""
        return {table.name: self.rows(table.name) for table in tables.STATE_TABLES}


def in_groups(records: Iterable[Recorded], sizes: Sequence[int]) -> list[list[Recorded]]:
    """Cut records into groups whose sizes go round `sizes`."""
    groups: list[list[Recorded]] = [[]]
    turn = 0
    for recorded in records:
        if len(groups[-1]) == sizes[turn % len(sizes)]:
            groups.append([])
            turn += 1
        groups[-1].append(recorded)
    return groups


def close_desks() -> None:
    """Close all desks that stand in PostgreSQL."""
    while _open:
        _open.pop().close()


def plain_engine(url: str, schema: str) -> Engine:
    """Give an engine on a schema in PostgreSQL that keeps none of our rules."""
    address, options = url.replace("postgresql://", "postgresql+psycopg://"), {"options": f"-c search_path={schema}"}
    return create_engine(address, poolclass=NullPool, paramstyle="format", connect_args=options)


def open_raw(folder: Path, url: str = "") -> Any:
    """Give a connection of the driver to a ledger that keeps none of our rules; each statement is one transaction."""
    if url:
        return psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA_NAME}")
    return sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)
