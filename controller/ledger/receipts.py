"""Receipts: what upstream is told of a move, numbered for each upstream from 1 without gaps, in the order of moves."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from controller.application import index_of
from controller.core.cards import State
from controller.ledger import tables
from controller.ledger.columns import EMPTY_LIST, EMPTY_MAP
from controller.ledger.rows import BatchRow, CardRow, ReceiptRow
from controller.ledger.shelf import Prepared

REFUSED, HELD, ACCEPTED, MADE = "refused", "held", "accepted", "made"
SPOILED_REMAKING, DISPATCHED, CANCELLED = "spoiled_remaking", "dispatched", "cancelled"
REFUSED_LATE, BATCH_CLOSED = "refused_late", "batch_closed"
KINDS = (REFUSED, HELD, ACCEPTED, MADE, SPOILED_REMAKING, DISPATCHED, CANCELLED, REFUSED_LATE, BATCH_CLOSED)
FINAL_KINDS = frozenset({DISPATCHED, CANCELLED, REFUSED_LATE})  # of accepted cases: each has exactly one (law 4)

_KIND_ON_ENTERING = {  # told whenever a card comes to this state
    State.REFUSED: REFUSED,
    State.CANCELLED: CANCELLED,
    State.REFUSED_LATE: REFUSED_LATE,
    State.MADE: MADE,
    State.DISPATCHED: DISPATCHED,
}


class Stamp(NamedTuple):
    """Which move something rests on: its number, its floor time and the chain's head at it."""

    seq: int
    at_floor_s: float
    chain: bytes


def kind_of(before: State, after: State) -> str | None:
    """Give the receipt that a card's way from one state to another calls for, or None."""
    if after is State.ACCEPTED:
        return ACCEPTED if before is State.HELD else None  # a stopped card that goes on was accepted long ago
    if after is State.READY:
        return None if before is State.ACCEPTED else SPOILED_REMAKING
    return _KIND_ON_ENTERING.get(after)


class ReceiptBook:
    """Numbers receipts, and writes them together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._insert = Prepared(insert(tables.receipt), connection.dialect)
        assert self._insert.names == ReceiptRow._fields
        self._last: dict[str, int] = {}
        self._unwritten: list[ReceiptRow] = []

    def about_card(
        self, stamp: Stamp, batch: BatchRow, kind: str, card: CardRow, codes: str = EMPTY_LIST, fields: str = EMPTY_LIST
    ) -> None:
        """Tell the batch's upstream something about one card; `codes` and `fields` are JSON lists."""
        about = (card.card_id, card.acceptance_number, index_of(card.card_id), card.case_no, codes, fields, EMPTY_MAP)
        self._issue(stamp, batch, kind, about)

    def about_row(self, stamp: Stamp, batch: BatchRow, row: tuple[str, int], codes: str, fields: str) -> None:
        """Tell that an application (acceptance number, index), which never became a card, is refused."""
        number, index = row
        self._issue(stamp, batch, REFUSED, (0, number, index, 0, codes, fields, EMPTY_MAP))

    def about_batch(self, stamp: Stamp, batch: BatchRow, kind: str, codes: str, counts: str) -> None:
        """Tell something about a whole batch."""
        self._issue(stamp, batch, kind, (0, "", -1, 0, codes, EMPTY_LIST, counts))

    def flush(self) -> None:
        """Write what was issued."""
        self._insert.run(self._connection, self._unwritten)
        self._unwritten.clear()

    def _issue(self, stamp: Stamp, batch: BatchRow, kind: str, about: tuple[int, str, int, int, str, str, str]) -> None:
        upstream = batch.upstream
        number = self._last_number(upstream) + 1
        self._last[upstream] = number
        row = (upstream, number, kind, batch.batch_id, *about, stamp.at_floor_s, stamp.seq, stamp.chain)
        self._unwritten.append(ReceiptRow._make(row))

    def _last_number(self, upstream: str) -> int:
        last = self._last.get(upstream)
        if last is None:
            column = tables.receipt.c.number
            query = select(func.max(column)).where(tables.receipt.c.upstream == upstream)
            last = self._connection.execute(query).scalar() or 0
        return last
