"""Schema versions: an empty database is created as it is now, an older one is brought here step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select

from controller.ledger import tables
from controller.ledger.errors import LedgerDamaged, LedgerTooNew
from controller.ledger.row_hash import rehash_row
from controller.ledger.schema_2 import to_schema_2
from controller.ledger.schema_3 import to_schema_3

Step = Callable[[Connection], None]
STEPS: Mapping[int, Step] = {2: to_schema_2, 3: to_schema_3}  # step N brings schema N - 1 to N
SCHEMA = 3
NEW_TABLES: Mapping[int, tuple[Table, ...]] = {2: (tables.snapshot,), 3: (tables.receipt_count,)}  # of each step

_KEY = "schema"


def migrate(
    connection: Connection, metadata: MetaData, meta: Table, schema: int = SCHEMA, steps: Mapping[int, Step] = STEPS
) -> int:
    """Bring the database to `schema` inside the caller's transaction and give the schema that was found, 0 for none.

    Raises: LedgerTooNew: a later program wrote it.  LedgerDamaged: its version cannot be read.
    """
    if not inspect(connection).has_table(meta.name):
        metadata.create_all(connection)
        write_meta(connection, meta, _KEY, str(schema))
        return 0
    found = _schema_of(connection, meta)
    if found > schema:
        raise LedgerTooNew(found, schema)
    for number in range(found + 1, schema + 1):
        steps[number](connection)
        write_meta(connection, meta, _KEY, str(number))
    return found


def tables_to_come(connection: Connection, meta: Table) -> frozenset[str]:
    """Give the names of tables that a ledger of an older schema does not have before its next start.

    None where it does not say its schema: then nothing may be missing.
    """
    try:
        found = _schema_of(connection, meta)
    except LedgerDamaged:
        return frozenset()
    return frozenset(str(table.name) for step, new in NEW_TABLES.items() if step > found for table in new)


def write_meta(connection: Connection, meta: Table, key: str, value: str) -> None:
    """Keep one fact about the database itself."""
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta).values(key=key, value=value, row_hash=b""))
    rehash_row(connection, meta, key)


def _schema_of(connection: Connection, meta: Table) -> int:
    value = connection.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar_one_or_none()
    if value is None or not str(value).isdecimal():
        raise LedgerDamaged("the database does not say its schema version: restore it from a backup")
    return int(value)
