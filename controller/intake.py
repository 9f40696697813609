"""Intake: upstreams announce batches, send chunks, and fetch receipts; a chunk is answered when it is durable."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import trio

from controller.application import LAST_INDEX
from controller.checks.batch import check_batch
from controller.checks.context import CheckContext
from controller.clock import FloorClock, floor_date
from controller.config import IntakeConfig, KindConfig
from controller.core.cards import State
from controller.core.events import AnyEvent, DecisionMade
from controller.core.turn import Turn
from controller.disk import BUSY_S
from controller.examination import Examined, examine
from controller.hosts.live import Ticket
from controller.judging import Judge
from controller.ledger.columns import words_in
from controller.ledger.errors import ChunkConflict
from controller.ledger.inbox import (
    AcknowledgeReceipts,
    AnnounceBatch,
    InboxBatch,
    InboxRow,
    InboxState,
    StoreChunk,
)
from controller.ledger.store import Ledger
from controller.personal_text import refuse_personal
from controller.receipts import sentence_of, with_texts
from controller.vault.store import Vault
from controller.wire import (
    MAX_APPLICATIONS_PER_CHUNK,
    MAX_CHUNK_BYTES,
    VERSION,
    Acknowledged,
    Answer,
    AskBatch,
    BatchState,
    Busy,
    CancelApplication,
    Chunk,
    ChunkStored,
    Done,
    FetchReceipts,
    Hello,
    Limits,
    OpenBatch,
    Receipt,
    Receipts,
    Refusal,
    UpstreamRequest,
    Welcome,
)
from controller.wire import (
    AcknowledgeReceipts as AcknowledgeRequest,
)
from encoders.envelope import pack

DIGEST = re.compile(r"[0-9a-f]{64}")
RESTORED = "this centre's ledger was restored from a backup and is being compared with what was made: send it later"
BEYOND = (
    "this ledger never gave you receipt {0:,}: it was restored from a backup that ends before; keep yours above {1:,}, "
    "compare them with the centre, then fetch after {1:,}"
)
MAX_PAGE_BYTES = 3 << 20  # of receipts, whose sentences are many where a record is wrong in every field


@dataclass(frozen=True, slots=True)
class Place:
    """Where this intake is: what the greeting says, and what keeps new work out.

    `is_full`: the disk has too little room; `is_restored`: the ledger came out of a backup and was not compared yet.
    """

    clock: FloorClock
    simulated: bool
    is_full: Callable[[], bool] = bool
    is_restored: Callable[[], bool] = bool


class Intake:
    """Answers one upstream request at a time per call; many calls run at once.

    Everything an answer says is durable.  The same request again gets the same answer.
    """

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault,
        judge: Judge,
        context: CheckContext,
        place: Place,
        config: IntakeConfig,
        post: Callable[[AnyEvent], Ticket],
        workers: trio.CapacityLimiter,
        kinds: KindConfig | None = None,
    ) -> None:
        self._ledger, self._vault, self._judge, self._context = ledger, vault, judge, context
        self._place, self._config, self._post, self._workers = place, config, post, workers
        self._kinds = kinds or KindConfig()
        self._chunks_in_work = 0
        self._turns: dict[int, trio.Lock] = {}  # one chunk of a batch is stored at a time
        unfinished = ledger.reader.unfinished()
        self._open_batches = {
            batch.batch_id
            for batch in unfinished
            if batch.state == InboxState.RECEIVING and ledger.reader.missing(batch.batch_id, batch.count)
        }

    async def answer(self, user: str, request: UpstreamRequest) -> Answer:
        """Do what an upstream asks.  `user` is the name of its key."""
        match request:
            case Hello():
                return self._welcome(user, request)
            case OpenBatch():
                return await self._open(user, request)
            case Chunk():
                return await self._chunk(user, request)
            case AskBatch():
                return await self._state(user, request.batch_number, request.request)
            case FetchReceipts():
                return await self._receipts(user, request)
            case AcknowledgeRequest():
                beyond = await self._beyond(user, request.upto, request.request)
                if beyond:
                    return beyond
                upto = await self._ledger.write(AcknowledgeReceipts(user, request.upto))
                return Acknowledged(request=request.request, upto=upto)
            case CancelApplication():
                return await self._cancel(user, request)

    def _welcome(self, user: str, request: Hello) -> Answer:
        if request.version != VERSION:
            return Refusal(
                request=request.request, code="wire.version", text=f"this service speaks version {VERSION} only"
            )
        now = self._place.clock.now_floor_s()
        return Welcome(
            request=request.request,
            version=VERSION,
            you=user,
            limits=Limits(),
            floor_date=floor_date(now),
            floor_s=now,
            scale=self._place.clock.scale,
            simulated=self._place.simulated,
        )

    # ---- batches -------------------------------------------------------------------------------------------

    async def _open(self, user: str, request: OpenBatch) -> Answer:
        if request.upstream not in ("", user):
            return _no(request, "batch.upstream", "the upstream named is not the one whose key this is", "upstream")
        now = self._place.clock.now_floor_s()
        known = await trio.to_thread.run_sync(self._ledger.reader.announced, request.batch_number)
        # one that was announced in time is told how far it is, whatever the day (law 5)
        is_made = known is not None or self._kinds.is_made(request.card_kind, floor_date(now))
        fault = self._header_fault(request, is_made)
        if fault:
            return fault
        if known is None and self._place.is_restored():
            return _no(request, "restored.waits", RESTORED, "batch_number")
        if known is None and self._place.is_full():
            return Busy(request=request.request, retry_after_s=BUSY_S)
        if known is None and len(self._open_batches) + self._judge.backlog >= self._config.batches_max:
            return Busy(request=request.request, retry_after_s=self._config.retry_after_s)
        batch = await self._ledger.write(
            AnnounceBatch(
                request.batch_number,
                user,
                request.due,
                request.count,
                request.digest,
                request.card_kind,
                floor_date(now),
                now,
            )
        )
        if not _is_same(batch, user, request):
            return _no(
                request, "batch.conflict", "this batch number was used before with other content", "batch_number"
            )
        if batch.state == InboxState.RECEIVING:
            self._open_batches.add(batch.batch_id)
        return await self._state(user, request.batch_number, request.request)

    def _header_fault(self, request: OpenBatch, kind_is_made: bool) -> Refusal | None:
        """Give why a header cannot be, with the dates of its kind where they are why."""
        faults = check_batch(
            request.batch_number,
            request.count,
            request.count,
            due=request.due,
            card_kind=request.card_kind,
            kind_is_made=kind_is_made,
        )
        if faults:
            first = faults[0]
            dates = self._kinds.dates_of(request.card_kind) if first.field == "card_kind" else ""
            return _no(request, first.code, f"{sentence_of(first.code)}{dates}", first.field)
        if not DIGEST.fullmatch(request.digest):
            return _no(request, "batch.digest", "a digest is 64 hexadecimal digits in lower case", "digest")
        return None

    async def _state(self, user: str, batch_number: str, request: int) -> Answer:
        return await trio.to_thread.run_sync(self._read_state, user, batch_number, request)

    def _read_state(self, user: str, batch_number: str, request: int) -> Answer:
        reader = self._ledger.reader
        batch = reader.announced(batch_number)
        if batch is None or batch.upstream != user:
            return Refusal(
                request=request, code="batch.unknown", text="announce this batch first", field="batch_number"
            )
        if batch.state == InboxState.RECEIVING:
            missing = reader.missing(batch.batch_id, batch.count)
            state = "receiving" if missing else "checking"
            return BatchState(request=request, batch_number=batch_number, state=state, missing=missing)
        row = reader.batch(batch.batch_id)
        if row is None:
            return BatchState(request=request, batch_number=batch_number, state="checking")
        return BatchState(
            request=request,
            batch_number=batch_number,
            state=row.state,
            codes=words_in(row.codes),
            counts=reader.counts(batch.batch_id),
        )

    async def _chunk(self, user: str, request: Chunk) -> Answer:
        batch = await trio.to_thread.run_sync(self._ledger.reader.announced, request.batch_number)
        if batch is None or batch.upstream != user:
            return _no(request, "batch.unknown", "announce this batch first", "batch_number")
        fault = _chunk_fault(request, batch.count)
        if fault:
            return _no(request, "chunk.limit", fault, "applications")
        if self._chunks_in_work >= self._config.chunks_max:
            return Busy(request=request.request, retry_after_s=self._config.retry_after_s)
        stored = ChunkStored(
            request=request.request,
            batch_number=request.batch_number,
            first=request.first,
            count=len(request.applications),
        )
        if batch.state == InboxState.RECEIVING and self._place.is_full():
            return Busy(request=request.request, retry_after_s=BUSY_S)
        self._chunks_in_work += 1
        try:
            if batch.state != InboxState.RECEIVING:  # a repeat of what is safe already, or something else
                await self._require_same(batch, request)
                return stored
            async with self._turns.setdefault(batch.batch_id, trio.Lock()):
                is_whole = await self._store(batch, request)
        except ChunkConflict as conflict:
            return Refusal(
                request=request.request,
                code="chunk.conflict",
                text="this application was sent before with other content",
                field="applications",
                index=conflict.index,
            )
        finally:
            self._chunks_in_work -= 1
        if is_whole:
            self._open_batches.discard(batch.batch_id)
            self._turns.pop(batch.batch_id, None)
            self._judge.is_whole(batch)
        return stored

    async def _store(self, batch: InboxBatch, request: Chunk) -> bool:
        """Make a chunk durable: the bodies in the vault first, then the rows that point at them."""
        await self._require_same(batch, request)  # before the vault would hold the other content
        encoded = [bytes(one) for one in request.applications]
        found = await trio.to_thread.run_sync(
            examine,
            encoded,
            self._context.on(batch.received_on, batch.card_kind),
            self._vault.site_key,
            limiter=self._workers,
        )
        indexes = range(request.first, request.first + len(encoded))
        rows = [_row(index, one) for index, one in zip(indexes, found, strict=True)]
        await self._vault.store_applications(batch.batch_id, list(zip(indexes, encoded, strict=True)))
        return await self._ledger.write(StoreChunk(batch.batch_id, rows)) == batch.count

    async def _require_same(self, batch: InboxBatch, request: Chunk) -> None:
        """Raises: ChunkConflict: one of these applications is stored with other content."""
        indexes = range(request.first, request.first + len(request.applications))
        known = await trio.to_thread.run_sync(self._ledger.reader.stored_digests, batch.batch_id, indexes)
        for index, one in zip(indexes, request.applications, strict=True):
            before = known.get(index)  # empty once it was purged: then nothing is left to be compared, and none is kept
            if before and sha256(one).digest() != before:
                raise ChunkConflict(batch.batch_id, index)

    # ---- receipts and cancelling ---------------------------------------------------------------------------

    async def _beyond(self, user: str, cursor: int, request: int) -> Refusal | None:
        """Give what an upstream is told whose receipts this ledger does not know, since it came out of a backup."""
        known = await trio.to_thread.run_sync(self._ledger.reader.cursor_at, user, cursor)
        if known == cursor:
            return None
        return Refusal(request=request, code="receipts.beyond", text=BEYOND.format(cursor, known), field="after")

    async def _receipts(self, user: str, request: FetchReceipts) -> Answer:
        beyond = await self._beyond(user, request.after, request.request)
        if beyond:
            return beyond
        found = await trio.to_thread.run_sync(self._ledger.reader.receipts, user, request.after, request.limit + 1)
        items: list[Receipt] = []
        size_bytes = 0
        for receipt in map(with_texts, found[: request.limit]):
            size_bytes += len(pack(receipt))
            if items and size_bytes > MAX_PAGE_BYTES:
                break
            items.append(receipt)
        return Receipts(request=request.request, items=items, more=len(found) > len(items))

    async def _cancel(self, user: str, request: CancelApplication) -> Answer:
        cards = await trio.to_thread.run_sync(self._ledger.reader.cards_of, request.acceptance_number)
        mine = [card for card in cards if self._is_of(user, card.batch_id)]
        if not mine:
            return _no(request, "cancel.unknown", "no card of yours has this number", "acceptance_number")
        if mine[0].state in (State.CANCELLED, State.REFUSED):
            return Done(request=request.request)  # asked again: the same answer
        typed = await refuse_personal(self._vault, {"reason": request.reason}, mine[0].card_id)
        if typed:
            return _no(request, typed.code, typed.text, "reason")
        turn: Turn = await self._post(DecisionMade(mine[0].card_id, "cancel", user, request.reason)).wait()
        if turn.refused:
            return _no(request, turn.refused.code, turn.refused.text, "acceptance_number")
        return Done(request=request.request)

    def _is_of(self, user: str, batch_id: int) -> bool:
        batch = self._ledger.reader.batch(batch_id)
        return batch is not None and batch.upstream == user


def _no(request: OpenBatch | Chunk | CancelApplication, code: str, text: str, field: str) -> Refusal:
    return Refusal(request=request.request, code=code, text=text, field=field)


def _is_same(batch: InboxBatch, user: str, request: OpenBatch) -> bool:
    """Say whether a batch was announced before as it is announced now."""
    same_digest = hmac.compare_digest(batch.digest.encode(), request.digest.encode())
    return same_digest and (batch.upstream, batch.count, batch.due, batch.card_kind) == (
        user,
        request.count,
        request.due,
        request.card_kind,
    )


def _chunk_fault(request: Chunk, count: int) -> str:
    """Give what is wrong with the place or size of a chunk, or nothing."""
    size = len(request.applications)
    if not 1 <= size <= MAX_APPLICATIONS_PER_CHUNK:
        return f"a chunk holds 1 to {MAX_APPLICATIONS_PER_CHUNK} applications"
    if request.first + size > min(count, LAST_INDEX + 1):
        return "the chunk goes beyond the count that was announced"
    if sum(len(bytes(one)) for one in request.applications) > MAX_CHUNK_BYTES:
        return f"a chunk is at most {MAX_CHUNK_BYTES} bytes: send fewer applications at once"
    return ""


def _row(index: int, found: Examined) -> InboxRow:
    return InboxRow(
        index,
        found.acceptance_number,
        found.row_digest,
        found.identity,
        found.person,
        found.unit,
        found.express,
        found.reason,
        [one.code for one in found.findings],
        [one.field for one in found.findings],
        found.fee_class,
        found.in_scope,
    )
