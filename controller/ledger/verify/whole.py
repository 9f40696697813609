"""Verification: everything the ledger holds computed anew, from its first move on, and compared with what stands there.

The parts stand in files of their own: `file`, `pages`, `schema` (what SQLite says, cells, words), `chain` (moves,
events), `rows` (row hashes, state tables), `heads` (daily heads, cursors), `inbox`, `stock`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Engine, Table, create_engine, func, select
from sqlalchemy.pool import NullPool

from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.engine import scratch_engine
from controller.ledger.migrations import SCHEMA, tables_to_come
from controller.ledger.projection import CLOSED, Projection
from controller.ledger.verify.chain import TakeMove, check_events, check_moves
from controller.ledger.verify.file import check_file
from controller.ledger.verify.heads import HeadCheck
from controller.ledger.verify.inbox import InboxCheck
from controller.ledger.verify.report import Tell, tell_nobody
from controller.ledger.verify.report import Verified as Verified
from controller.ledger.verify.rows import Cells, Typed, cells, check_row_hashes, compare, readable
from controller.ledger.verify.schema import LEDGER, check_schema, check_sequence
from controller.ledger.verify.stock import BlankCheck

HASHED = (tables.meta, tables.receipt_cursor, tables.inbox_batch, tables.inbox_application, tables.snapshot)


def verify(engine: Engine, *, whole: bool = False, tell: Tell = tell_nobody) -> Verified:
    """Read the whole ledger, as it is at one moment, and say whether it is what this program wrote.

    With `whole` besides: the schema word by word, that the inbox holds what the floor was told, and where every blank
    is; for ledgers of a service, which alone have all that.  `tell(what, done, of)` hears of its progress, `of` 0 when
    nobody knows.  The write-ahead log grows meanwhile if somebody writes.  A tail that was cut off whole leaves
    nothing to see here: it shows against the chain heads that receipts and manifests carried away.
    """
    report = Verified(tell=tell)
    verify_into(report, engine, whole=whole)
    return report


def verify_into(report: Verified, engine: Engine, *, whole: bool, others: Sequence[TakeMove] = ()) -> None:
    """Do what `verify` does, for a report that others add to; they are handed each move that is good."""
    with _folding_engine().connect() as folded, engine.connect() as ledger:
        folded.connection.driver_connection.executescript(_state_tables())  # type: ignore[union-attr]
        folded.exec_driver_sql("BEGIN")
        check_connection(ledger, folded, report, whole, others)


def check_connection(
    ledger: Connection, folded: Connection, report: Verified, whole: bool, others: Sequence[TakeMove] = ()
) -> None:
    """Do what `verify` does, on a connection to the ledger and one to empty state tables."""
    check_file(ledger, report)
    heads = HeadCheck(ledger, report)
    to_come = _to_come(ledger, report)
    takes: list[TakeMove] = [lambda seq, at, move: heads.apply(seq, move), *others]
    ends: list[Callable[[], None]] = [heads.end]
    if whole:
        check_schema(ledger, LEDGER, report, to_come)
        check_sequence(ledger, report)
        blanks, inbox = BlankCheck(report), InboxCheck(ledger, report)
        takes += [blanks.apply, _without_time(inbox)]
        ends += [blanks.end, lambda: inbox.end(heads.blanked())]
    projection, is_good = Projection(folded), False
    with readable(report, "the journal of moves"):
        is_good = check_moves(ledger, report, projection, takes)
    projection.flush()
    if is_good:  # of a broken chain the fold says nothing
        for end in ends:
            end()
        _check_state(ledger, folded, report, to_come)
    for table in HASHED:
        with readable(report, table.name):
            check_row_hashes(ledger, table, report)
    with readable(report, "the journal of events"):
        check_events(ledger, report, heads.events_told)


def _without_time(inbox: InboxCheck) -> TakeMove:
    def take(seq: int, at_floor_s: float, move: AnyMove) -> None:
        inbox.apply(seq, move)

    return take


def _to_come(ledger: Connection, report: Verified) -> frozenset[str]:
    """Give the tables that this ledger will have after its next start, which is no fault, and say so."""
    to_come: frozenset[str] = frozenset()
    with readable(report, "meta"):
        to_come = tables_to_come(ledger, tables.meta)
    if to_come:
        report.notes.append(f"the next start brings the ledger to schema {SCHEMA}, with {', '.join(sorted(to_come))}")
    return to_come


def _check_state(ledger: Connection, folded: Connection, report: Verified, to_come: frozenset[str]) -> None:
    for table in tables.STATE_TABLES:
        if table.name in to_come:
            continue
        with readable(report, table.name):
            wanted, shape = _in_words_of(ledger, folded, table), Typed(ledger, table).shape
            compare(cells(ledger, table), wanted, table, shape, report)
    with readable(report, "the counts of batches"):
        _check_counts(ledger, report)


def _in_words_of(ledger: Connection, folded: Connection, table: Table) -> Iterator[Cells]:
    """Give the folded rows as the ledger's own driver would: SQLite keeps true as 1."""
    rows = cells(folded, table)
    if ledger.dialect.name == folded.dialect.name:
        return rows
    typed = Typed(folded, table)
    return (tuple(typed.as_written(row)) for row in rows)


def _check_counts(ledger: Connection, report: Verified) -> None:
    """The equation of law 4, for each batch that is closed, with its cards counted one by one."""
    batch, card = tables.batch, tables.card
    cards = select(card.c.batch_id, card.c.state, func.count()).group_by(card.c.batch_id, card.c.state)
    ended: dict[int, dict[str, int]] = {}
    for batch_id, state, count in ledger.execute(cards):
        ended.setdefault(batch_id, {})[state] = count
    for row in ledger.execute(select(batch).where(batch.c.state == CLOSED)):
        states = ended.get(row.batch_id, {})
        refused = row.received - sum(states.values()) + states.get("refused", 0)
        counted = (refused, *(states.get(name, 0) for name in ("cancelled", "refused_late", "dispatched")))
        said = (row.refused, row.cancelled, row.refused_late, row.dispatched)
        if counted != said or sum(said) != row.received:
            report.add(f"batch {row.batch_id}: it is closed, and what came in is not what ended")


@lru_cache(maxsize=1)
def _folding_engine() -> Engine:
    """Give an engine whose every connection is an empty database, kept in a temporary file when it grows large."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = OFF")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


@lru_cache(maxsize=1)
def _state_tables() -> str:
    """Give the statements that make empty state tables."""
    engine = scratch_engine()
    with engine.begin() as connection:
        tables.metadata.create_all(connection, tables=list(tables.STATE_TABLES))
        words = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL")
        script = ";\n".join(sql for (sql,) in words)
    engine.dispose()
    return script
