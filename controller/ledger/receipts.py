"""Receipts: what upstream is told of a move, numbered for each upstream from 1 without gaps, in the order of moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from controller.application import CARD_IDS_PER_BATCH
from controller.core.cards import State
from controller.ledger import tables
from controller.ledger.columns import EMPTY_LIST, EMPTY_MAP, map_text
from controller.ledger.prepared import Params, Prepared
from controller.ledger.rows import BatchRow, CardRow, ReceiptRow

REFUSED, HELD, ACCEPTED, MADE = "refused", "held", "accepted", "made"
SPOILED_REMAKING, DISPATCHED, CANCELLED = "spoiled_remaking", "dispatched", "cancelled"
REFUSED_LATE, BATCH_CLOSED = "refused_late", "batch_closed"
REPLACED = "correct.replaced"  # the code of a held one that ended because its upstream corrected it
RESTORED = "restored"  # the ledger came out of a backup, and this number is far above the one before
KINDS = (REFUSED, HELD, ACCEPTED, MADE, SPOILED_REMAKING, DISPATCHED, CANCELLED, REFUSED_LATE, BATCH_CLOSED, RESTORED)
FINAL_KINDS = frozenset({DISPATCHED, CANCELLED, REFUSED_LATE})  # of accepted cases: each has exactly one (law 4)
_INSERT = Prepared(insert(tables.receipt))
_LAST = Prepared(select(func.max(tables.receipt.c.number)).where(tables.receipt.c.upstream == bindparam("upstream")))


def _add_to_count(insert_for: Callable[..., Any]) -> Prepared:
    """Give the statement that adds to how many receipts of a kind a batch had."""
    table = tables.receipt_count
    keys = list(table.primary_key.columns)
    statement = insert_for(table)
    more = {"count": table.c["count"] + statement.excluded["count"]}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=more))


_ADD_TO_COUNT = {"sqlite": _add_to_count(sqlite_insert), "postgresql": _add_to_count(postgresql_insert)}

_KIND_ON_ENTERING = {  # told whenever a card comes to this state
    State.REFUSED: REFUSED,
    State.CANCELLED: CANCELLED,
    State.REFUSED_LATE: REFUSED_LATE,
    State.MADE: MADE,
    State.DISPATCHED: DISPATCHED,
}


# kind, card (0: it became none), acceptance number, index, case, codes and fields as JSON lists
AboutRow = tuple[str, int, str, int, int, str, str]


class Stamp(msgspec.Struct, frozen=True, gc=False):
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


def counts_add_up(connection: Connection) -> bool:
    """Say whether the counts of all batches make as many receipts as upstreams were given, by their last numbers alone.

    One statement, which sees one moment.  It holds of a ledger that was never restored: then numbers jump.
    """
    receipt, upstreams = tables.receipt, select(tables.batch.c.upstream).distinct().subquery()
    last = select(func.max(receipt.c.number)).where(receipt.c.upstream == upstreams.c.upstream).scalar_subquery()
    given = select(func.sum(last)).select_from(upstreams).scalar_subquery()
    counted = select(func.sum(tables.receipt_count.c["count"])).scalar_subquery()
    row = connection.execute(select(func.coalesce(given, 0), func.coalesce(counted, 0))).one()
    return int(row[0]) == int(row[1])


class ReceiptBook:
    """Numbers receipts, and writes them together."""

    def __init__(self, connection: Connection, jumped: int = 0) -> None:
        """`jumped`: by how much all restores together let numbers jump so far."""
        self._connection, self._jumped = connection, jumped
        assert _INSERT.words(connection.dialect).names == ReceiptRow._fields
        self._last: dict[str, int] = {}
        self._unwritten: list[Params] = []  # each as `ReceiptRow`, but plain: a batch brings a thousand at once
        self._more: Counter[tuple[int, str]] = Counter()  # (batch, kind): how many of them are unwritten

    def about_cards(
        self, stamp: Stamp, batch: BatchRow, kind: str, cards: Iterable[CardRow], codes: str, fields: str
    ) -> None:
        """Tell the same about cards of one batch, in their order."""
        seq, at_floor_s, chain = stamp.seq, stamp.at_floor_s, stamp.chain
        upstream, batch_id = batch.upstream, batch.batch_id
        first = self._next_number(stamp, upstream)
        self._unwritten += [
            (
                upstream, number, kind, batch_id,
                card.card_id, card.acceptance_number, card.card_id % CARD_IDS_PER_BATCH, card.case_no,
                codes, fields, EMPTY_MAP, at_floor_s, seq, chain,
            )
            for number, card in enumerate(cards, first)
        ]  # fmt: skip
        last = self._last[upstream] = self._unwritten[-1][1]
        self._more[batch_id, kind] += last - first + 1

    def about_rows(self, stamp: Stamp, batch: BatchRow, rows: Sequence[AboutRow]) -> None:
        """Tell what became of the rows of a batch, in their order."""
        if not rows:
            return
        seq, at_floor_s, chain = stamp.seq, stamp.at_floor_s, stamp.chain
        upstream, batch_id = batch.upstream, batch.batch_id
        first = self._next_number(stamp, upstream)
        self._unwritten += [
            (upstream, number, kind, batch_id, card, accepted_as, index, case_no, codes, fields, EMPTY_MAP,
             at_floor_s, seq, chain)
            for number, (kind, card, accepted_as, index, case_no, codes, fields) in enumerate(rows, first)
        ]  # fmt: skip
        self._last[upstream] = self._unwritten[-1][1]
        self._more.update((batch_id, row[0]) for row in rows)

    def about_batch(self, stamp: Stamp, batch: BatchRow, kind: str, codes: str, counts: str) -> None:
        """Tell something about a whole batch."""
        self._issue(stamp, batch, kind, (0, "", -1, 0, codes, EMPTY_LIST, counts))

    def about_restore(self, stamp: Stamp, upstreams: Iterable[str], step: int) -> None:
        """Tell upstreams that the ledger was restored, with numbers `step` above the last: those between are void.

        They may have been given before the restore, for what the restored ledger does not know.
        """
        for upstream in upstreams:
            self._tell_restored(stamp, upstream, self._next_number(stamp, upstream), step)
        self._jumped += step

    def _tell_restored(self, stamp: Stamp, upstream: str, number: int, step: int) -> int:
        seq, at_floor_s, chain = stamp.seq, stamp.at_floor_s, stamp.chain
        about = (0, "", -1, 0, EMPTY_LIST, EMPTY_LIST, map_text({"first_void": number}))
        self._unwritten.append((upstream, number + step, RESTORED, 0, *about, at_floor_s, seq, chain))
        self._more[0, RESTORED] += 1
        self._last[upstream] = number + step
        return number + step

    def flush(self) -> None:
        """Write what was issued, and how many of each kind each batch got: one row for both, however many they are."""
        _INSERT.run(self._connection, self._unwritten)
        add = _ADD_TO_COUNT[self._connection.dialect.name]
        add.run(self._connection, [(batch_id, kind, more) for (batch_id, kind), more in self._more.items()])
        self._unwritten.clear()
        self._more.clear()

    def _issue(self, stamp: Stamp, batch: BatchRow, kind: str, about: tuple[int, str, int, int, str, str, str]) -> None:
        seq, at_floor_s, chain = stamp.seq, stamp.at_floor_s, stamp.chain
        upstream = batch.upstream
        self._unwritten.append(
            (upstream, self._next_number(stamp, upstream), kind, batch.batch_id, *about, at_floor_s, seq, chain)
        )
        self._more[batch.batch_id, kind] += 1

    def _next_number(self, stamp: Stamp, upstream: str) -> int:
        last = self._last.get(upstream)
        if last is None:
            [(found,)] = _LAST.ask(self._connection, upstream)
            last = found or 0
            if not last and self._jumped:  # it may have come in a time that a restore lost, and have had some then
                last = self._tell_restored(stamp, upstream, 1, self._jumped)
        number = self._last[upstream] = last + 1
        return number
