"""Refused attempts: each leaves a row in the audit, and a flood of them a row a minute with a count."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import structlog
import trio

from controller.core.rights_events import AttemptRefused
from controller.hosts.live import Ticket
from controller.minutes import Minutes

log = structlog.get_logger()
LOOK_EVERY_S = 5.0
MINUTES_MAX = 10_000  # open at once; what comes beyond is only counted with the others of its person


class Attempt(NamedTuple):
    """Who tried what, and why it was refused: names that exist, nothing of the request's own words."""

    by: str
    verb: str
    act: str
    code: str


class Denials:
    """Lets attempts leave rows: the first of its kind at once, those of the minute after it together.

    At most one row a minute for one person, verb, act and code.  What a kill of the service takes is a count of less
    than a minute; that somebody tried is durable before the answer leaves.
    """

    def __init__(
        self, post: Callable[[AttemptRefused], Ticket], now_s: Callable[[], float] = trio.current_time
    ) -> None:
        self._post, self._now_s = post, now_s
        self._minutes = Minutes[Attempt]()  # real ones: the ledger grows with them, not with the floor's

    async def note(self, attempt: Attempt) -> None:
        """Count an attempt; the first of its kind is durable when this returns."""
        if not self._minutes.is_kept(attempt) and len(self._minutes) >= MINUTES_MAX:
            attempt = Attempt(attempt.by, "", "", attempt.code)
        if count := self._minutes.add(attempt, self._now_s()):
            await self._record(attempt, count)

    async def run(self) -> None:
        """Record what waits, until cancelled."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            await self.record_due()

    async def record_due(self) -> None:
        """Let what was counted in a minute that is over leave its row."""
        for attempt, count in self._minutes.due(self._now_s()):
            await self._record(attempt, count)

    async def _record(self, attempt: Attempt, count: int) -> None:
        log.warning("attempt refused", **attempt._asdict(), count=count)
        await self._post(AttemptRefused(*attempt, count)).wait()
