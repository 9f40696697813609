"""The inbox's part of a card that came back: a batch of one row for its next case, copied from the row it had."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, RowMapping, insert, select, update

from controller.core.moves import Verdict
from controller.ledger import tables
from controller.ledger.columns import EMPTY_LIST
from controller.ledger.errors import RowPurged, UnknownRow
from controller.ledger.inbox import InboxState, read_batch
from controller.ledger.row_hash import rehash


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """Gives the next case of a card a batch of its own; one that was given before, and never used, is given again."""

    from_batch_id: int
    from_index: int
    batch_number: str
    due: str
    received_on: str
    received_floor_s: float

    def apply(self, connection: Connection) -> int:
        """Give the new batch's number on the floor.

        Raises: UnknownRow: no such application is stored.  RowPurged: a purge is at it, or was.
        """
        row_table, batch_table = tables.inbox_application, tables.inbox_batch
        here = (row_table.c.batch_id == self.from_batch_id, row_table.c.idx == self.from_index)
        row = connection.execute(select(row_table).where(*here)).mappings().first()
        batch = read_batch(connection, batch_table.c.batch_id == self.from_batch_id)
        if row is None or batch is None:
            raise UnknownRow(row_table.name, self.from_batch_id)
        if not row["row_digest"]:
            raise RowPurged(self.from_batch_id)
        known = read_batch(connection, batch_table.c.batch_number == self.batch_number)
        if known is not None:
            _fill(connection, known.batch_id, row)
            return known.batch_id
        values = {
            "batch_number": self.batch_number,
            "upstream": batch.upstream,
            "due": self.due,
            "count": 1,
            "digest": sha256(row["row_digest"]).hexdigest(),
            "card_kind": batch.card_kind,
            "received_on": self.received_on,
            "received_floor_s": self.received_floor_s,
            "state": InboxState.RETURNED.value,
            "codes": EMPTY_LIST,
            "row_hash": b"",
        }
        [batch_id] = connection.execute(insert(batch_table).values(**values)).inserted_primary_key or (0,)
        fresh = {"batch_id": batch_id, "idx": 0, "express": True, "verdict": int(Verdict.OK)}
        clean = {"codes": EMPTY_LIST, "fields": EMPTY_LIST, "fee_class": "", "in_scope": False}  # counted once, before
        connection.execute(insert(row_table).values(**{**row, **fresh, **clean}))
        for table in (batch_table, row_table):
            rehash(connection, table, table.c.batch_id == batch_id)
        return int(batch_id)


def _fill(connection: Connection, batch_id: int, row: RowMapping) -> None:
    """Give a case that was never used its digests again, if a purge took them out."""
    table = tables.inbox_application
    here = table.c.batch_id == batch_id
    again = {name: row[name] for name in ("row_digest", "identity", "person")}
    connection.execute(update(table).where(here, table.c.row_digest == b"").values(**again))
    rehash(connection, table, here)
