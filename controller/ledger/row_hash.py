"""Row hashes: what shows a change in the tables that stand outside the chain, at once and, through the head, for ever.

Each row of `meta`, `receipt_cursor`, `inbox_batch`, `inbox_application` and `snapshot` carries a hash of itself.  Who
changes a bit of it is found by that; who writes a row and its hash anew is found once the daily head
(`record_moves.TablesFolded`) has folded the hashes of the row's batch into the chain: of a decided batch those its rows
carry, of one that waits what of its rows never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, select, update

from controller.ledger import tables
from controller.ledger.prepared import Prepared
from encoders.envelope import pack

ROW_HASH = "row_hash"
ROW_HASH_BYTES = 16
ROWS_HASH_BYTES = 32
KEPT_OF_BATCH = ("batch_id", "batch_number", "upstream", "due", "count", "digest", "card_kind", "received_on")
KEPT_OF_ROW = ("idx", "acceptance_number", "row_digest", "identity", "person", "reason", "fee_class", "in_scope")

Places = Sequence[tuple[int, int]]  # (first index, how many)


def row_hash(table: Table, values: Mapping[str, Any]) -> bytes:
    """Give the hash (BLAKE2b-128) of a row, from its columns in the table's order, its own hash left out."""
    columns = [values[name] for name in _hashed(table)]
    return blake2b(pack([str(table.name), *columns]), digest_size=ROW_HASH_BYTES).digest()


@cache
def _hashed(table: Table) -> tuple[str, ...]:
    """Give the columns that a row's hash covers; kept, because walking a table's columns costs half of a hash."""
    return tuple(column.name for column in table.columns if column.name != ROW_HASH)


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


def rehash_row(connection: Connection, table: Table, key: Any) -> None:
    """Write the hash of one row anew, by its key, which is one column: what `rehash` does, at a tenth of its cost."""
    ask, tell = _one_row(table)
    names = [column.name for column in table.columns]
    for row in ask.ask(connection, key):
        tell.run(connection, [(row_hash(table, dict(zip(names, row, strict=True))), key)])


@cache
def _one_row(table: Table) -> tuple[Prepared, Prepared]:
    [column] = table.primary_key.columns
    is_the_one = column == bindparam("the_key")
    return Prepared(select(table).where(is_the_one)), Prepared(update(table).where(is_the_one), [ROW_HASH])


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


def kept_hash(connection: Connection, batch_id: int, places: Places) -> bytes:
    """Give the digest (BLAKE2b-256) of what never changes of some rows of a batch, and of its header.

    All rows are read: as words of a query, thousands of places are more than a database takes.
    """
    batch, row = tables.inbox_batch, tables.inbox_application
    whole = blake2b(digest_size=ROWS_HASH_BYTES)
    header = select(*(batch.c[name] for name in KEPT_OF_BATCH)).where(batch.c.batch_id == batch_id)
    for one in connection.execute(header):
        whole.update(pack(list(one)))
    wanted = {index for first, count in places for index in range(first, first + count)}
    kept = select(*(row.c[name] for name in KEPT_OF_ROW)).where(row.c.batch_id == batch_id)
    for one in connection.execute(kept.order_by(row.c.idx)):
        if one.idx in wanted:
            whole.update(pack(list(one)))
    return whole.digest()


def places_of(connection: Connection, batch_id: int) -> list[tuple[int, int]]:
    """Give which rows of a batch are stored."""
    row, found = tables.inbox_application, list[tuple[int, int]]()
    for index in connection.execute(select(row.c.idx).where(row.c.batch_id == batch_id).order_by(row.c.idx)).scalars():
        if found and index == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((index, 1))
    return found
