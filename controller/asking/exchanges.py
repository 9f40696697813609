"""The exchanges of an upstream, without I/O: plain questions, a batch brought in chunks, receipts followed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from controller.asking.conversation import ClientError, Exchange, Question, Refused, unfit
from controller.asking.submission import batch_digest
from controller.wire import (
    VERSION,
    Acknowledged,
    AcknowledgeReceipts,
    Answer,
    AskBatch,
    BatchState,
    CancelApplication,
    Chunk,
    ChunkStored,
    CorrectApplication,
    Corrected,
    Done,
    ExpressApplication,
    FetchReceipts,
    Hello,
    Limits,
    OpenBatch,
    Receipt,
    Receipts,
    Request,
    Welcome,
)

RECEIVING = "receiving"
WINDOW_CHUNKS = 4
CHUNK_FRAME_BYTES = 512  # what a chunk holds besides its applications, at most
LOOK_AGAIN_S = 0.2

Told = Callable[[int, int], None]
"""(applications stored by the service, applications in all); called as answers come, must return at once."""


def asks_hello() -> Question[Welcome]:
    """Give the question for version, limits and floor date."""
    return Question(Hello(version=VERSION), Welcome)


def asks_batch(batch_number: str, due: str, count: int, digest: str, card_kind: str) -> Question[BatchState]:
    """Give the question that announces a batch."""
    header = OpenBatch(batch_number=batch_number, due=due, count=count, digest=digest, card_kind=card_kind)
    return Question(header, BatchState)


def asks_chunk(batch_number: str, first: int, applications: Sequence[bytes]) -> Question[ChunkStored]:
    """Give the question that brings some encoded applications."""
    raw = [msgspec.Raw(encoded) for encoded in applications]
    return Question(Chunk(batch_number=batch_number, first=first, applications=raw), ChunkStored)


def asks_status(batch_number: str) -> Question[BatchState]:
    """Give the question how far a batch is."""
    return Question(AskBatch(batch_number=batch_number), BatchState)


def asks_receipts(after: int, limit: int) -> Question[Receipts]:
    """Give the question for receipts."""
    return Question(FetchReceipts(after=after, limit=limit), Receipts)


def asks_acknowledge(upto: int) -> Question[Acknowledged]:
    """Give the question that takes receipts off the service's hands."""
    return Question(AcknowledgeReceipts(upto=upto), Acknowledged)


def asks_cancel(acceptance_number: str, reason: str) -> Question[Done]:
    """Give the question for a cancellation."""
    return Question(CancelApplication(acceptance_number=acceptance_number, reason=reason), Done)


def asks_express(acceptance_number: str, reason: str) -> Question[Done]:
    """Give the question that makes an application express."""
    return Question(ExpressApplication(acceptance_number=acceptance_number, reason=reason), Done)


def asks_correct(acceptance_number: str, revision: int, application: bytes) -> Question[Corrected]:
    """Give the question that brings the next revision of an application."""
    content = msgspec.Raw(application)
    request = CorrectApplication(acceptance_number=acceptance_number, revision=revision, application=content)
    return Question(request, Corrected)


class Upload(Exchange[BatchState]):
    """Brings one batch to the service; ends with its state once that is no longer `receiving`."""

    def __init__(
        self,
        batch_number: str,
        due: str,
        card_kind: str,
        applications: Iterable[bytes],
        *,
        window_chunks: int = WINDOW_CHUNKS,
        told: Told | None = None,
    ) -> None:
        """Take the header's texts and the encoded applications.

        Args:
            applications: in order; a sequence is read where it lies, more than once, anything else is collected.
            window_chunks: chunks that may be under way at once.
            told: hears of progress.
        """
        super().__init__()
        self._applications = applications if isinstance(applications, Sequence) else list(applications)
        self._header = OpenBatch(
            batch_number=batch_number,
            due=due,
            count=len(self._applications),
            digest=batch_digest(self._applications),
            card_kind=card_kind,
        )
        self._window_chunks, self._told = window_chunks, told
        self._limits: Limits | None = None
        self._missing: deque[tuple[int, int]] = deque()  # first, count
        self._stored = 0
        self._under_way = 0  # requests: one for limits or state, or chunks
        self._refusal: Refused | None = None  # of a chunk, until the state says what it means

    def next_request(self, now_s: float) -> Request | None:
        """Give a chunk while some are missing and the window is open; once all landed, the question how far it is."""
        if self._limits is None:
            request: Request | None = None if self._under_way else Hello(version=VERSION)
        elif self._missing:
            request = self._next_chunk(self._limits) if self._under_way < self._window_chunks else None
        else:
            request = None if self._under_way else self._header
        self._under_way += request is not None
        return request

    def answered(self, asked: Request, answer: Answer, now_s: float) -> None:
        """Go on from the service's answer."""
        self._under_way -= 1
        if isinstance(asked, Chunk):
            self._chunk_answered(asked, answer)
        elif isinstance(answer, Welcome):
            self._limits = answer.limits
        elif isinstance(answer, BatchState):
            self._state_answered(answer, now_s)
        else:
            self.fail(unfit(answer))

    def lost(self, asked: Request) -> bool:
        """Ask small things again; of a chunk ask first whether it arrived, for the state names what is missing."""
        if not isinstance(asked, Chunk):
            return True
        self._under_way -= 1
        self._missing.clear()
        return False

    def _chunk_answered(self, asked: Chunk, answer: Answer) -> None:
        if isinstance(answer, ChunkStored):
            self._tell(len(asked.applications))
        else:  # perhaps the batch went on without it: the state decides
            error = unfit(answer)
            self._refusal = error if isinstance(error, Refused) else None
            self._missing.clear()
            if self._refusal is None:
                self.fail(error)

    def _state_answered(self, state: BatchState, now_s: float) -> None:
        if state.state != RECEIVING:
            self.end(state)
        elif self._refusal is not None:
            self.fail(self._refusal)
        elif not all(0 <= first < first + count <= self._header.count for first, count in state.missing):
            self.fail(ClientError("client.bad_answer", "the service misses applications that the batch does not have"))
        else:
            self._missing.extend(state.missing)
            self._stored = self._header.count - sum(count for _, count in state.missing)
            self._tell(0)
            if not state.missing:
                self.due_s = now_s + LOOK_AGAIN_S

    def _tell(self, more: int) -> None:
        self._stored += more
        if self._told is not None:
            self._told(min(self._stored, self._header.count), self._header.count)

    def _next_chunk(self, limits: Limits) -> Chunk | None:
        first, count = self._missing.popleft()
        room_bytes = limits.chunk_bytes - CHUNK_FRAME_BYTES
        taken: list[msgspec.Raw] = []
        for index in range(first, first + min(count, max(1, limits.applications_per_chunk))):
            encoded = self._applications[index]
            room_bytes -= len(encoded)
            if room_bytes < 0:
                break
            taken.append(msgspec.Raw(encoded))
        if not taken:
            sentence = f"application {first} has more bytes than a chunk may have: leave it out or make it smaller"
            self.fail(ClientError("client.too_large", sentence))
            return None
        if count > len(taken):
            self._missing.appendleft((first + len(taken), count - len(taken)))
        return Chunk(batch_number=self._header.batch_number, first=first, applications=taken)


class NextReceipts(Exchange[list[Receipt]]):
    """Acknowledges what was read before, then fetches what follows; ends with a page, empty after `rest_s`."""

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
