"""The moves of a span and what stood before it, by look-ups and short reads, never from the ledger's beginning.

A span is folded from three numbers on: `low`, where the oldest sheet open at the anchor was imposed; the anchor, a
shift whose closing recorded every account of blanks; and the span's own first move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Engine, bindparam, func, select

from controller.application import CARD_IDS_PER_BATCH
from controller.core.cards import FINAL
from controller.core.moves import ActProposed, AnyMove, BatchOpened, BundleMade, StationChanged
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.stock_moves import ShiftClosed
from controller.ledger import tables
from controller.ledger.columns import numbers_in
from controller.ledger.journal import PAGE_ROWS, TAGS, open_move
from controller.ledger.prepared import Prepared
from controller.trace.moves import WALK_MOVES, MoveReader, Told
from encoders.envelope import pack

ROWS_MAX = 1_000  # of one list of a report
_decode: Callable[[bytes], AnyMove] = msgspec.msgpack.Decoder(AnyMove).decode
_PAGE = Prepared(
    select(tables.move.c.seq, tables.move.c.at_floor_s, tables.move.c.tag, tables.move.c.body)
    .where(tables.move.c.seq >= bindparam("first"), tables.move.c.seq < bindparam("end"))
    .order_by(tables.move.c.seq)
)
_FINAL = [state.value for state in FINAL]


class _Packed(NamedTuple):
    seq: int
    body: bytes


def opened(seq: int, body: bytes) -> AnyMove:
    """Give a move of the journal: a year has millions, so that each call less counts.  Raises: LedgerDamaged."""
    try:
        return _decode(body)
    except msgspec.MsgspecError:
        return open_move(_Packed(seq, body))  # which says it as it is said everywhere


class Station(NamedTuple):
    """What a station was before the first move that is folded: its state is empty where nobody knows."""

    step: str
    load_max: int
    state: str


class LateBatch(NamedTuple):
    """A batch that was late, with its cases that were open at the report's end."""

    batch_number: str
    upstream: str
    received_floor_s: float
    due_floor_s: float
    closed_floor_s: float
    open: int


