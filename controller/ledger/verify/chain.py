"""The journal, link by link: moves and events computed anew, and each move handed to whoever folds it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, func, select

from controller.core.errors import CoreError
from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, event_link, link
from controller.ledger.errors import LedgerError
from controller.ledger.journal import PAGE_ROWS, TAGS, open_event, open_move
from controller.ledger.projection import Projection
from controller.ledger.receipts import Stamp
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import Cells, Typed, cells

# what a projection raises at a move that this program did not make
NOT_OURS = (LedgerError, CoreError, LookupError, ValueError, TypeError, AttributeError)
TOLD_EVERY = 10_000

TakeMove = Callable[[int, float, AnyMove], None]


class _Row:
    """A row of the journal as `open_move` and `open_event` want it."""

    __slots__ = ("body", "seq")

    def __init__(self, seq: int, body: bytes) -> None:
        self.seq, self.body = seq, body


def check_moves(ledger: Connection, report: Verified, projection: Projection, others: Sequence[TakeMove]) -> bool:
    """Check the chain of moves and fold what is good; give whether it is good to its end.

    A broken link ends it, since all after it hangs on it.
    """
    typed = Typed(ledger, tables.move)
    whole = ledger.execute(select(func.max(tables.move.c.seq))).scalar() or 0
    for row in cells(ledger, tables.move):
        seq, chain = report.head
        computed = _move_hash(chain, row) if typed.fits(row) else b""
        if row[0] != seq + 1:
            report.add(f"moves {seq + 1} to {_before(row[0])} are missing")
            return False
        if computed != row[4]:
            report.add(f"move {seq + 1} does not carry the hash of what stands before it and in it")
            return False
        report.head, report.moves = Head(seq + 1, computed), report.moves + 1
        try:
            move = open_move(_Row(seq + 1, row[3]))
            if TAGS[type(move)] != row[2]:
                report.add(f"move {seq + 1} is labelled {row[2]!r} and holds a {TAGS[type(move)]!r}")
            projection.apply(Stamp(seq + 1, row[1], computed), move)
        except NOT_OURS as error:
            report.add(f"move {seq + 1} does not follow from the moves before it: {error}")
            return False
        for take in others:
            take(seq + 1, row[1], move)
        if report.moves % PAGE_ROWS == 0:
            projection.flush()
            projection.settle()
            report.tell("moves", report.moves, int(whole))
    return True


def _before(seq: object) -> object:
    return seq - 1 if isinstance(seq, int) else "some"


def _move_hash(previous: bytes, row: Cells) -> bytes:
    try:
        return link(previous, row[1], row[3])
    except (TypeError, struct.error):
        return b""


def check_events(
    ledger: Connection,
    report: Verified,
    told: Mapping[int, Sequence[tuple[bytes, int]]],
) -> None:
    """Check the events' own chain, and that heads which were `told` (event -> hash, move) are in it."""
    typed, head, after = Typed(ledger, tables.journal_event), GENESIS, 0
    is_whole = report.sound
    for row in cells(ledger, tables.journal_event):
        report.events += 1
        if report.events % TOLD_EVERY == 0:
            report.tell("events", report.events, 0)
        if not typed.fits(row):
            report.add(f"event {head.seq + 1}: a cell is not of its column's type")
            return
        seq, at_floor_s, body, move_seq_after, carried = row
        if seq != head.seq + 1:
            report.add(f"events {head.seq + 1} to {seq - 1} are missing")
            return
        head = Head(seq, event_link(head.hash, at_floor_s, move_seq_after, body))
        if head.hash != carried:
            report.add(f"event {seq} does not carry the hash of what stands before it and in it")
            return
        if move_seq_after < after:
            report.add(f"event {seq} names move {move_seq_after}, the one before it move {after}")
        after = move_seq_after
        for digest, move_seq in told.get(seq, ()):
            if digest != head.hash:
                report.add(f"event {seq} is not the one whose hash move {move_seq} folded")
        try:
            open_event(_Row(seq, body))
        except LedgerError as error:
            report.add(str(error))
    late = [seq for seq in told if seq > head.seq]
    if late:
        report.add(f"the events end at {head.seq}, a daily head names event {min(late)}")
    if is_whole and after != report.head.seq:
        report.add(f"the last event ends at move {after}, the moves end at {report.head.seq}")
