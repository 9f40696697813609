"""What ledger tests share: a journal on a database of its own, without the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Engine, select

from controller.ledger import tables
from controller.ledger.committer import Committer, Item
from controller.ledger.engine import scratch_engine
from controller.ledger.journal import Journal, Recorded
from controller.ledger.store import DATABASE_NAME


class Desk:
    """A journal in memory; `keep` commits one group."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or scratch_engine()
        tables.metadata.create_all(self.engine)
        self._committer = Committer(self.engine, Journal)
        assert isinstance(self._committer.book, Journal)
        self.journal = self._committer.book

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


def open_raw(folder: Path) -> sqlite3.Connection:
    """Give a connection to a ledger's file that keeps none of our rules."""
    return sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)
