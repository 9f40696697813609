"""The ledger's part of a purge: which batches it takes, and what it blanks of their rows in the inbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, func, literal_column, or_, select, update

from controller.application import CARD_IDS_PER_BATCH
from controller.core.calendar import DAY_S
from controller.core.cards import State
from controller.core.record_moves import BatchesPurged
from controller.ledger import tables
from controller.ledger.inbox import GIVEN_UP, InboxBatch, InboxState
from controller.ledger.journal import TAGS, open_move
from controller.ledger.row_hash import ROW_HASH, rehash, row_hash, rows_hash

SLICES_SHOWN, DAYS_SHOWN = 500, 10
QUERY_ROWS = 500  # so many batches are asked about in one query
BLANK = b""
MADE = (State.MADE.value, State.DISPATCHED.value)  # two keyed digests of such a card's person stay (law 8)


@dataclass(frozen=True, slots=True)
class DueBatches:
    """What a purge of all batches closed before a time takes; refused ones are closed when they are refused.

    It takes the `unfinished` ones too, which are not counted in `batches`.
    """

    batches: int
    applications: int
    dispatched: int
    oldest_floor_s: float  # when the first and the last of them were closed, 0 when there is none
    newest_floor_s: float
    unfinished: int  # announced before that time and never brought whole
    altered: list[int]  # batches that purges left, because their rows are not those that the chain knows


@dataclass(frozen=True, slots=True)
class PurgedDay:
    """How many batches were purged on one floor day, and when the last of them was."""

    purged_floor_s: float
    batches: int
    unfinished: int = 0  # of them never brought whole


@dataclass(frozen=True, slots=True)
class BlankDigests:
    """Blanks the digests of some rows of a purged batch, all but the two keyed ones of cards that were made."""

    batch_id: int
    first: int
    rows: int

    def apply(self, connection: Connection) -> None:
        """Write it; done again it changes nothing."""
        row, card = tables.inbox_application, tables.card
        here = and_(row.c.batch_id == self.batch_id, row.c.idx.between(self.first, self.first + self.rows - 1))
        number = row.c.batch_id * CARD_IDS_PER_BATCH + row.c.idx
        was_made = select(card.c.card_id).where(card.c.card_id == number, card.c.state.in_(MADE)).exists()
        # of the application as it was sent; whether a batch is the same its own digest still says
        connection.execute(update(row).where(here).values(row_digest=BLANK))
        connection.execute(update(row).where(here, ~was_made).values(identity=BLANK, person=BLANK))
        rehash(connection, row, here)


class PurgeReader:
    """Answers about batches that are due to be purged, or were; any thread may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, closed_before_floor_s: float, after: int, limit: int) -> list[int]:
        """Give the batches closed before a time and not purged, numbered above `after`, in order."""
        batch = tables.batch
        query = select(batch.c.batch_id).where(is_due(closed_before_floor_s), batch.c.batch_id > after)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(batch.c.batch_id).limit(limit)).scalars())

    def unfinished(self, before_floor_s: float) -> list[InboxBatch]:
        """Give the batches announced before a time of which the floor never heard, unless they are whole.

        Those that upstreams never brought whole; those of them that were given up when the service was cut short; and
        cases of returned cards and corrections that were cut short, of which nobody was told anything.
        """
        inbox, batch = tables.inbox_batch, tables.batch
        given_up = and_(inbox.c.state == InboxState.REFUSED.value, inbox.c.codes == GIVEN_UP)
        open_ones = inbox.c.state.in_((InboxState.RECEIVING.value, InboxState.RETURNED.value))
        query = select(inbox).outerjoin(batch, batch.c.batch_id == inbox.c.batch_id).order_by(inbox.c.batch_id)
        query = query.where(batch.c.batch_id.is_(None), or_(open_ones, given_up))
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(inbox.c.received_floor_s < before_floor_s)).all()
        return [InboxBatch(*row[:-1]) for row in rows]

    def summary(self, closed_before_floor_s: float) -> DueBatches:
        """Give what a purge would take."""
        batch, inbox = tables.batch, tables.inbox_batch
        times = (func.min(batch.c.closed_floor_s), func.max(batch.c.closed_floor_s))
        sums = (func.sum(inbox.c.count), func.sum(batch.c.dispatched))
        joined = batch.outerjoin(inbox, inbox.c.batch_id == batch.c.batch_id)
        found = select(func.count(), *sums, *times).select_from(joined).where(is_due(closed_before_floor_s))
        stale = select(func.count()).where(
            inbox.c.state == InboxState.RECEIVING.value, inbox.c.received_floor_s < closed_before_floor_s
        )
        with self._engine.connect() as connection:
            one = connection.execute(found).one()
            unfinished = connection.execute(stale).scalar_one()
        times_of = (one[3] or 0.0, one[4] or 0.0)
        return DueBatches(one[0], int(one[1] or 0), int(one[2] or 0), *times_of, unfinished, self.left_altered())

    def left(self, closed_before_floor_s: float) -> int:
        """Give how many batches a purge under way has still to take."""
        query = select(func.count()).select_from(tables.batch).where(is_due(closed_before_floor_s))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def done(self) -> list[PurgedDay]:
        """Give the last days on which batches were purged, the newest first; at most 10, of the last 500 slices."""
        at = tables.batch.c.purged_floor_s
        never_whole = func.sum(case((tables.batch.c.codes == GIVEN_UP, 1), else_=0))
        query = select(at, func.count(), never_whole).where(at > 0).group_by(at).order_by(at.desc())
        days: dict[int, PurgedDay] = {}
        with self._engine.connect() as connection:
            for at_floor_s, batches, unfinished in connection.execute(query.limit(SLICES_SHOWN)):
                known = days.get(int(at_floor_s // DAY_S), PurgedDay(at_floor_s, 0))
                counts = (known.batches + batches, known.unfinished + int(unfinished))
                days[int(at_floor_s // DAY_S)] = PurgedDay(known.purged_floor_s, *counts)
        return list(days.values())[:DAYS_SHOWN]

    def rows_of(self, batch_id: int) -> int:
        """Give one more than the last index the inbox has of a batch."""
        row = tables.inbox_application
        with self._engine.connect() as connection:
            last = connection.execute(select(func.max(row.c.idx)).where(row.c.batch_id == batch_id)).scalar()
        return 0 if last is None else int(last) + 1

    def rows_hash(self, batch_id: int) -> bytes:
        """Give the digest of a batch's rows as they stand."""
        with self._engine.connect() as connection:
            return rows_hash(connection, batch_id)

    def is_altered(self, batch_id: int, *, begun: bool) -> bool:
        """Say whether a batch's rows in the inbox are others than those that were stored there, and the chain knows.

        `begun`: a purge may have been cut short in the midst of them; then those it blanked are as they are.
        """
        batch, row = tables.inbox_batch, tables.inbox_application
        with self._engine.connect() as connection:
            told = connection.execute(
                select(tables.batch.c.rows_hash).where(tables.batch.c.batch_id == batch_id)
            ).scalar()
            blank = False
            for table in (batch, row):
                for one in connection.execute(select(table).where(table.c.batch_id == batch_id)).mappings():
                    if row_hash(table, dict(one)) != one[ROW_HASH]:
                        return True
                    blank |= one.get("row_digest") == BLANK
            if blank:
                return not begun
            return bool(told) and rows_hash(connection, batch_id) != told

    def left_altered(self) -> list[int]:
        """Give the batches that purges left because they are altered, as long as none took them since."""
        move, found = tables.move, set[int]()
        is_purge = move.c.tag == literal_column(f"'{TAGS[BatchesPurged]}'")  # as the index of rare moves has it
        with self._engine.connect() as connection:
            rows = connection.execute(select(move).where(is_purge).order_by(move.c.seq)).all()
        for told in map(open_move, rows):
            if isinstance(told, BatchesPurged):
                found = (found | set(told.altered)) - {batch_id for batch_id, _ in told.batches}
        return sorted(found)

    def never_whole(self, batch_ids: Collection[int]) -> int:
        """Give how many of some batches were given up because they were never brought whole."""
        return len(self._among(batch_ids, tables.batch.c.codes == GIVEN_UP))

    def purged(self, batch_ids: Collection[int]) -> set[int]:
        """Give those of some batches that were purged."""
        return self._among(batch_ids, tables.batch.c.purged_floor_s > 0)

    def barred(self, batch_ids: Collection[int], closed_before_floor_s: float) -> set[int]:
        """Give those of some batches that were purged, or closed before a time."""
        batch = tables.batch
        closed = and_(batch.c.closed_floor_s > 0, batch.c.closed_floor_s < closed_before_floor_s)
        return self._among(batch_ids, or_(batch.c.purged_floor_s > 0, closed))

    def _among(self, batch_ids: Collection[int], where: Any) -> set[int]:
        wanted: Sequence[int] = sorted(batch_ids)
        found: set[int] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), QUERY_ROWS):
                some = tables.batch.c.batch_id.in_(wanted[start : start + QUERY_ROWS])
                found.update(connection.execute(select(tables.batch.c.batch_id).where(some, where)).scalars())
        return found


def is_due(before_floor_s: float) -> ColumnElement[bool]:
    """Give the words for a batch that a purge takes: closed before a time, or announced before it and given up."""
    batch, inbox = tables.batch, tables.inbox_batch
    announced = select(inbox.c.batch_id).where(inbox.c.batch_id == batch.c.batch_id).correlate(batch)
    given_up = and_(batch.c.codes == GIVEN_UP, announced.where(inbox.c.received_floor_s < before_floor_s).exists())
    since = or_(batch.c.closed_floor_s < before_floor_s, given_up)
    return and_(batch.c.closed_floor_s > 0, batch.c.purged_floor_s == 0, since)
