"""The load of the intake bench: batches made beforehand, and an upstream that brings them over the reference client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psutil
import trio

from bench.batches import Batch, batch_of, population
from controller.asking.exchanges import WINDOW_CHUNKS
from controller.client import TrioUpstreamClient, UpstreamClient
from controller.ledger.receipts import ACCEPTED
from devices.peers import UPSTREAM
from sims.demo.folder import EPOCH, UPSTREAM_NAME, DemoFolder

BATCHES = 20
CHUNK_CARDS = 125  # 2 MB
LOOK_EVERY_S, SAMPLE_EVERY_S = 0.02, 0.05
OPEN, WITHIN_S = "open", 900.0


@dataclass(slots=True)
class Brought:
    """How bringing all batches went; times are of `time.monotonic`."""

    began_s: float
    ended_s: float = 0.0
    cpu_s: float = 0.0  # of the service
    client_cpu_s: float = 0.0
    rss_bytes: list[tuple[float, int]] = field(default_factory=list)  # when, and the service's memory
    chunk_ended_s: list[float] = field(default_factory=list)
    chunk_s: list[float] = field(default_factory=list)
    accepted: int = 0

    @property
    def wall_s(self) -> float:
        """Give the seconds from the first announcement until the receipts of all batches were durable."""
        return self.ended_s - self.began_s


def batches_of(count: int, seed: int = 1) -> list[Batch]:
    """Give `count` good applications in 20 batches of one size, or nearly."""
    today = EPOCH[:10].replace("-", "")
    people = population(today, seed)
    cuts = [number * count // BATCHES for number in range(BATCHES + 1)]
    return [batch_of(people, number, range(*cut), today) for number, cut in enumerate(pairwise(cuts))]


def chunks_of(batches: Sequence[Batch]) -> Iterator[tuple[Batch, int]]:
    """Give each chunk as its batch and its first index, in order."""
    for batch in batches:
        for first in range(0, len(batch.applications), CHUNK_CARDS):
            yield batch, first


def bring(folder: DemoFolder, batches: Sequence[Batch], service: psutil.Process) -> Brought:
    """Bring all batches, and give how it went.  Raises: ClientError."""
    brought = trio.run(_bring, folder, batches, service)
    with UpstreamClient.connect(*_line(folder)) as client:
        after = 0
        while items := client.receipts(after).items:
            brought.accepted += sum(receipt.kind == ACCEPTED for receipt in items)
            after = items[-1].number
    return brought


def _line(folder: DemoFolder) -> tuple[str, Path, Path]:
    secret = folder.peers / UPSTREAM / f"{UPSTREAM_NAME}.secret"
    return folder.endpoints["upstreams"], folder.server_public, secret


async def _bring(folder: DemoFolder, batches: Sequence[Batch], service: psutil.Process) -> Brought:
    async with TrioUpstreamClient.connect(*_line(folder)) as client:
        await client.hello()
        before, mine_s = service.cpu_times(), time.process_time()
        brought = Brought(time.monotonic())
        with trio.fail_after(WITHIN_S), _Sampler(service, brought):
            await _send(client, batches, brought)
            for batch in batches:
                while (await client.status(batch.batch_number)).state != OPEN:  # noqa: ASYNC110  a service is asked
                    await trio.sleep(LOOK_EVERY_S)
            brought.ended_s = time.monotonic()
        after = service.cpu_times()
        brought.client_cpu_s = time.process_time() - mine_s
        brought.cpu_s = after.user + after.system - before.user - before.system
    return brought


async def _send(client: TrioUpstreamClient, batches: Sequence[Batch], brought: Brought) -> None:
    """Send chunk after chunk, as many at once as the reference client does, without waiting for verdicts."""
    for batch in batches:
        await client.open_batch(batch.batch_number, batch.due, len(batch.applications), batch.digest)
    chunks = chunks_of(batches)

    async def work() -> None:
        for batch, first in chunks:
            began_s = time.monotonic()
            await client.send_chunk(batch.batch_number, first, batch.applications[first : first + CHUNK_CARDS])
            brought.chunk_ended_s.append(time.monotonic())
            brought.chunk_s.append(brought.chunk_ended_s[-1] - began_s)

    async with trio.open_nursery() as nursery:
        for _ in range(WINDOW_CHUNKS):
            nursery.start_soon(work)


class _Sampler:
    """Samples the service's memory in a thread, for the time of a `with`."""

    def __init__(self, service: psutil.Process, brought: Brought) -> None:
        self._service, self._brought, self._over = service, brought, threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake memory", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_EVERY_S):
            self._brought.rss_bytes.append((time.monotonic(), self._service.memory_info().rss))
