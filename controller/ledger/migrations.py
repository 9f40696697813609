"""Schema versions: an empty database is created as it is now, an older one is brought here step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select

from controller.ledger.errors import LedgerDamaged, LedgerTooNew
from controller.ledger.row_hash import rehash_row
from controller.ledger.schema_2 import to_schema_2

Step = Callable[[Connection], None]
STEPS: Mapping[int, Step] = {2: to_schema_2}  # step N brings schema N - 1 to N
SCHEMA = 2

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
