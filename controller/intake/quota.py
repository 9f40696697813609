"""Quotas: what one upstream may bring, so that none of them leaves no room for the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from controller.clock import FloorClock, day_start_floor_s, floor_date
from controller.config import UpstreamConfig
from controller.core.calendar import DAY_S
from controller.ledger.inbox import InboxBatch, InboxState
from controller.wire import Busy, Refusal

BUSY_LEAST_S = 1.0
NEVER = "your quota is {0:,} applications a day, so this never fits: send it in smaller batches, or have it raised"


class UpstreamQuota:
    """Counts what each upstream announced today and has open; asked and told on one thread.

    A batch is charged when it is announced, once, by its number; what is sent again costs nothing.
    """

    def __init__(self, config: UpstreamConfig, clock: FloorClock, today: Iterable[InboxBatch] = ()) -> None:
        """Begin with what was announced `today`, before the last stop."""
        self._config, self._clock = config, clock
        self._quotas = config.per_day()
        self._day = floor_date(clock.now_floor_s())
        self._charged: dict[str, dict[str, int]] = {}  # upstream -> batch number -> applications
        self._receiving: dict[int, str] = {}  # batch -> upstream
        self._chunks: Counter[str] = Counter()
        for batch in today:
            if batch.received_on == self._day and batch.state != InboxState.RETURNED:
                self._charged.setdefault(batch.upstream, {})[batch.batch_number] = batch.count

    @property
    def receiving(self) -> int:
        """Give the batches, of all upstreams, of which applications are missing."""
        return len(self._receiving)

    def left_today(self, upstream: str) -> int:
        """Give the applications an upstream may still announce on this floor day."""
        self._turn_page()
        return self._quota_of(upstream) - sum(self._charged.get(upstream, {}).values())

    def charge(self, upstream: str, batch_number: str, count: int, request: int) -> Busy | Refusal | None:
        """Charge a new batch; give why it is not taken now, and then nothing is charged.

        `Busy` names the real seconds until the next floor day; a batch that fits into no day is `quota.never`.
        """
        self._turn_page()
        charged = self._charged.setdefault(upstream, {})
        if batch_number in charged:
            return None
        if count > self._quota_of(upstream):
            text = NEVER.format(self._quota_of(upstream))
            return Refusal(request=request, code="quota.never", text=text, field="count")
        if count > self.left_today(upstream):
            tomorrow_s = self._clock.real_s_until(day_start_floor_s(self._day) + DAY_S)
            return Busy(request=request, retry_after_s=max(BUSY_LEAST_S, tomorrow_s))
        charged[batch_number] = count
        return None

    # ---- what is open ------------------------------------------------------------------------------------------

    def has_room(self, upstream: str) -> bool:
        """Say whether an upstream may begin another batch before others of its own are whole."""
        return sum(one == upstream for one in self._receiving.values()) < self._config.batches_max

    def began(self, upstream: str, batch_id: int) -> None:
        """Take that applications of a batch are missing."""
        self._receiving[batch_id] = upstream

    def is_whole(self, batch_id: int) -> None:
        """Take that a batch is whole."""
        self._receiving.pop(batch_id, None)

    def take_chunk(self, upstream: str) -> bool:
        """Take a chunk into work, unless its upstream has enough of them there; then say no."""
        if self._chunks[upstream] >= self._config.chunks_max:
            return False
        self._chunks[upstream] += 1
        return True

    def end_chunk(self, upstream: str) -> None:
        """Take that a chunk is out of work."""
        self._chunks[upstream] -= 1

    def _quota_of(self, upstream: str) -> int:
        return self._quotas.get(upstream, self._config.applications_per_day)

    def _turn_page(self) -> None:
        today = floor_date(self._clock.now_floor_s())
        if today != self._day:
            self._day = today
            self._charged.clear()
