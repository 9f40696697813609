"""Giving up: a batch that an upstream announced and never brought whole is refused once its time is over."""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio

from controller.core.events import AnyEvent, BatchChecked
from controller.hosts.live import Ticket
from controller.ledger.inbox import NEVER_WHOLE, GiveUpBatch, InboxBatch
from controller.ledger.store import Ledger

log = structlog.get_logger()


class GivingUp:
    """Refuses one batch at a time.

    `history` is the judge's lock: whether the floor has heard of a batch must not change in between.  `forget` lets
    intake count the batch no more.
    """

    def __init__(
        self,
        ledger: Ledger,
        history: trio.Lock,
        post: Callable[[AnyEvent], Ticket],
        forget: Callable[[int], None],
    ) -> None:
        self._ledger, self._history, self._post, self._forget = ledger, history, post, forget

    async def give_up(self, batch: InboxBatch) -> bool:
        """Refuse a batch that was never brought whole, durable on return; False when it became whole."""
        async with self._history:
            if not await self._ledger.write(GiveUpBatch(batch.batch_id)):
                return False
            if await trio.to_thread.run_sync(self._ledger.reader.batch, batch.batch_id) is None:
                told = (batch.batch_number, batch.upstream, batch.card_kind, batch.received_floor_s, 0.0)
                await self._post(BatchChecked(batch.batch_id, *told, [], [NEVER_WHOLE])).wait()
        self._forget(batch.batch_id)
        log.info("batch given up, it was never brought whole", batch_number=batch.batch_number)
        return True