class SpanMoves:
    """Answers of what is durable about one span; a service may go on meanwhile."""

    def __init__(self, reading: Engine, begin_floor_s: float, until_floor_s: float) -> None:
        self._engine, self._reader = reading, MoveReader(reading)
        self.begin_floor_s, self.until_floor_s = begin_floor_s, until_floor_s
        self.first, self.end = self._reader.first_at(begin_floor_s), self._reader.first_at(until_floor_s)
        self.anchor = self._last_closed()
        self.anchor_seq = self.anchor.seq if self.anchor else 0
        self.low = self._low()
        self._returned: set[int] | None = None

    def moves(self, kinds: frozenset[type]) -> Iterator[tuple[int, float, AnyMove]]:
        """Give the moves of some kinds from `low` up to the span's end, with their numbers and floor times.

        Raises: LedgerDamaged.  Memory: one page of 10,000 packed rows at a time.
        """
        tags = {TAGS[kind] for kind in kinds}
        for first in range(self.low, self.end, PAGE_ROWS):
            with self._engine.connect() as connection:
                page = _PAGE.answer(connection, first=first, end=min(self.end, first + PAGE_ROWS))
            for seq, at_floor_s, tag, body in page:
                if tag in tags:
                    yield seq, at_floor_s, opened(seq, body)

    def _last_closed(self) -> Told | None:
        """Give the last shift that was closed before the span.  Cost: a walk back to it, or to the beginning."""
        return next(self._reader.backward(self.first, (ShiftClosed,), self.first), None)

    def _low(self) -> int:
        """Give the first move that has to be folded, so that every sheet of the span is known from its beginning."""
        if self.anchor is None:
            return 1
        sheet, at = tables.sheet, self.anchor.at_floor_s
        touched = select(func.min(sheet.c.imposed_floor_s)).where(
            sheet.c.move_seq > self.anchor_seq, sheet.c.imposed_floor_s <= at
        )
        told = self._reader.forward(self.first, self.end, (CardSetGood,))
        rejected = [one.move.sheet_id for one in told if isinstance(one.move, CardSetGood)]
        again = select(func.min(sheet.c.imposed_floor_s)).where(sheet.c.sheet_id.in_(rejected))
        with self._engine.connect() as connection:
            oldest = [connection.execute(touched).scalar(), connection.execute(again).scalar() if rejected else None]
        times = [at, *(one for one in oldest if one is not None)]
        return min(self.anchor_seq, self._reader.first_at(min(times)))

    # ---- what stood before -------------------------------------------------------------------------------------

    def stations(self) -> dict[str, Station]:
        """Give the stations that had spoken before `low`, each with its state there.

        Cost: a walk back to the last word of the station that was silent longest, through `WALK_MOVES` at most.
        """
        table = tables.station
        with self._engine.connect() as connection:
            rows = connection.execute(select(table.c.station, table.c.step, table.c.load_max)).all()
        known: dict[str, Station] = {}
        for told in self._reader.backward(self.low, (StationChanged,), WALK_MOVES):
            if isinstance(told.move, StationChanged) and told.move.station not in known:
                known[told.move.station] = Station("", 0, told.move.state)
            if len(known) == len(rows):
                break
        seen = [row for row in rows if row.station in known]
        return {row.station: Station(row.step, row.load_max, known[row.station].state) for row in seen}

    def station(self, name: str) -> Station:
        """Give a station of which nothing was found before: it is taken to be at work."""
        table = tables.station
        with self._engine.connect() as connection:
            row = connection.execute(select(table.c.step, table.c.load_max).where(table.c.station == name)).one()
        return Station(row.step, row.load_max, "idle")

    def cards_of(self, bundle_id: int) -> int:
        """Give how many cards a bundle had when it was made."""
        return len(self.cards_in(bundle_id))

    def cards_in(self, bundle_id: int) -> list[int]:
        """Give the cards that a bundle had when it was made."""
        table = tables.bundle
        with self._engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.bundle_id == bundle_id)).one()
        if cards := numbers_in(row.cards):
            return cards
        for told in self._reader.forward(self._reader.first_at(row.made_floor_s), self.end, (BundleMade,)):
            if isinstance(told.move, BundleMade) and told.move.bundle_id == bundle_id:
                return told.move.cards
        return []

    def batch_opened(self, batch_id: int) -> BatchOpened:
        """Give the move that brought a batch to the floor."""
        table = tables.batch
        with self._engine.connect() as connection:
            decided = connection.execute(
                select(table.c.decided_floor_s).where(table.c.batch_id == batch_id)
            ).scalar_one()
        told = self._reader.forward(self._reader.first_at(decided), self.end, (BatchOpened,))
        return next(one.move for one in told if isinstance(one.move, BatchOpened) and one.move.batch_id == batch_id)

    def received_floor_s(self, batch_id: int) -> float:
        """Give when a batch came."""
        table = tables.batch
        with self._engine.connect() as connection:
            return float(
                connection.execute(select(table.c.received_floor_s).where(table.c.batch_id == batch_id)).scalar_one()
            )

    def was_returned(self, blank: int) -> bool:
        """Say whether a blank came back from outside before `low`.  The first call reads all that ever did."""
        if self._returned is None:
            told = self._reader.forward(1, self.low, (CardReturned,))
            self._returned = {one.move.blank for one in told if isinstance(one.move, CardReturned)}
        return blank in self._returned

    def proposed(self, act_ids: set[int]) -> dict[int, ActProposed]:
        """Give the acts of these numbers that were proposed before the span, as far as `WALK_MOVES` before it."""
        found: dict[int, ActProposed] = {}
        mentions = [pack(number) for number in sorted(act_ids)][:100]
        for told in self._reader.backward(self.first, (ActProposed,), WALK_MOVES, mentions) if act_ids else ():
            if isinstance(told.move, ActProposed) and told.move.act_id in act_ids:
                found[told.move.act_id] = told.move
                if len(found) == len(act_ids):
                    break
        return found

    # ---- cases and batches -------------------------------------------------------------------------------------

    def open_at(self, at_floor_s: float, seq: int) -> int:
        """Give the cases open at a time, `seq` being the first move that is not before it: held ones among them."""
        batch, card = tables.batch, tables.card
        first = batch.c.batch_id * CARD_IDS_PER_BATCH
        query = (
            select(func.count())
            .select_from(batch)
            .join(card, card.c.card_id.between(first, first + CARD_IDS_PER_BATCH - 1))
            .where(batch.c.decided_floor_s < at_floor_s)
            .where((batch.c.closed_floor_s == 0) | (batch.c.closed_floor_s >= at_floor_s))
            .where(card.c.state.not_in(_FINAL) | (card.c.move_seq >= seq))
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def late(self) -> tuple[list[LateBatch], int]:
        """Give the batches that were late in the span, the first due first, and how many are left out.

        Late is what was due before the span's end, and was not closed by then or, later, not before its beginning.
        """
        batch, until = tables.batch, self.until_floor_s
        is_late = (batch.c.closed_floor_s == 0) | (
            (batch.c.closed_floor_s > batch.c.due_floor_s) & (batch.c.closed_floor_s >= self.begin_floor_s)
        )
        query = (
            select(batch)
            .where(batch.c.state != "refused", batch.c.due_floor_s < until, batch.c.decided_floor_s < until, is_late)
            .order_by(batch.c.due_floor_s, batch.c.batch_id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [self._late(row) for row in rows[:ROWS_MAX]], max(0, len(rows) - ROWS_MAX)

    def _late(self, row: Any) -> LateBatch:
        card, closed = tables.card, row.closed_floor_s
        first = row.batch_id * CARD_IDS_PER_BATCH
        is_open = not closed or closed >= self.until_floor_s
        query = select(func.count()).where(
            card.c.card_id.between(first, first + CARD_IDS_PER_BATCH - 1),
            card.c.state.not_in(_FINAL) | (card.c.move_seq >= self.end),
        )
        with self._engine.connect() as connection:
            left = connection.execute(query).scalar_one() if is_open else 0
        times = (row.received_floor_s, row.due_floor_s, 0.0 if is_open else closed)
        return LateBatch(row.batch_number, row.upstream, *times, left)
