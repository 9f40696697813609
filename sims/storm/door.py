"""A storm's intake and judge: the inbox changes in the order of `controller.intake`."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from controller.checks.policy import Policy
from controller.clock import day_start_floor_s
from controller.core.calendar import DAY_S
from controller.core.cards import State
from controller.core.events import BatchChecked, DecisionMade
from controller.core.moves import RowVerdict
from controller.core.turn import Turn
from controller.intake.judging import judge, verdict_again
from controller.ledger.columns import words_in
from controller.ledger.inbox import (
    AcknowledgeReceipts,
    AnnounceBatch,
    InboxBatch,
    InboxState,
    SetBatchState,
    StoreChunk,
    StoreVerdicts,
)
from controller.wire import (
    Acknowledged,
    Answer,
    AskBatch,
    BatchState,
    CancelApplication,
    Chunk,
    ChunkStored,
    Done,
    FetchReceipts,
    OpenBatch,
    Receipts,
    Refusal,
    UpstreamRequest,
)
from controller.wire import (
    AcknowledgeReceipts as AcknowledgeRequest,
)
from encoders.envelope import Opener
from sims.storm.application import row_of
from sims.storm.life import Life, Task

DAY = "20260105"
_POLICY = Policy()
_opener: Opener[UpstreamRequest] = Opener(UpstreamRequest)


class Door:
    """Answers upstreams, and judges whole batches one after another; it lives and dies with its life."""

    def __init__(self, life: Life) -> None:
        self._life, self._reader = life, life.reader
        self._storing: set[int] = set()  # one chunk of a batch is stored at a time
        self._to_judge: list[InboxBatch] = []
        self._waiting: set[int] = set()
        self._is_judging = False

    def begin(self) -> None:
        """Judge what an earlier life left over."""
        for batch in self._reader.unfinished():
            if batch.state != InboxState.RECEIVING or not self._reader.missing(batch.batch_id, batch.count):
                self._is_whole(batch)

    def hear(self, user: str, body: bytes) -> None:
        """Take one request of an upstream."""
        if self._life.has_begun:
            self._life.spawn(self._answer(user, _opener.unpack(body)))

    def _answer(self, user: str, request: Any) -> Task:
        if isinstance(request, OpenBatch):
            return self._open(user, request)
        if isinstance(request, Chunk):
            return self._chunk(user, request)
        if isinstance(request, AskBatch):
            return self._state(user, request.batch_number, request.request)
        if isinstance(request, FetchReceipts):
            return self._receipts(user, request)
        if isinstance(request, AcknowledgeRequest):
            return self._acknowledge(user, request)
        return self._cancel(user, request)

    def _say(self, user: str, answer: Answer) -> None:
        self._life.say(user, [answer])

    def _refuse(self, user: str, request: Any, code: str) -> None:
        self._say(user, Refusal(request=request.request, code=code, text=code))

    # ---- batches -----------------------------------------------------------------------------------------------

    def _open(self, user: str, request: OpenBatch) -> Task:
        head = (request.batch_number, user, request.due, request.count, request.digest, request.card_kind)
        item = yield self._life.write(AnnounceBatch(*head, DAY, self._life.host.clock.now_floor_s()))
        if item.refusal is not None:
            self._refuse(user, request, item.refusal.code)
            return
        batch = item.result
        known = (batch.batch_number, batch.upstream, batch.due, batch.count, batch.digest, batch.card_kind)
        if known != head:
            self._refuse(user, request, "batch.conflict")
            return
        yield from self._state(user, request.batch_number, request.request)

    def _state(self, user: str, batch_number: str, request: int) -> Task:
        yield self._life.pause(0.01)
        reader = self._reader
        batch = reader.announced(batch_number)
        if batch is None or batch.upstream != user:
            self._say(user, Refusal(request=request, code="batch.unknown", text=""))
            return
        missing = reader.missing(batch.batch_id, batch.count) if batch.state == InboxState.RECEIVING else []
        row = None if batch.state == InboxState.RECEIVING else reader.batch(batch.batch_id)
        if row is None:
            state = "receiving" if missing else "checking"
            self._say(user, BatchState(request=request, batch_number=batch_number, state=state, missing=missing))
            return
        counts, codes = reader.counts(batch.batch_id), words_in(row.codes)
        self._say(
            user, BatchState(request=request, batch_number=batch_number, state=row.state, codes=codes, counts=counts)
        )

    def _chunk(self, user: str, request: Chunk) -> Task:
        batch = self._reader.announced(request.batch_number)
        if batch is None or batch.upstream != user:
            self._refuse(user, request, "batch.unknown")
            return
        encoded = [bytes(one) for one in request.applications]
        stored = ChunkStored(
            request=request.request, batch_number=request.batch_number, first=request.first, count=len(encoded)
        )
        if batch.state != InboxState.RECEIVING:
            if self._differs(batch, request.first, encoded):
                self._refuse(user, request, "chunk.conflict")
            else:
                self._say(user, stored)
            return
        while batch.batch_id in self._storing:
            yield self._life.pause(0.1)
        self._storing.add(batch.batch_id)
        is_whole = yield from self._store(user, batch, request, encoded, stored)
        self._storing.discard(batch.batch_id)
        if is_whole:
            self._is_whole(batch)

    def _store(self, user: str, batch: InboxBatch, request: Chunk, encoded: list[bytes], stored: ChunkStored) -> Any:
        """Make a chunk durable: the bodies in the vault first, then the rows that point at them."""
        if self._differs(batch, request.first, encoded):
            self._refuse(user, request, "chunk.conflict")
            return False
        rows = [row_of(index, one) for index, one in enumerate(encoded, request.first)]
        yield self._life.pause(0.05)
        self._life.vault.applications.update(
            ((batch.batch_id, index), one) for index, one in enumerate(encoded, request.first)
        )
        item = yield self._life.write(StoreChunk(batch.batch_id, rows))
        if item.refusal is not None:
            self._refuse(user, request, "chunk.conflict")
            return False
        self._say(user, stored)
        return item.result == batch.count

    def _differs(self, batch: InboxBatch, first: int, encoded: list[bytes]) -> bool:
        known = self._reader.stored_digests(batch.batch_id, range(first, first + len(encoded)))
        return any(known.get(index, mine) != mine for index, mine in _digests(first, encoded))

    # ---- the judge ---------------------------------------------------------------------------------------------

    def _is_whole(self, batch: InboxBatch) -> None:
        if batch.batch_id in self._waiting:
            return
        self._waiting.add(batch.batch_id)
        self._to_judge.append(batch)
        if not self._is_judging:
            self._is_judging = True
            self._life.spawn(self._judge_all())

    def _judge_all(self) -> Task:
        while self._to_judge:
            batch = self._to_judge.pop(0)
            yield from self._judge(batch)
            self._waiting.discard(batch.batch_id)
        self._is_judging = False

    def _judge(self, batch: InboxBatch) -> Task:
        yield self._life.pause(0.05)
        reader = self._reader
        state = reader.announced(batch.batch_number)
        if state is None or reader.batch(batch.batch_id) is not None:
            return
        if state.state == InboxState.CHECKED:
            self._life.note("verdicts told again after a crash")
            found = reader.verdicts(batch.batch_id)
            yield from self._tell(batch, [verdict_again(row) for row in found], [])
            return
        codes, rows = judge(reader, batch, _POLICY)
        change = SetBatchState(batch.batch_id, InboxState.REFUSED, codes) if codes else None
        yield self._life.write(change or StoreVerdicts(batch.batch_id, rows))
        yield from self._tell(batch, rows, codes)

    def _tell(self, batch: InboxBatch, rows: list[RowVerdict], codes: list[str]) -> Task:
        due, received = day_start_floor_s(batch.due) + DAY_S, batch.received_floor_s
        head = (batch.batch_id, batch.batch_number, batch.upstream, batch.card_kind)
        yield self._life.posted(BatchChecked(*head, received, due, rows, codes))

    # ---- receipts and cancelling -------------------------------------------------------------------------------

    def _receipts(self, user: str, request: FetchReceipts) -> Task:
        yield self._life.pause(0.01)
        found = self._reader.receipts(user, request.after, request.limit + 1)
        items = found[: request.limit]
        self._say(user, Receipts(request=request.request, items=items, more=len(found) > len(items)))

    def _acknowledge(self, user: str, request: AcknowledgeRequest) -> Task:
        item = yield self._life.write(AcknowledgeReceipts(user, request.upto))
        self._say(user, Acknowledged(request=request.request, upto=item.result))

    def _cancel(self, user: str, request: CancelApplication) -> Task:
        yield self._life.pause(0.01)
        cards = self._reader.cards_of(request.acceptance_number)
        if not cards:
            self._refuse(user, request, "cancel.unknown")
            return
        if cards[0].state in (State.CANCELLED, State.REFUSED):
            self._say(user, Done(request=request.request))
            return
        decision = DecisionMade(cards[0].card_id, "cancel", user, request.reason)
        turn: Turn = yield self._life.posted(decision)
        if turn.refused:
            self._refuse(user, request, turn.refused.code)
            self._life.note("cancel too late")
        else:
            self._say(user, Done(request=request.request))
            self._life.note("cancelled before print")


def _digests(first: int, encoded: list[bytes]) -> Iterator[tuple[int, bytes]]:
    for index, one in enumerate(encoded, first):
        yield index, sha256(one).digest()
