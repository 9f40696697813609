"""Tables, indexes and triggers of a SQLite database, word by word, against those this program makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection, MetaData

from controller.ledger import tables
from controller.ledger.engine import scratch_engine
from controller.ledger.migrations import NEW_TABLES, STEPS
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import readable

Schema = frozenset[tuple[str, str, str, str | None]]

BATCHES_OF_A_STEP = 1_000  # of `backup.restore`, which stands above the ledger

_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """How a database is made: anew, or by `steps` from schema 1, which had not what is `added` and `new`."""

    metadata: MetaData
    steps: Sequence[Callable[[Connection], None]]
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    new_tables: tuple[str, ...] = ()
    new_indexes: tuple[str, ...] = ()


LEDGER = Made(
    tables.metadata,
    [STEPS[number] for number in sorted(STEPS)],
    {
        **dict.fromkeys(("meta", "receipt_cursor", "inbox_batch", "inbox_application"), ("row_hash BLOB",)),
        "event": ("hash BLOB",),
        "batch": ("rows_hash BLOB", "purged_floor_s DOUBLE"),
        "consignment": ("uncounted TEXT",),
    },
    tuple(str(table.name) for new in NEW_TABLES.values() for table in new),
    (str(tables.rare_moves.name), str(tables.consignment_waits.name)),
)


def check_schema(connection: Connection, made: Made, report: Verified, to_come: frozenset[str] = frozenset()) -> None:
    """Compare each table, index and trigger with those this program makes; elsewhere than in SQLite it is left out.

    `to_come`: tables that it makes at its next start, since the database has an older schema.
    """
    if connection.dialect.name != "sqlite":
        return
    with readable(report, "the schema"):
        found = _schema(connection)
        fresh, migrated = (
            frozenset(row for row in schema if row[2] not in to_come) for schema in (_fresh(made), _migrated(made))
        )
        if found not in (fresh, migrated):
            wrong = sorted({row[1] if isinstance(row[1], str) else "(unreadable)" for row in found ^ fresh})
            report.add(f"the schema is not the one this program makes: look at {', '.join(wrong)}")


def check_sequence(connection: Connection, report: Verified) -> None:
    """The last batch number ever given is that of the last batch, for none is ever deleted; a restore lets it jump."""
    if connection.dialect.name != "sqlite":
        return
    with readable(report, "sqlite_sequence"):
        last = connection.exec_driver_sql("SELECT max(batch_id) FROM inbox_batch").scalar()
        rows = [tuple(row) for row in connection.exec_driver_sql("SELECT rowid, name, seq FROM sqlite_sequence")]
        jump = _jump(connection)
        if jump and rows and isinstance(rows[0][2], int) and rows[0][2] >= (last or 0) + jump:
            last = last or 0
            rows = [(*rows[0][:2], last)]
        if rows != ([] if last is None else [(1, "inbox_batch", last)]):
            report.add("sqlite_sequence: the next batch would get a number that is not the next one")


def _jump(connection: Connection) -> int:
    """Give how far batch numbers jumped at least when this ledger was restored, 0 when it never was."""
    found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'restored'").scalar()
    step = str(found or "").partition(" ")[2]
    return int(step) // BATCHES_OF_A_STEP if step.isdecimal() else 0


def _schema(connection: Connection) -> Schema:
    return frozenset(map(tuple, connection.exec_driver_sql(_OBJECTS)))


@lru_cache(maxsize=8)
def _fresh(made: Made) -> Schema:
    """Give the schema of a database that this program makes."""
    engine = scratch_engine()
    with engine.begin() as connection:
        made.metadata.create_all(connection)
        found = _schema(connection)
    engine.dispose()
    return found


@lru_cache(maxsize=8)
def _migrated(made: Made) -> Schema:
    """Give the schema of a database that was begun with schema 1: the same tables in other words."""
    engine = scratch_engine()
    with engine.begin() as connection:
        made.metadata.create_all(connection)
        words = [tuple(row) for row in connection.exec_driver_sql(f"{_OBJECTS} ORDER BY rowid")]
    engine.dispose()
    engine = scratch_engine()
    with engine.begin() as connection:
        for _, name, table, sql in words:
            if sql is not None and table not in (*made.new_tables, "sqlite_sequence") and name not in made.new_indexes:
                connection.exec_driver_sql(_without(sql, made.added.get(table, ())))
        for step in made.steps:
            step(connection)
        found = _schema(connection)
    engine.dispose()
    return found


def _without(sql: str, columns: tuple[str, ...]) -> str:
    for column in columns:
        sql = sql.replace(f"\n\t{column} NOT NULL, ", "")
    return sql
