"""Where blocking work is done: in a worker thread, in one that virtual time waits for, or at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, TypeVarTuple

import trio

from controller.hosts.virtual import SimClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Executor(Protocol):
    """Runs blocking work for a task: `in_thread`, or one of the others below."""

    def __call__(
        self, work: Callable[[*Ts], T], /, *args: *Ts, limiter: trio.CapacityLimiter | None = None
    ) -> Awaitable[T]:
        """Give what the work gives."""
        ...


async def in_thread(work: Callable[[*Ts], T], /, *args: *Ts, limiter: trio.CapacityLimiter | None = None) -> T:
    """Do blocking work in a worker thread: in real time only."""
    return await trio.to_thread.run_sync(work, *args, limiter=limiter)


async def run_inline(work: Callable[[*Ts], T], /, *args: *Ts, limiter: trio.CapacityLimiter | None = None) -> T:
    """Do blocking work in the trio thread: in virtual time it takes none."""
    await trio.lowlevel.checkpoint()
    return work(*args)


def held_threads(clock: SimClock) -> Executor:
    """Give what runs work in threads, and holds the clock meanwhile."""

    async def run(work: Callable[[*Ts], T], /, *args: *Ts, limiter: trio.CapacityLimiter | None = None) -> T:
        with clock.hold():
            return await in_thread(work, *args, limiter=limiter)

    return run
