"""Row hashes: what shows a change in the tables that stand outside the chain, at once and, through the head, for ever.

Each row of `meta`, `receipt_cursor`, `inbox_batch`, `inbox_application` and `snapshot` carries a hash of itself.  Who
changes a bit of it is found by that; who writes a row and its hash anew is found once the daily head
(`record_moves.TablesFolded`) has folded the hashes of the row's batch into the chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, select, update

from controller.ledger import tables
from encoders.envelope import pack

ROW_HASH = "row_hash"
ROW_HASH_BYTES = 16
ROWS_HASH_BYTES = 32


def row_hash(table: Table, values: Mapping[str, Any]) -> bytes:
    """Give the hash (BLAKE2b-128) of a row, from its columns in the table's order, its own hash left out."""
    columns = [values[column.name] for column in table.columns if column.name != ROW_HASH]
    return blake2b(pack([str(table.name), *columns]), digest_size=ROW_HASH_BYTES).digest()


def rehash(connection: Connection, table: Table, where: ColumnElement[bool]) -> None:
    """Write the hashes of the rows that fit `where` anew, in the transaction that changed them."""
    keys = list(table.primary_key.columns)
    rows = [dict(row) for row in connection.execute(select(table).where(where)).mappings()]
    if not rows:
        return
    statement = update(table)
    for column in keys:
        statement = statement.where(column == bindparam(f"the_{column.name}"))
    fresh = [
        {**{f"the_{column.name}": row[column.name] for column in keys}, ROW_HASH: row_hash(table, row)} for row in rows
    ]
    connection.execute(statement.values({ROW_HASH: bindparam(ROW_HASH)}), fresh)


def rows_hash(connection: Connection, batch_id: int) -> bytes:
    """Give the digest (BLAKE2b-256) of all rows the inbox has of a batch, from the hashes they carry."""
    batch, application = tables.inbox_batch, tables.inbox_application
    whole = blake2b(digest_size=ROWS_HASH_BYTES)
    for (one,) in connection.execute(select(batch.c.row_hash).where(batch.c.batch_id == batch_id)):
        whole.update(one)
    mine = select(application.c.row_hash).where(application.c.batch_id == batch_id).order_by(application.c.idx)
    for (one,) in connection.execute(mine):
        whole.update(one)
    return whole.digest()
