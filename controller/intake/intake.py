"""Intake: upstreams announce batches, send chunks, and fetch receipts; a chunk is answered when it is durable."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from hashlib import sha256

import trio

from controller.application import LAST_INDEX
from controller.checks.batch import check_batch
from controller.checks.context import CheckContext
from controller.clock import floor_date
from controller.config import IntakeConfig, KindConfig, UpstreamConfig
from controller.core.events import AnyEvent
from controller.doors import welcome
from controller.evidence.signing import Signer
from controller.hosts.live import Ticket
from controller.intake.changes import UpstreamChanges
from controller.intake.claims import Claims
from controller.intake.examination import examine
from controller.intake.judging import Judge
from controller.intake.place import RESTORED, Place
from controller.intake.quota import UpstreamQuota
from controller.intake.receipt_pages import UpstreamReceipts
from controller.intake.receipts import sentence_of
from controller.intake.revision import is_correction
from controller.intake.row import inbox_row
from controller.ledger.columns import words_in
from controller.ledger.errors import BatchOver, ChunkConflict
from controller.ledger.inbox import (
    NEVER_WHOLE,
    AnnounceBatch,
    InboxBatch,
    InboxRow,
    InboxState,
    StoreChunk,
)
from controller.ledger.store import Ledger
from controller.upkeep.disk import BUSY_S
from controller.vault.errors import KeyMissing
from controller.vault.store import Vault
from controller.wire import (
    MAX_APPLICATIONS_PER_CHUNK,
    MAX_CHUNK_BYTES,
    VERSION,
    AcknowledgeReceipts,
    Answer,
    AskBatch,
    BatchState,
    Busy,
    CancelApplication,
    Chunk,
    ChunkStored,
    CorrectApplication,
    ExpressApplication,
    FetchReceipts,
    Hello,
    OpenBatch,
    Refusal,
    UpstreamRequest,
)

DIGEST = re.compile(r"[0-9a-f]{64}")


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
        upstreams: UpstreamConfig | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._ledger, self._vault, self._judge, self._context = ledger, vault, judge, context
        self._place, self._config, self._workers = place, config, workers
        self._kinds = kinds or KindConfig()
        self._chunks_in_work = 0
        self._claims = Claims()
        today = ledger.reader.announced_on(floor_date(place.clock.now_floor_s()))
        self._quota = UpstreamQuota(upstreams or UpstreamConfig(), place.clock, today)
        for batch in ledger.reader.unfinished():
            if is_correction(batch.batch_number):
                continue  # cut short: its upstream was told nothing
            if batch.state == InboxState.RECEIVING and ledger.reader.missing(batch.batch_id, batch.count):
                self._quota.began(batch.upstream, batch.batch_id)
        self._receipts = UpstreamReceipts(ledger, signer)
        self._changes = UpstreamChanges(ledger, vault, judge, context, place, self._quota, post, workers)

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
                return await self._receipts.fetch(user, request)
            case AcknowledgeReceipts():
                return await self._receipts.acknowledge(user, request)
            case CancelApplication():
                return await self._changes.cancel(user, request)
            case ExpressApplication():
                return await self._changes.express(user, request)
            case CorrectApplication():
                return await self._changes.correct(user, request)

    def _welcome(self, user: str, request: Hello) -> Answer:
        if request.version != VERSION:
            return Refusal(
                request=request.request, code="wire.version", text=f"this service speaks version {VERSION} only"
            )
        return welcome(user, request, self._place.clock, self._place.simulated)

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
        no_room = self._no_room(user, request) if known is None else None
        if no_room:
            return no_room
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
            self._quota.began(user, batch.batch_id)
        answer = await self._state(user, request.batch_number, request.request)
        if not (isinstance(answer, BatchState) and answer.missing):  # looked at after `began`: else its end is missed
            self._quota.is_whole(batch.batch_id)
        return answer

    def _no_room(self, user: str, request: OpenBatch) -> Busy | Refusal | None:
        """Give why no new batch is taken from an upstream now; else it is charged with this one."""
        if self._place.is_restored():
            return _no(request, "restored.waits", RESTORED, "batch_number")
        if self._place.is_full():
            return Busy(request=request.request, retry_after_s=BUSY_S)
        is_full = self._quota.receiving + self._judge.backlog >= self._config.batches_max
        if is_full or not self._quota.has_room(user):
            return Busy(request=request.request, retry_after_s=self._config.retry_after_s)
        return self._quota.charge(user, request.batch_number, request.count, request.request)

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
        if batch is None or batch.upstream != user or is_correction(batch.batch_number):
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
        if not self._quota.take_chunk(user):
            return Busy(request=request.request, retry_after_s=self._config.retry_after_s)
        self._chunks_in_work += 1
        try:
            if batch.state != InboxState.RECEIVING:  # a repeat of what is safe already, or something else
                await self._require_same(batch, request)
                return stored
            is_whole = await self._store(batch, request)
        except (BatchOver, KeyMissing):  # it was not brought whole as long as data is kept: see `giving_up`
            return _no(request, NEVER_WHOLE, sentence_of(NEVER_WHOLE), "batch_number")
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
            self._quota.end_chunk(user)
        if is_whole:
            self._quota.is_whole(batch.batch_id)
            self._judge.is_whole(batch)
        return stored

    def forget(self, batch_id: int) -> None:
        """Wait no more for the rest of a batch."""
        self._quota.is_whole(batch_id)

    async def _store(self, batch: InboxBatch, request: Chunk) -> bool:
        """Make a chunk durable: the bodies in the vault first, then the rows that point at them.

        It holds its applications only once they are examined: meanwhile others are sealed and committed.
        """
        sent, rows = await trio.to_thread.run_sync(self._examined, batch, request, limiter=self._workers)
        async with self._claims.of(batch.batch_id, range(request.first, request.first + len(sent))):
            await self._require_same(batch, request)  # before the vault would hold the other content
            await self._vault.store_applications(batch.batch_id, sent)
            return await self._ledger.write(StoreChunk(batch.batch_id, rows)) == batch.count

    def _examined(self, batch: InboxBatch, request: Chunk) -> tuple[list[tuple[int, bytes]], list[InboxRow]]:
        """Give a chunk's applications by index, and the inbox's rows of them.  For a worker thread."""
        sent = [(index, bytes(one)) for index, one in enumerate(request.applications, request.first)]
        context = self._context.on(batch.received_on, batch.card_kind)
        found = examine([one for _, one in sent], context, self._vault.site_key)
        return sent, [inbox_row(index, one) for (index, _), one in zip(sent, found, strict=True)]

    async def _require_same(self, batch: InboxBatch, request: Chunk) -> None:
        """Raises: ChunkConflict: one of these applications is stored with other content.  BatchOver: given up."""
        await trio.to_thread.run_sync(self._compare, batch, request)

    def _compare(self, batch: InboxBatch, request: Chunk) -> None:
        indexes = range(request.first, request.first + len(request.applications))
        known = self._ledger.reader.stored_digests(batch.batch_id, indexes)
        for index, one in zip(indexes, request.applications, strict=True):
            before = known.get(index)  # empty once it was purged: then nothing is left to be compared, and none is kept
            if before and sha256(one).digest() != before:
                raise ChunkConflict(batch.batch_id, index)
            if before is None and batch.state == InboxState.REFUSED:
                raise BatchOver(batch.batch_id)


def _no(request: OpenBatch | Chunk, code: str, text: str, field: str) -> Refusal:
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
    if sum(memoryview(one).nbytes for one in request.applications) > MAX_CHUNK_BYTES:
        return f"a chunk is at most {MAX_CHUNK_BYTES} bytes: send fewer applications at once"
    return ""
