"""Refused attempts: each leaves a row in the audit, and a flood of them a row a minute with a count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog
import trio

from controller.core.rights_events import AttemptRefused
from controller.hosts.live import Ticket

log = structlog.get_logger()
WINDOW_S = 60.0  # real seconds: the ledger grows with them, not with the floor's
LOOK_EVERY_S = 5.0
WINDOWS_MAX = 10_000  # open at once; what comes beyond is only counted with the others of its person


class Attempt(NamedTuple):
    """Who tried what, and why it was refused: names that exist, nothing of the request's own words."""

    by: str
    verb: str
    act: str
    code: str


@dataclass(slots=True)
class _Window:
    ends_s: float
    more: int = 0  # attempts since the row


class Denials:
    """Lets attempts leave rows: the first of its kind at once, those of the minute after it together.

    At most one row a minute for one person, verb, act and code.  What a kill of the service takes is a count of less
    than a minute; that somebody tried is durable before the answer leaves.
    """

    def __init__(
        self, post: Callable[[AttemptRefused], Ticket], now_s: Callable[[], float] = trio.current_time
    ) -> None:
        self._post, self._now_s = post, now_s
        self._windows: dict[Attempt, _Window] = {}

    async def note(self, attempt: Attempt) -> None:
        """Count an attempt; the first of its kind is durable when this returns."""
        if attempt not in self._windows and len(self._windows) >= WINDOWS_MAX:
            attempt = Attempt(attempt.by, "", "", attempt.code)
        window = self._windows.get(attempt)
        if window is not None:
            window.more += 1
            return
        self._windows[attempt] = _Window(self._now_s() + WINDOW_S)
        await self._record(attempt, 1)

    async def run(self) -> None:
        """Close the windows whose minute is over, until cancelled."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            await self.close_windows()

    async def close_windows(self) -> None:
        """Let what was counted in a window that is over leave its row, which opens the next window."""
        now_s = self._now_s()
        for attempt, window in list(self._windows.items()):
            if window.ends_s > now_s:
                continue
            if not window.more:
                del self._windows[attempt]
                continue
            count, window.more, window.ends_s = window.more, 0, now_s + WINDOW_S
            await self._record(attempt, count)

    async def _record(self, attempt: Attempt, count: int) -> None:
        log.warning("attempt refused", **attempt._asdict(), count=count)
        await self._post(AttemptRefused(*attempt, count)).wait()
