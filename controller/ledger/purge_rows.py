"""The ledger's part of a purge: which batches it takes, and what it blanks of their rows in the inbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, or_, select, update

from controller.application import CARD_IDS_PER_BATCH
from controller.core.cards import State
from controller.ledger import tables
from controller.ledger.inbox import InboxState
from controller.ledger.row_hash import rehash, rows_hash

DAY_S = 86_400
SLICES_SHOWN, DAYS_SHOWN = 500, 10
QUERY_ROWS = 500  # so many batches are asked about in one query
BLANK = b""
MADE = (State.MADE.value, State.DISPATCHED.value)  # two keyed digests of such a card's person stay (law 8)


@dataclass(frozen=True, slots=True)
class DueBatches:
    """What a purge of all batches closed before a time takes; refused ones are closed when they are refused."""

    batches: int
    applications: int
    dispatched: int
    oldest_floor_s: float  # when the first and the last of them were closed, 0 when there is none
    newest_floor_s: float
    unfinished: int  # announced before that time and never brought whole: no purge takes them


@dataclass(frozen=True, slots=True)
class PurgedDay:
    """How many batches were purged on one floor day, and when the last of them was."""

    purged_floor_s: float
    batches: int


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
        query = select(batch.c.batch_id).where(_is_due(closed_before_floor_s), batch.c.batch_id > after)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(batch.c.batch_id).limit(limit)).scalars())

    def unused_returns(self, before_floor_s: float) -> list[int]:
        """Give the cases of returned cards that were cut short before a time and never came to the floor."""
        inbox, batch = tables.inbox_batch, tables.batch
        query = select(inbox.c.batch_id).outerjoin(batch, batch.c.batch_id == inbox.c.batch_id)
        query = query.where(batch.c.batch_id.is_(None), inbox.c.state == InboxState.RETURNED.value)
        with self._engine.connect() as connection:
            return list(connection.execute(query.where(inbox.c.received_floor_s < before_floor_s)).scalars())

    def summary(self, closed_before_floor_s: float) -> DueBatches:
        """Give what a purge would take."""
        batch, inbox = tables.batch, tables.inbox_batch
        times = (func.min(batch.c.closed_floor_s), func.max(batch.c.closed_floor_s))
        sums = (func.sum(inbox.c.count), func.sum(batch.c.dispatched))
        joined = batch.outerjoin(inbox, inbox.c.batch_id == batch.c.batch_id)
        found = select(func.count(), *sums, *times).select_from(joined).where(_is_due(closed_before_floor_s))
        stale = select(func.count()).where(
            inbox.c.state == InboxState.RECEIVING.value, inbox.c.received_floor_s < closed_before_floor_s
        )
        with self._engine.connect() as connection:
            one = connection.execute(found).one()
            unfinished = connection.execute(stale).scalar_one()
        return DueBatches(one[0], int(one[1] or 0), int(one[2] or 0), one[3] or 0.0, one[4] or 0.0, unfinished)

    def left(self, closed_before_floor_s: float) -> int:
        """Give how many batches a purge under way has still to take."""
        query = select(func.count()).select_from(tables.batch).where(_is_due(closed_before_floor_s))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def done(self) -> list[PurgedDay]:
        """Give the last days on which batches were purged, the newest first; at most 10, of the last 500 slices."""
        at = tables.batch.c.purged_floor_s
        query = select(at, func.count()).where(at > 0).group_by(at).order_by(at.desc()).limit(SLICES_SHOWN)
        days: dict[int, PurgedDay] = {}
        with self._engine.connect() as connection:
            for at_floor_s, batches in connection.execute(query):
                known = days.get(int(at_floor_s // DAY_S), PurgedDay(at_floor_s, 0))
                days[int(at_floor_s // DAY_S)] = PurgedDay(known.purged_floor_s, known.batches + batches)
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


def _is_due(closed_before_floor_s: float) -> Any:
    batch = tables.batch
    closed = and_(batch.c.closed_floor_s > 0, batch.c.closed_floor_s < closed_before_floor_s)
    return and_(closed, batch.c.purged_floor_s == 0)
