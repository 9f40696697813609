"""A line that loses, repeats and delays messages, put between a simulated station and its link."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Protocol

import trio

from devices.keys import LinkError
from sims.faults import WireFaults


class Dealer(Protocol):
    """A station's end of a link: `devices.zlink` and `devices.memlink` have it."""

    async def recv(self) -> bytes | memoryview:
        """The next message.  Raises: LinkError."""
        ...

    async def send(self, body: bytes) -> None:
        """Send, waiting for room.  Raises: LinkError."""
        ...


class BadLine:
    """A dealer whose messages suffer, both ways.  What is late or repeated is overtaken by what follows."""

    def __init__(self, dealer: Dealer, faults: WireFaults, random: Random, nursery: trio.Nursery) -> None:
        self._dealer, self._faults, self._random, self._nursery = dealer, faults, random, nursery
        self._into, self._inbox = trio.open_memory_channel[bytes](math.inf)  # bounded by what the dealer gives
        self._fault: LinkError | None = None

    async def recv(self) -> bytes:
        """The next message that got through.  Raises: LinkError."""
        try:
            return await self._inbox.receive()
        except trio.EndOfChannel:
            raise self._fault or LinkError("link.closed") from None

    async def send(self, body: bytes) -> None:
        """Send, as far as the line lets it.  Raises: LinkError."""
        await trio.lowlevel.checkpoint()
        for late_s in self._fates():
            if late_s:
                self._nursery.start_soon(self._later, self._dealer.send, bytes(body), late_s)
            else:
                await self._dealer.send(body)

    async def pump(self) -> None:
        """Bring what the dealer receives; runs until cancelled or the link fails."""
        try:
            while True:
                body = bytes(await self._dealer.recv())
                for late_s in self._fates():
                    if late_s:
                        self._nursery.start_soon(self._later, self._into.send, body, late_s)
                    else:
                        self._into.send_nowait(body)
        except LinkError as error:
            self._fault = error
            self._into.close()

    def _fates(self) -> list[float]:
        """Give for each copy that arrives how many seconds late it is."""
        if self._random.random() < self._faults.lost:
            return []
        copies = 2 if self._random.random() < self._faults.repeated else 1
        return [
            self._random.uniform(0, self._faults.late_s) if self._random.random() < self._faults.late else 0.0
            for _ in range(copies)
        ]

    async def _later(self, send: Callable[[bytes], Awaitable[None]], body: bytes, late_s: float) -> None:
        await trio.sleep(late_s)
        try:
            await send(body)
        except (LinkError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()  # the link failed meanwhile: one more message lost


@asynccontextmanager
async def bad_line(dealer: Dealer, faults: WireFaults, random: Random) -> AsyncIterator[Dealer]:
    """The dealer itself on a good line, else one behind a bad line."""
    if not (faults.lost or faults.repeated or faults.late):
        yield dealer
        return
    async with trio.open_nursery() as nursery:
        line = BadLine(dealer, faults, random, nursery)
        nursery.start_soon(line.pump)
        yield line
        nursery.cancel_scope.cancel()
