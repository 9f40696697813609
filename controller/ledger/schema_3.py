"""Schema 3 from schema 2: how many receipts of each kind a batch ever had, counted from the receipts that stand."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, insert, select

from controller.ledger import tables

_PAGE = 10_000


def to_schema_3(connection: Connection) -> None:
    """Add what schema 3 has more.  Cost: all receipts are read once.

    They are counted here because SQLite would sort them all in memory to group them: a year has 18 million.
    """
    receipt, counted = tables.receipt, tables.receipt_count
    counted.create(connection)
    query = select(receipt.c.batch_id, receipt.c.kind).execution_options(yield_per=_PAGE)
    counts: Counter[tuple[int, str]] = Counter()
    for page in connection.execute(query).partitions():
        counts.update(map(tuple, page))
    rows = [{"batch_id": batch_id, "kind": kind, "count": count} for (batch_id, kind), count in counts.items()]
    if rows:
        connection.execute(insert(counted), rows)
