"""Long looks under way: who asks for one that is under way gets its answer, and they are taken one at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import trio


class _Flight:
    """One look: `landed` once it is over, with a result unless it was cancelled or failed."""

    __slots__ = ("has_result", "landed", "result")

    def __init__(self) -> None:
        self.landed = trio.Event()
        self.has_result = False
        self.result: Any = None


class Flights:
    """Runs long looks in a thread; a client that repeats its question because no answer came begins none anew."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight] = {}
        self._one = trio.CapacityLimiter(1)

    async def share(self, key: Hashable, look: Callable[[], Any]) -> Any:
        """Give what `look` gives, or what one under way by the same `key` will.

        Cancelled, the thread ends when `look` asks `trio.from_thread.check_cancelled`; who shared it looks again.
        """
        flight = self._under_way.get(key)
        while flight is not None:
            await flight.landed.wait()
            if flight.has_result:
                return flight.result
            flight = self._under_way.get(key)
        flight = self._under_way[key] = _Flight()
        try:
            flight.result = await trio.to_thread.run_sync(look, limiter=self._one)
            flight.has_result = True
            return flight.result
        finally:
            del self._under_way[key]
            flight.landed.set()
