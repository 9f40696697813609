"""The upstream of the soak: it never rests, keeps nothing of what is closed, and counts its receipts."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator

from bench.batches import BATCH_CARDS, Batch
from controller.client import UpstreamClient
from controller.ledger.receipts import BATCH_CLOSED, REFUSED
from controller.wire import Receipt

CHUNK_CARDS = 40
AHEAD_BATCHES = 8  # that are open at a time
TIMES_KEPT = 2_000


class Feed:
    """Keeps batches open.  One thread looks; others may read the counts."""

    def __init__(self, client: UpstreamClient, source: Iterator[Batch], cards_per_s: float = math.inf) -> None:
        """`cards_per_s`: no more than so many are brought, in whole batches."""
        self._client, self._source = client, source
        self._every_s, self._not_before_s = BATCH_CARDS / cards_per_s, 0.0  # real seconds between batches
        self._batch: Batch | None = None  # that is not whole at the service yet
        self.ending = threading.Event()
        self.chunks_s = deque[float](maxlen=TIMES_KEPT)  # real seconds until a chunk was durable
        self.sent = self.closed = self.read = 0  # batches, batches, receipts
        self.kinds: Counter[str] = Counter()  # receipts, by kind
        self.faults: list[str] = []

    @property
    def is_done(self) -> bool:
        """Say whether every batch came to its end."""
        return self.ending.is_set() and self._batch is None and self.closed == self.sent

    def look(self) -> None:
        """Take what is new, then bring what is missing.  Raises: ClientError; the next look goes on there."""
        self._take()
        while self._batch or self._may_begin():
            self._bring()
            self._take()

    def _may_begin(self) -> bool:
        has_room = self.sent - self.closed < AHEAD_BATCHES and not self.ending.is_set()
        return has_room and time.monotonic() >= self._not_before_s

    def _take(self) -> None:
        while True:
            page = self._client.receipts(self.read)
            for receipt in page.items:
                self._count(receipt)
            if page.items:
                self._client.acknowledge(self.read)
            if not page.more:
                return

    def _count(self, receipt: Receipt) -> None:
        if receipt.number != self.read + 1 and len(self.faults) < TIMES_KEPT:
            self.faults.append(f"receipt {receipt.number} came after {self.read}")
        self.read = receipt.number
        self.kinds[receipt.kind] += 1
        self.closed += receipt.kind == BATCH_CLOSED or (receipt.kind == REFUSED and receipt.index < 0)

    def _bring(self) -> None:
        """Bring a batch whole; begun again after a fault, only what is missing goes out."""
        if self._batch is None:
            self._batch, self._not_before_s = next(self._source), time.monotonic() + self._every_s
            self.sent += 1
        batch, applications = self._batch, self._batch.applications
        state = self._client.open_batch(batch.batch_number, batch.due, len(applications), batch.digest)
        for first, count in state.missing:
            for begin in range(first, first + count, CHUNK_CARDS):
                chunk = applications[begin : min(begin + CHUNK_CARDS, first + count)]
                began_s = time.perf_counter()
                self._client.send_chunk(batch.batch_number, begin, chunk)
                self.chunks_s.append(time.perf_counter() - began_s)
        self._batch = None
