"""Changes that delete the ciphertext of a batch whose key is gone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, select

from controller.application import CARD_IDS_PER_BATCH, card_id
from controller.vault import tables

ROWS = 100  # of one change, some 15 KB each


@dataclass(frozen=True, slots=True)
class EraseRows:
    """Deletes some sealed rows of a batch."""

    table: Table
    batch_id: int

    def apply(self, connection: Connection) -> int:
        """Give how many rows were deleted, 0 when none is left."""
        [key, _] = self.table.columns
        first = card_id(self.batch_id, 0)
        some = select(key).where(key.between(first, first + CARD_IDS_PER_BATCH - 1)).limit(ROWS)
        return connection.execute(delete(self.table).where(key.in_(some))).rowcount


@dataclass(frozen=True, slots=True)
class ForgetBatch:
    """Deletes the note that a batch has sealed rows: its key is asked for no more."""

    batch_id: int

    def apply(self, connection: Connection) -> None:
        """Write it."""
        table = tables.sealed_batch
        connection.execute(delete(table).where(table.c.batch_id == self.batch_id))
