"""Claims: who stores which applications of a batch, so that two that bring the same one do it one after another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trio.lowlevel import ParkingLot


class Claims:
    """Lets at once do what does not overlap; whoever wants what another holds waits until that one is done."""

    def __init__(self) -> None:
        self._held: dict[int, list[range]] = {}  # batch -> indexes
        self._waiting = ParkingLot()

    @asynccontextmanager
    async def of(self, batch_id: int, indexes: range) -> AsyncIterator[None]:
        """Hold some applications of a batch for the time of an `async with`; cancelled while it waits, nothing is."""
        while any(_overlap(indexes, held) for held in self._held.get(batch_id, ())):
            await self._waiting.park()
        mine = self._held.setdefault(batch_id, [])
        mine.append(indexes)
        try:
            yield
        finally:
            mine.remove(indexes)
            if not mine:
                del self._held[batch_id]
            self._waiting.unpark_all()


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop
