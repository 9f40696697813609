"""The writer: one thread that commits whatever queued during the last fsync, and tells trio once for each commit."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import trio
from sqlalchemy.exc import SQLAlchemyError

from controller.ledger.committer import Change, Committer, Item
from controller.ledger.engine import reason_of
from controller.ledger.errors import LedgerBehind, LedgerStopped

Result = TypeVar("Result")
Observe = Callable[[float, int], None]

QUEUE_MAX = 20_000  # items; who waits for room waits above this
QUEUE_OVERFLOW = 10 * QUEUE_MAX
GROUP_MAX = 4_096  # items of one commit
IDLE_S = 1.0  # real seconds without work before the log is checkpointed
PING_S = 5.0  # real seconds without work between two looks whether a server is still there


class _Waiting(Item):
    """An item with those who are to hear that it is durable."""

    __slots__ = ("done", "on_durable")

    def __init__(self, change: Any, on_durable: Callable[[], None] | None, done: trio.Event | None) -> None:
        super().__init__(change, forgiving=done is not None)
        self.on_durable, self.done = on_durable, done


class Writer:
    """Takes changes from the trio thread in order and makes them durable in groups.

    `observe(seconds, written)` is called on the trio thread for each commit, with the time it took and what
    `Committer.commit` counted.  After a failed commit `failed` holds the
    reason, nothing of the group is acknowledged, and every call raises LedgerStopped: the service must end, and
    learn from the disk what is there.
    `gather_s`: what nobody waits for is committed at most once in so many real seconds; the first after a pause at
    once, and all of it with the first change that somebody waits for.
    """

    def __init__(
        self,
        committer: Committer,
        name: str,
        *,
        observe: Observe | None = None,
        queue_max: int = QUEUE_MAX,
        group_max: int = GROUP_MAX,
        idle_s: float = IDLE_S,
        gather_s: float = 0.0,
    ) -> None:
        self._committer, self._name, self._observe = committer, name, observe
        self._queue_max, self._group_max, self._idle_s, self._gather_s = queue_max, group_max, idle_s, gather_s
        self._gathered_at_s = -math.inf  # when the last commit began
        self._is_awaited = threading.Event()  # something in the queue is to be committed now
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.Thread(target=self._run, name=f"{name} writer", daemon=True)
        self._room = trio.Event()
        self._failure = trio.Event()
        self._is_stopping = False
        self.failed: LedgerStopped | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def stop(self) -> None:
        """Commit what is queued, end the thread and close the connection.  Not cancelled by anyone."""
        self._is_stopping = True
        self._queue.put(None)
        self._is_awaited.set()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    # ---- what the trio thread asks -----------------------------------------------------------------------------

    def put(self, change: Any, on_durable: Callable[[], None] | None = None) -> None:
        """Queue a change; `on_durable`, which must not raise, is called on the trio thread after its commit.

        Raises: LedgerStopped.  LedgerBehind: far too much is queued; who puts much awaits `room` in between.
        """
        self._enqueue(_Waiting(change, on_durable, None))

    async def write(self, change: Change[Result]) -> Result:
        """Make one change durable and give its result.

        A cancelled call leaves the change queued: it may become durable or not.
        Raises: LedgerStopped.  ChangeRefused and other LedgerErrors of this change alone.
        """
        result: Result = await self.append(change)
        return result

    async def append(self, entry: Any) -> Any:
        """Like `write`, for an entry of the book."""
        await self.room()
        done = trio.Event()
        item = _Waiting(entry, None, done)
        self._enqueue(item)
        await done.wait()
        if item.refusal is not None:
            raise item.refusal
        return item.result

    async def room(self) -> None:
        """Wait until the queue is below its bound."""
        while self._queue.qsize() >= self._queue_max and self.failed is None:
            self._room = self._room if not self._room.is_set() else trio.Event()
            await self._room.wait()

    async def wait_failed(self) -> LedgerStopped:
        """Wait until a commit fails, and give the reason."""
        await self._failure.wait()
        assert self.failed is not None
        return self.failed

    def _enqueue(self, item: _Waiting) -> None:
        if self.failed is not None:
            raise LedgerStopped(f"the {self._name} takes no more: {self._why()}") from self.failed
        if self._is_stopping:
            raise LedgerStopped(f"the {self._name} is closed")
        if self._queue.qsize() >= QUEUE_OVERFLOW:
            raise LedgerBehind(f"{QUEUE_OVERFLOW} changes of the {self._name} wait for the disk")
        self._queue.put(item)
        if item.done is not None or self._queue.qsize() >= self._group_max:
            self._is_awaited.set()

    def _why(self) -> str:
        """Give why it failed, without the code that the sentence around it has."""
        return str(self.failed).removeprefix(f"{LedgerStopped.code}: ")

    # ---- what the thread does ----------------------------------------------------------------------------------

    def _run(self) -> None:
        group: list[_Waiting] = []
        try:
            while group := self._next_group():
                self._commit(group)
        except trio.RunFinishedError:
            pass  # nobody is left to be told
        except Exception as error:  # noqa: BLE001  a task begins here: whatever went wrong ends the writer
            self._fail(error, group)
        finally:
            self._committer.close()

    def _next_group(self) -> list[_Waiting]:
        """Give what is queued, at least one item; nothing when the writer is to stop."""
        first = self._first_item()
        if first is not None:
            self._gather()
        group: list[_Waiting] = []
        while first is not None:
            group.append(first)
            if len(group) == self._group_max:
                return group
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return group
        if group:
            self._queue.put(None)  # the end comes again, after this group
        return group

    def _gather(self) -> None:
        """Let more come to what nobody waits for: each commit costs an fsync and a turn of the loop."""
        left_s = self._gathered_at_s + self._gather_s - time.perf_counter()
        if left_s > 0 and self._queue.qsize() < self._group_max:
            self._is_awaited.wait(left_s)
        self._is_awaited.clear()  # what was queued by now goes into this group
        self._gathered_at_s = time.perf_counter()

    def _first_item(self) -> _Waiting | None:
        while not self._committer.is_checkpointed:
            try:
                return self._queue.get(timeout=self._idle_s)
            except queue.Empty:
                self._committer.checkpoint()
        while self._committer.may_be_lost:
            try:
                return self._queue.get(timeout=PING_S)
            except queue.Empty:
                self._ping()
        return self._queue.get()

    def _ping(self) -> None:
        """Raises: LedgerStopped: the server is gone; known now, and not at the next commit."""
        try:
            self._committer.ping()
        except SQLAlchemyError as error:
            raise LedgerStopped(f"the {self._name}'s connection was lost: {reason_of(error)}") from error

    def _commit(self, group: list[_Waiting]) -> None:
        started = time.perf_counter()
        written = self._committer.commit(group)
        elapsed_s = time.perf_counter() - started
        self._token.run_sync_soon(self._deliver, group, elapsed_s, written)
        self._committer.checkpoint_if_large()

    def _fail(self, error: Exception, group: list[_Waiting]) -> None:
        if isinstance(error, LedgerStopped):
            self.failed = error
        else:
            reason = reason_of(error) if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"
            self.failed = LedgerStopped(f"a commit of the {self._name} failed: {reason}")
            self.failed.__cause__ = error
        try:
            self._token.run_sync_soon(self._deliver_failure, group)
        except trio.RunFinishedError:
            return

    # ---- back on the trio thread -------------------------------------------------------------------------------

    def _deliver(self, group: list[_Waiting], elapsed_s: float, written: int) -> None:
        for item in group:
            if item.done is not None:
                item.done.set()
            if item.on_durable is not None:
                item.on_durable()
        if self._queue.qsize() < self._queue_max:
            self._room.set()
        if self._observe is not None:
            self._observe(elapsed_s, written)

    def _deliver_failure(self, group: list[_Waiting]) -> None:
        """Tell all who wait, those too who came after the group; nobody can come any more."""
        waiting = [item for item in group if item.done is not None]
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is not None and item.done is not None:
                waiting.append(item)
        for item in waiting:
            item.refusal = LedgerStopped(f"this change may not be durable: {self._why()}")
            item.refusal.__cause__ = self.failed
            assert item.done is not None
            item.done.set()
        self._room.set()
        self._failure.set()
