"""Verification: the chain computed anew, and the state tables folded anew from the moves and compared row by row."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.exc import DBAPIError

from controller.core.errors import CoreError
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, link
from controller.ledger.engine import reason_of, scratch_engine
from controller.ledger.errors import LedgerError
from controller.ledger.journal import PAGE_ROWS, TAGS, open_event, open_move
from controller.ledger.projection import Projection
from controller.ledger.receipts import Stamp

FAULTS_MAX = 100  # then the rest is of no more use


@dataclass(slots=True)
class Verified:
    """What was found: the head as computed, how much was read, and what is wrong, one sentence each."""

    head: Head = GENESIS
    moves: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.faults

    def add(self, fault: str) -> None:
        """Note something that is wrong."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)


def verify(engine: Engine) -> Verified:
    """Read the whole ledger, as it is at one moment, and say whether it is what this program wrote.

    The write-ahead log grows meanwhile if somebody writes.  A tail that was cut off whole leaves nothing to see
    here: it shows against the chain heads that receipts and manifests carried away.
    """
    report = Verified()
    scratch = scratch_engine()
    tables.metadata.create_all(scratch)
    with engine.connect() as ledger, scratch.begin() as folded:
        try:
            _check_all(ledger, folded, report)
        except DBAPIError as error:
            report.add(f"the database cannot be read after move {report.head.seq}: {reason_of(error)}")
    scratch.dispose()
    return report


def _check_all(ledger: Connection, folded: Connection, report: Verified) -> None:
    _check_file(ledger, report)
    projection = Projection(folded)
    _check_moves(ledger, report, projection)
    projection.flush()
    if report.sound:  # of a broken chain the fold says nothing
        for table in tables.STATE_TABLES:
            _compare(ledger, folded, table, report)
    _check_events(ledger, report)


def _check_file(ledger: Connection, report: Verified) -> None:
    if ledger.dialect.name != "sqlite":
        return
    for (line,) in ledger.exec_driver_sql("PRAGMA integrity_check(10)"):
        if line != "ok":
            report.add(f"the database file is damaged: {line}")


def _check_moves(ledger: Connection, report: Verified, projection: Projection) -> None:
    """Check the chain link by link and fold what is good; a broken link ends it, since all after it hangs on it."""
    for row in _rows(ledger, tables.move):
        seq, chain = report.head
        if row.seq != seq + 1:
            report.add(f"moves {seq + 1} to {row.seq - 1} are missing")
            return
        computed = _link(chain, row)
        if computed != row.hash:
            report.add(f"move {row.seq} does not carry the hash of what stands before it and in it")
            return
        report.head, report.moves = Head(row.seq, computed), report.moves + 1
        try:
            move = open_move(row)
            if TAGS[type(move)] != row.tag:
                report.add(f"move {row.seq} is labelled {row.tag!r} and holds a {TAGS[type(move)]!r}")
            projection.apply(Stamp(row.seq, row.at_floor_s, computed), move)
        except (LedgerError, CoreError) as error:
            report.add(f"move {row.seq} does not follow from the moves before it: {error}")
            return
        if row.seq % PAGE_ROWS == 0:
            projection.flush()
            projection.settle()


def _link(previous: bytes, row: Any) -> bytes:
    """Give the hash of a row, or none for one whose columns are not even of their types."""
    try:
        return link(previous, row.at_floor_s, row.body)
    except (TypeError, struct.error):
        return b""


def _check_events(ledger: Connection, report: Verified) -> None:
    after = 0
    for row in _rows(ledger, tables.journal_event):
        report.events += 1
        if row.seq != report.events:
            report.add(f"events {report.events} to {row.seq - 1} are missing")
            report.events = row.seq
        if row.move_seq_after < after:
            report.add(f"event {row.seq} names move {row.move_seq_after}, the one before it move {after}")
        after = row.move_seq_after
        try:
            open_event(row)
        except LedgerError as error:
            report.add(str(error))
    if report.sound and after != report.head.seq:
        report.add(f"the last event ends at move {after}, the moves end at {report.head.seq}")


def _compare(ledger: Connection, folded: Connection, table: Table, report: Verified) -> None:
    """Walk both copies of a state table in the order of their keys and name the rows that differ."""
    width = len(table.primary_key.columns)
    for mine, theirs in zip_longest(_rows(ledger, table), _rows(folded, table)):
        if mine == theirs:
            continue
        row = theirs if mine is None else mine
        key = ", ".join(str(value) for value in row[:width])
        if mine is None or theirs is None or mine[:width] != theirs[:width]:
            report.add(f"{table.name}: the rows are not those that the moves make, from {key} on")
            return
        wrong = [c.name for c, a, b in zip(table.columns, mine, theirs, strict=True) if a != b]
        report.add(f"{table.name} {key}: {', '.join(wrong)} not as the moves make it")


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    """Give all rows of a table in the order of its key, without holding them all."""
    query = select(table).order_by(*table.primary_key.columns)
    yield from connection.execute(query, execution_options={"yield_per": 1_000})
