"""Brings what happens to accounts into the ledger: at most one row an account, kind and minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog
import trio

from controller.accounts.noted_acts import AccountAct, noted_acts
from controller.act_files import forget_act
from controller.core.events import AccountTouched, AnyEvent
from controller.hosts.live import Ticket
from controller.minutes import Minutes

log = structlog.get_logger()
LOOK_EVERY_S = 60.0  # real seconds between two looks

Post = Callable[[AnyEvent], Ticket]
Note = Callable[[str, str, str], None]


class Recorder:
    """The one who posts.  What waits for its minute at a stop of the service is not recorded; its first always is."""

    def __init__(self, folder: Path, post: Post) -> None:
        self._folder, self._post, self._minutes = folder, post, Minutes[AccountAct]()

    def note(self, what: str, account: str, by: str) -> None:
        """Take one thing that happened at the console; see `noted_acts` for the words."""
        act = AccountAct(what, account, by)
        if times := self._minutes.add(act, trio.current_time()):
            self._post(_event(act, times))

    async def run(self) -> None:
        """Record what waits, until cancelled."""
        while True:
            for act, times in self._minutes.due(trio.current_time()):
                self._post(_event(act, times))
            await self.record_noted()
            await trio.sleep(LOOK_EVERY_S)

    async def record_noted(self) -> None:
        """Bring what the administrator's commands noted into the ledger; equal ones are one row."""
        found = await trio.to_thread.run_sync(noted_acts, self._folder)
        for path in (path for path, act in found if act is None):
            log.error("an act on accounts cannot be read and is not recorded", file=path.name)
        for act, times in Counter(act for _, act in found if act).items():
            await self._post(_event(act, times)).wait()
            for path in [path for path, one in found if one == act]:
                await trio.to_thread.run_sync(forget_act, path)


def _event(act: AccountAct, times: int) -> AccountTouched:
    return AccountTouched(act.what, act.account, act.by, times)
