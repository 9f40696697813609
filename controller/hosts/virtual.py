"""Trio in virtual time: a clock that jumps when nothing can run, and stands while work is outside trio's sight."""

from __future__ import annotations

import heapq
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, TypeVar

import trio

REST_S = 3_600.0  # real seconds the loop waits for the outside world at a stretch
T = TypeVar("T")


class SimClock(trio.abc.Clock):
    """Virtual seconds from 0: when no task can run, it is at once the time of the next deadline.

    Trio sees neither threads nor ZeroMQ nor other processes: to it a task that waits for them cannot run, and the
    clock would jump to that very task's time-out.  So who lets work go outside holds the clock until it is back.
    Measured: without, a thread of 50 ms runs into a time-out of 5 s, and half of 200 exchanges over ZeroMQ into one
    of 2 s.  A rest before each jump, which is trio's own way (`MockClock`), is a race and no answer.
    """

    def __init__(self) -> None:
        self.held = 0  # pieces of work outside
        self.jumps = 0
        self._now_s = 0.0
        self._settling: list[tuple[int, int, trio.lowlevel.Task]] = []
        self._count = count()

    # ---- trio's questions --------------------------------------------------------------------------------------

    def start_clock(self) -> None:
        """Begin; there is nothing to do."""

    def current_time(self) -> float:
        """Give the virtual time."""
        return self._now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Give how long the loop may wait in reality; trio asks only when no task can run."""
        if deadline <= self._now_s:
            return 0.0
        if self.held:
            return REST_S  # who comes back is seen by its own wake-up
        if self._settling:
            trio.lowlevel.reschedule(heapq.heappop(self._settling)[2])
            return 0.0
        if deadline == math.inf:
            return REST_S
        self._now_s = deadline
        self.jumps += 1
        return 0.0

    # ---- what tasks ask for ------------------------------------------------------------------------------------

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let time stand while work is outside: a thread, a socket, a process.  In the trio thread only."""
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def settled(self, rank: int = 0) -> None:
        """Return when no other task can run at this instant, before time goes on.

        Tasks that wait so go on one at a time, the lowest rank first: trio wakes tasks of one instant in an order of
        its own luck, and this is how work of one instant gets another one.
        """
        task = trio.lowlevel.current_task()
        entry = (rank, next(self._count), task)
        heapq.heappush(self._settling, entry)

        def abort(raise_cancel: Any) -> trio.lowlevel.Abort:
            self._settling.remove(entry)
            heapq.heapify(self._settling)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


class VirtualFloorClock:
    """The floor's time on a `SimClock`: `scale` floor seconds to a virtual one, from 0, and not rounded.

    With a power of two as scale the time at which a task was woken is to the last bit the one it asked for.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def now_floor_s(self) -> float:
        """Give the floor's time."""
        return trio.current_time() * self.scale

    def real_s_until(self, at_floor_s: float) -> float:
        """Give the virtual seconds until a floor time, 0 when it has passed."""
        return max(0.0, at_floor_s / self.scale - trio.current_time())

    async def sleep_until(self, at_floor_s: float) -> None:
        """Return at a floor time."""
        await trio.sleep_until(at_floor_s / self.scale)


def run_virtual(main: Callable[[SimClock], Awaitable[T]]) -> T:
    """Run a program in virtual time, from 0 on, and give what it gives."""
    clock = SimClock()
    return trio.run(partial(main, clock), clock=clock)
