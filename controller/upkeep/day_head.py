"""The daily head: when a floor day is over, digests of what stands outside the chain become a move of it."""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from controller.clock import FloorClock, day_start_floor_s, floor_date
from controller.core.calendar import DAY_S
from controller.core.events import AnyEvent, TablesDigested
from controller.core.state import FloorState
from controller.hosts.live import Ticket
from controller.ledger import tables
from controller.ledger.engine import reason_of
from controller.ledger.inbox import InboxState
from controller.ledger.journal import last_event
from controller.ledger.row_hash import kept_hash, places_of, rows_hash

log = structlog.get_logger()
REST_S = 1.0  # real seconds between two heads at least: a simulated day may be shorter
BATCHES_MAX = 20_000  # of one head: what is left comes with the next
WAITING = (InboxState.RECEIVING.value, InboxState.WHOLE.value, InboxState.CHECKED.value)


class DayHeads:
    """Posts one head for each floor day that ended; days that were missed have theirs together, in the last one's."""

    def __init__(
        self, ledger: Engine, clock: FloorClock, state: FloorState, post: Callable[[AnyEvent], Ticket]
    ) -> None:
        self._ledger, self._clock, self._state, self._post = ledger, clock, state, post

    async def run(self) -> None:
        """Post heads until cancelled; one is durable before the next is read, so none pile up."""
        while True:
            today = day_start_floor_s(floor_date(self._clock.now_floor_s()))
            await self.post_until(today)
            await trio.sleep(max(REST_S, self._clock.real_s_until(today + DAY_S)))

    async def post_until(self, today_floor_s: float) -> None:
        """Post the head of the day that ended at a midnight, if it was not posted before and there is anything."""
        if floor_date(today_floor_s - 1) <= self._state.folded_day:
            return
        try:
            event = await trio.to_thread.run_sync(digested, self._ledger, today_floor_s)
        except DBAPIError as error:  # the floor goes on; the next day's head takes what this one would have
            log.error("daily head not made", reason=reason_of(error))
            return
        if event is not None:
            await self._post(event).wait()
            log.info("daily head", day=event.day, batches=len(event.batches), cursors=len(event.cursors))


def digested(ledger: Engine, today_floor_s: float) -> TablesDigested | None:
    """Give what the tables outside the chain hold now, for the day that ended at a midnight; for a worker thread.

    Only what is committed is read, in one transaction.  None when the ledger is younger than that midnight.
    Cost: 4 us for each application of the day, and of the batches that wait.
    """
    batch, cursor, move, meta = tables.batch, tables.receipt_cursor, tables.move, tables.meta
    with ledger.connect() as connection:
        first = connection.execute(select(move.c.at_floor_s).where(move.c.seq == 1)).scalar()
        if first is None or first >= today_floor_s:
            return None
        # whose verdicts are out, so that the inbox does not change its rows any more
        query = select(batch.c.batch_id).where(batch.c.rows_hash == b"").order_by(batch.c.batch_id)
        batches = connection.execute(query.limit(BATCHES_MAX)).scalars().all()
        digests = [(batch_id, rows_hash(connection, batch_id)) for batch_id in batches]
        upto = select(cursor.c.upstream, cursor.c.acknowledged).order_by(cursor.c.upstream)
        cursors = [(row[0], row[1]) for row in connection.execute(upto)]
        words = [(row[0], row[1]) for row in connection.execute(select(meta.c.key, meta.c.value).order_by(meta.c.key))]
        event_seq, event_hash = last_event(connection)
        told = (digests, cursors, words, _waiting(connection))
    return TablesDigested(floor_date(today_floor_s - 1), event_seq, event_hash, *told)


def _waiting(connection: Connection) -> list[tuple[int, list[tuple[int, int]], bytes]]:
    """Give the batches whose verdicts are not out, as far as rows of them are stored: see `TablesFolded`."""
    inbox, batch = tables.inbox_batch, tables.batch
    query = select(inbox.c.batch_id).outerjoin(batch, batch.c.batch_id == inbox.c.batch_id)
    query = query.where(batch.c.batch_id.is_(None), inbox.c.state.in_(WAITING)).order_by(inbox.c.batch_id)
    found = connection.execute(query.limit(BATCHES_MAX)).scalars().all()
    placed = [(batch_id, places_of(connection, batch_id)) for batch_id in found]
    return [(batch_id, places, kept_hash(connection, batch_id, places)) for batch_id, places in placed if places]
