"""Schema 2 from schema 1: rows outside the chain carry hashes, events a chain of their own, and there are snapshots.

Schema 1 stood in SQLite alone.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, bindparam, select, true, update

from controller.ledger import tables
from controller.ledger.chain import GENESIS, event_link
from controller.ledger.columns import EMPTY_LIST, list_text
from controller.ledger.row_hash import rehash

_HASHED = (tables.meta, tables.receipt_cursor, tables.inbox_batch, tables.inbox_application)
_PAGE = 10_000


def to_schema_2(connection: Connection) -> None:
    """Add what schema 2 has more.  No row of the journal changes, but for the hash that its events get."""
    for table in _HASHED:
        _add(connection, table.name, "row_hash BLOB")
    _add(connection, "event", "hash BLOB")
    _add(connection, "batch", "rows_hash BLOB")
    connection.exec_driver_sql("ALTER TABLE batch ADD COLUMN purged_floor_s DOUBLE NOT NULL DEFAULT 0")
    tables.snapshot.create(connection)
    tables.rare_moves.create(connection)
    connection.exec_driver_sql(f"ALTER TABLE consignment ADD COLUMN uncounted TEXT NOT NULL DEFAULT '{EMPTY_LIST}'")
    tables.consignment_waits.create(connection)
    _note_uncounted(connection)
    for table in _HASHED:
        rehash(connection, table, true())
    _chain_events(connection)


def _add(connection: Connection, table: str, column: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} NOT NULL DEFAULT x''")


def _note_uncounted(connection: Connection) -> None:
    """Say of each consignment which police stations counted nothing of it."""
    bundle, arrival, consignment = tables.bundle, tables.arrival, tables.consignment
    sent = select(bundle.c.consignment_id, bundle.c.unit).where(bundle.c.consignment_id > 0)
    waiting: defaultdict[int, set[str]] = defaultdict(set)
    for consignment_id, unit in connection.execute(sent.distinct()):
        waiting[consignment_id].add(unit)
    for consignment_id, unit in connection.execute(select(arrival.c.consignment_id, arrival.c.unit)):
        waiting[consignment_id].discard(unit)
    change = update(consignment).where(consignment.c.consignment_id == bindparam("the_id"))
    rows = [{"the_id": one, "uncounted": list_text(sorted(units))} for one, units in waiting.items() if units]
    if rows:
        connection.execute(change.values(uncounted=bindparam("uncounted")), rows)


def _chain_events(connection: Connection) -> None:
    """Give each event its hash; the trigger that forbids every change is off meanwhile, inside this transaction."""
    event = tables.journal_event
    connection.exec_driver_sql("DROP TRIGGER event_no_update")
    change = update(event).where(event.c.seq == bindparam("the_seq")).values(hash=bindparam("hash"))
    head = GENESIS
    while True:
        query = select(event).where(event.c.seq > head.seq).order_by(event.c.seq).limit(_PAGE)
        page = connection.execute(query).all()
        if not page:
            break
        fresh = []
        for row in page:
            head = head._replace(seq=row.seq, hash=event_link(head.hash, row.at_floor_s, row.move_seq_after, row.body))
            fresh.append({"the_seq": row.seq, "hash": head.hash})
        connection.execute(change, fresh)
    connection.exec_driver_sql(tables.SQLITE_TRIGGER.format(table="event", verb="update"))
