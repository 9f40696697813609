"""The centre of the resend bench: the service's own wiring on a real ledger and vault, its doors without sockets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast

import trio

from controller.clock import FloorClock, day_start_floor_s
from controller.config import ClockConfig, Config, MetricsConfig, ServiceConfig, StorageConfig
from controller.ledger.store import open_ledger
from controller.metrics import Metrics
from controller.upkeep.books import open_books
from controller.upkeep.disk import DiskWatch
from controller.vault.store import open_vault
from controller.wire import Answer
from controller.wiring import Doors, Parts, check_context, open_floor
from devices.key_ring import KeyRing
from devices.zap import RouterSocket
from devices.zlink import Context, Delivery
from encoders.envelope import pack

TODAY = "20260302"
UPSTREAM_NAME = "north"
QUEUE_MESSAGES = 1_000


class Hatch:
    """A door without a socket: what `controller.doors` needs of a router; it lives and dies with its service."""

    endpoint = "memory"

    def __init__(self) -> None:
        self._into, self._waiting = trio.open_memory_channel[Delivery](QUEUE_MESSAGES)
        self._answers: dict[bytes, trio.MemorySendChannel[bytes]] = {}
        self._peers = count(1)
        self.heard: set[str] = set()
        self._awake = trio.Event()
        self._awake.set()

    def drop_revoked(self) -> int:
        """Hang up on nobody: here are no keys."""
        return 0

    def rest(self, user: str) -> None:
        """Give nothing until `wake`: there is one user."""
        self._awake = trio.Event()

    def wake(self, user: str) -> None:
        """Go on."""
        self._awake.set()

    async def recv(self) -> Delivery:
        """Give the next message."""
        await self._awake.wait()
        return await self._waiting.receive()

    async def recv_many(self, limit: int) -> list[Delivery]:
        """Give the next message: one is enough."""
        return [await self.recv()]

    def send(self, peer: bytes, body: bytes) -> None:
        """Hand an answer to who waits for it; nobody may."""
        answers = self._answers.pop(peer, None)
        if answers is not None:
            answers.send_nowait(body)

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame as a peer of its own, and give its answer."""
        peer = f"p{next(self._peers)}".encode()
        told, answers = trio.open_memory_channel[bytes](1)
        self._answers[peer] = told
        try:
            await self._into.send(Delivery(peer, UPSTREAM_NAME, frame))
            return await answers.receive()
        finally:
            self._answers.pop(peer, None)


class NoLinks:
    """Stands where the service has its ZeroMQ context: the wiring never asks it anything."""


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Hatch]:
    """Give the upstreams' door of a service on `folder`, recovered from its ledger; cancelled when the body ends.

    Whatever is under way then is cut at its next await, the judge too; the ledger keeps what was queued.
    """
    config = settings(folder)
    async with open_ledger(folder) as ledger, open_vault(folder) as vault:
        opened = await trio.to_thread.run_sync(open_books, ledger, config)
        books = opened.books
        clock = FloorClock(max(day_start_floor_s(TODAY) + 3_600.0, books.last_floor_s), time.time())
        metrics = Metrics(books.tally, books.foreman.state)
        links, ring = cast(Context, NoLinks()), KeyRing(folder / "keys")
        disk = DiskWatch(folder, config.storage)
        parts = Parts(folder, ledger, vault, books, metrics, clock, check_context(config), ring, links, disk)
        hatches = [Hatch(), Hatch(), Hatch()]
        async with trio.open_nursery() as nursery:
            await open_floor(config, parts, nursery, Doors(*cast(list[RouterSocket], hatches)))
            yield hatches[0]
            nursery.cancel_scope.cancel()


def settings(folder: Path) -> Config:
    """Give the defaults, but for what needs a network or a large disk."""
    return Config(
        service=ServiceConfig(folder=str(folder)),
        metrics=MetricsConfig(listen=""),
        clock=ClockConfig(simulated=True),
        storage=StorageConfig(free_min_mib=1, reserve_mib=0),
    )


def frame_of(message: dict[str, Any] | Answer) -> bytes:
    """Give the bytes of a message."""
    return pack(message)
