"""Pages of receipts: whoever asks for many at once gets them one after the other, and holds up nobody."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import trio

from controller.intake.receipt_pages import UpstreamReceipts
from controller.wire import FetchReceipts

ASKED = 5
SURELY_S = 60.0


class SlowReader:
    """Reads receipts of `greedy` only when it is let, and notes how many read at a time."""

    def __init__(self) -> None:
        self.let, self.has_begun, self.most, self.begun = threading.Semaphore(0), threading.Event(), 0, 0
        self._reading, self._lock = 0, threading.Lock()

    def cursor_at(self, user: str, cursor: int) -> int:
        return cursor

    def receipts(self, user: str, after: int, limit: int) -> list[object]:
        if user != "greedy":
            return []
        with self._lock:
            self.begun += 1
            self._reading += 1
            self.most = max(self.most, self._reading)
        self.has_begun.set()
        assert self.let.acquire(timeout=SURELY_S)
        with self._lock:
            self._reading -= 1
        return []


async def test_pages_of_one_upstream_are_made_one_at_a_time_and_another_gets_its_own_meanwhile():
    reader, answered = SlowReader(), []
    pages = UpstreamReceipts(SimpleNamespace(reader=reader))

    async def ask(user: str) -> None:
        await pages.fetch(user, FetchReceipts(after=0, limit=10))
        answered.append(user)

    with trio.fail_after(SURELY_S):
        async with trio.open_nursery() as nursery:
            for _ in range(ASKED):
                nursery.start_soon(ask, "greedy")
            assert await trio.to_thread.run_sync(reader.has_begun.wait, SURELY_S)
            for _ in range(3):
                await ask("modest")
            assert answered == ["modest"] * 3
            assert (reader.begun, reader.most) == (1, 1)
            for _ in range(ASKED):
                reader.let.release()
    assert answered.count("greedy") == ASKED
    assert reader.most == 1
