"""The reference clients: an upstream's, for threads and for trio, and an operator's."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import trio

from controller.conversation import (
    OPERATOR_ANSWERS,
    PATIENCE,
    UPSTREAM_ANSWERS,
    ClientError,
    Conversation,
    Exchange,
    Patience,
    Question,
    unfit,
)
from controller.upload import Told, Upload
from controller.wire import (
    VERSION,
    AcknowledgeReceipts,
    Acknowledged,
    Answer,
    AskBatch,
    BatchState,
    CancelApplication,
    Chunk,
    ChunkStored,
    Command,
    Done,
    FetchReceipts,
    Hello,
    OpenBatch,
    Receipt,
    Receipts,
    Request,
    Welcome,
)
from devices.keys import KeyPair, LinkError, LinkTimeout, read_pair, read_public
from devices.zlink import Context, DealerSocket, SyncDealer, connect_dealer
from encoders.envelope import Opener

Result = TypeVar("Result")

RECEIPTS_A_PAGE = 500
READING_VERBS = frozenset({"status", "review", "stopped", "suspects", "acts", "stations", "stock", "report"})


class NextReceipts(Exchange[list[Receipt]]):
    """Acknowledges what was read before, then waits for the receipts after it; ends with a page, empty after `rest_s`."""

    def __init__(self, after: int, *, acknowledge: bool, limit: int, rest_s: float) -> None:
        """Read above `after`; `acknowledge` says that all up to it are safe here."""
        super().__init__()
        self._fetch = FetchReceipts(after=after, limit=limit)
        self._first: Request | None = AcknowledgeReceipts(upto=after) if acknowledge else None
        self._rest_s, self._rested, self._asking = rest_s, False, False

    def next_request(self, now_s: float) -> Request | None:
        """Give the acknowledgement, then the question, and the question again after a rest."""
        if self._asking:
            return None
        self._asking = True
        request, self._first = self._first or self._fetch, None
        return request

    def answered(self, asked: Request, answer: Answer, now_s: float) -> None:
        """End with a page, or rest once if it is empty."""
        self._asking = False
        if isinstance(answer, Receipts):
            if answer.items or self._rested:
                self.end(answer.items)
            self._rested, self.due_s = True, now_s + self._rest_s
        elif not isinstance(answer, Acknowledged):
            self.fail(unfit(answer))

    def lost(self, asked: Request) -> bool:
        """Ask again: neither reading nor acknowledging twice does harm."""
        return True
