"""Snapshots: what the moves up to one made of the floor, kept beside them so that a start need not fold them all.

A snapshot is never believed for itself: it is used when its own hash holds, the chain at its move is the one it was
taken at, and the program and settings that read it are those that made it.  Whatever else: the moves are folded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, delete, func, insert, select

from controller.ledger import tables
from controller.ledger.chain import Head
from controller.ledger.errors import UnknownRow
from controller.ledger.row_hash import row_hash

log = structlog.get_logger()
KEPT = 2  # the newest, and the one before it for the case that the newest is damaged


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after move `at.seq`, in the words of the program and settings `code`."""

    at: Head
    code: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """Keeps a snapshot, and of those before it the newest alone."""

    seq: int
    code: str
    body: bytes

    def apply(self, connection: Connection) -> None:
        """Store it with the chain as it is at its move.  Raises: UnknownRow: there is no such move."""
        table, move = tables.snapshot, tables.move
        chain = connection.execute(select(move.c.hash).where(move.c.seq == self.seq)).scalar_one_or_none()
        if chain is None:
            raise UnknownRow(move.name, self.seq)
        values = {"seq": self.seq, "chain": chain, "code": self.code, "body": self.body}
        connection.execute(delete(table).where(table.c.seq == self.seq))
        connection.execute(insert(table).values(**values, row_hash=row_hash(table, values)))
        before = select(table.c.seq).order_by(table.c.seq.desc()).offset(KEPT - 1).limit(1).scalar_subquery()
        connection.execute(delete(table).where(table.c.seq < before))


def usable_snapshots(engine: Engine, code: str) -> Iterator[Snapshot]:
    """Give the snapshots that may be believed, the newest first; why another one may not goes to the log."""
    table, move = tables.snapshot, tables.move
    with engine.connect() as connection:
        numbers = connection.execute(select(table.c.seq).order_by(table.c.seq.desc())).scalars().all()
    for seq in numbers:
        with engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.seq == seq)).mappings().first()
            chain = connection.execute(select(move.c.hash).where(move.c.seq == seq)).scalar_one_or_none()
        if row is None:
            continue  # a newer one was stored meanwhile
        why = ""
        if row["row_hash"] != row_hash(table, dict(row)):
            why = "it does not carry its own hash"
        elif row["chain"] != chain:
            why = "the chain is another one at its move"
        elif row["code"] != code:
            why = "another program, or other settings, made it"
        if why:
            log.warning("snapshot not used", seq=seq, why=why)
        else:
            yield Snapshot(Head(seq, row["chain"]), row["code"], row["body"])


def last_snapshot(engine: Engine, code: str) -> int:
    """Give the move of the newest snapshot of a program and its settings, 0 for none."""
    table = tables.snapshot
    with engine.connect() as connection:
        newest = connection.execute(select(func.max(table.c.seq)).where(table.c.code == code)).scalar()
    return int(newest or 0)
