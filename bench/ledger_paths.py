"""The ways a group of turns gets to the disk: ours, and the driver alone with the same statements and rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine

from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, event_link, link
from controller.ledger.committer import Committer, Item
from controller.ledger.epoch import Epoch
from controller.ledger.journal import Journal, Recorded
from controller.ledger.migrations import migrate
from controller.ledger.prepared import Prepared

Rows = list[tuple[Any, ...]]
Said = list[tuple[str, Rows]]
MOVE, EVENT = tables.move.name, tables.journal_event.name


@dataclass(slots=True)
class RawGroup:
    """What our path told the driver for one group, in order; moves and events stand apart, for their chains."""

    inserts: dict[str, tuple[str, Rows]] = field(default_factory=dict)  # MOVE and EVENT -> statement, whole rows
    others: list[tuple[str, Rows]] = field(default_factory=list)


class Ours:
    """The ledger's own path: `Recorded` through the journal and its projection to a durable commit."""

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:
            migrate(connection, tables.metadata, tables.meta)
            epoch = Epoch(connection, tables.meta)
        self._engine, self._committer = engine, Committer(engine, Journal, epoch)

    def write(self, group: Sequence[Any]) -> list[Any]:
        """Make a group of turns, or of changes, durable; give what each of them gives."""
        items = [Item(one) for one in group]
        self.commit(items)
        return [item.result for item in items]

    def commit(self, items: Sequence[Item]) -> None:
        """Make a group durable that stands ready, as it does in the writer's queue."""
        self._committer.commit(items)

    def checkpoint(self) -> None:
        """Copy the log into the database, outside what is timed."""
        self._committer.checkpoint()

    def checkpoint_if_large(self) -> None:
        """Do it when the service would."""
        self._committer.checkpoint_if_large()

    def close(self) -> None:
        """Give the connection back."""
        self._committer.close()
        self._engine.dispose()


class Raw:
    """A driver's cursor with prepared tuples and nothing else; `chained`: the two chains are computed in between."""

    def __init__(self, connection: Any, begin: str, *, chained: bool) -> None:
        self._connection, self._begin = connection, begin
        self._cursor, self._is_sqlite = connection.cursor(), isinstance(connection, sqlite3.Connection)
        self._chain = self._chained if chained else _as_they_are
        self._moves = self._events = GENESIS

    def write(self, group: RawGroup) -> None:
        """Make a group durable."""
        execute_many = self._cursor.executemany
        self._cursor.execute(self._begin)
        for statement, rows in self._chain(group):
            execute_many(statement, rows)
        for statement, rows in group.others:
            execute_many(statement, rows)
        self._cursor.execute("COMMIT")

    def checkpoint(self) -> None:
        """Copy the log into the database, outside what is timed."""
        if self._is_sqlite:
            self._cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _chained(self, group: RawGroup) -> list[tuple[str, Rows]]:
        """Compute the hashes anew, from what the rows hold besides them."""
        statement, rows = group.inserts[EVENT]
        head, events = self._events.hash, []
        for seq, at_floor_s, body, after, _ in rows:
            head = event_link(head, at_floor_s, after, body)
            events.append((seq, at_floor_s, body, after, head))
        self._events = Head(events[-1][0], head)
        written = [(statement, events)]
        if MOVE in group.inserts:
            statement, rows = group.inserts[MOVE]
            head, moves = self._moves.hash, []
            for seq, at_floor_s, tag, body, _ in rows:
                head = link(head, at_floor_s, body)
                moves.append((seq, at_floor_s, tag, body, head))
            self._moves = Head(moves[-1][0], head)
            written.append((statement, moves))
        return written


def _as_they_are(group: RawGroup) -> list[tuple[str, Rows]]:
    return list(group.inserts.values())


def prepared(groups: Sequence[Sequence[Recorded]], engine: Engine) -> list[RawGroup]:
    """Give what our path writes for each group, seen on a database of its own."""
    ours, found = Ours(engine), []
    with _overheard() as said:
        for group in groups:
            said.clear()
            ours.write(group)
            found.append(_raw(said))
    ours.close()
    return found


@contextmanager
def _overheard() -> Iterator[Said]:
    """Collect each (statement, rows) that the journal hands to the driver meanwhile."""
    said: Said = []
    run = Prepared.run

    def listen(prepared: Prepared, connection: Connection, rows: Rows) -> None:
        if rows:
            said.append((prepared.words(connection.dialect).sql, list(rows)))
        run(prepared, connection, rows)

    with patch.object(Prepared, "run", listen):
        yield said


def _raw(said: Said) -> RawGroup:
    group = RawGroup()
    for statement, rows in said:
        table = statement.split()[2]
        if statement.startswith("INSERT") and table in (MOVE, EVENT):
            group.inserts[table] = (statement, rows)
        else:
            group.others.append((statement, rows))
    return group
