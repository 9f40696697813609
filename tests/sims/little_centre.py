"""A little centre that keeps `docs/protocol.md` in memory, and ones that break it in one place each."""

from __future__ import annotations

import msgspec

from controller.wire import (
    Acknowledged,
    AcknowledgeReceipts,
    Answer,
    BatchState,
    Chunk,
    ChunkStored,
    FetchReceipts,
    OpenBatch,
    Receipt,
    Receipts,
    Refusal,
)
from tests.controller.evidence.samples import OTHER_SIGNER, SIGNER
from tests.controller.pretend_centre import KeptBatch, PretendCentre

ACCEPTED = [("accepted", [], [])]


class LittleCentre(PretendCentre):
    """Takes batches, accepts whatever is in them, and gives receipts; for scenarios in which nothing is broken."""

    def __init__(self) -> None:
        super().__init__(lambda *_: ACCEPTED)

    def _openbatch(self, request: OpenBatch) -> Answer:
        known = self.batches.setdefault(request.batch_number, KeptBatch(request))
        if not self.is_same(known.header, request):
            return Refusal(code="batch.conflict", text="Give the batch a new number.", field="batch_number")
        return self._state(known)

    def is_same(self, before: OpenBatch, now: OpenBatch) -> bool:
        return msgspec.structs.replace(before, request=0) == msgspec.structs.replace(now, request=0)

    def _chunk(self, request: Chunk) -> Answer:
        batch = self.batches[request.batch_number]
        encoded = dict(enumerate((bytes(raw) for raw in request.applications), request.first))
        for index, one in encoded.items():
            if batch.applications.get(index, one) != one:
                return Refusal(code="chunk.conflict", text="Send what you sent before.", index=index)
        batch.applications |= encoded
        if batch.state == "receiving" and not batch.missing():
            self._close(batch)
        return ChunkStored(batch_number=request.batch_number, first=request.first, count=len(encoded))

    def _close(self, batch: KeptBatch) -> None:
        batch.state = "open"
        for index in range(batch.header.count):
            number = msgspec.msgpack.decode(batch.applications[index])["acceptance_number"]
            self.issue("accepted", batch.header.batch_number, number, index)

    def _state(self, batch: KeptBatch) -> BatchState:
        missing = batch.missing() if batch.state == "receiving" else []
        counts = {"received": batch.header.count, "open": batch.header.count} if batch.state == "open" else {}
        return BatchState(
            batch_number=batch.header.batch_number, state=batch.state, missing=missing, codes=[], counts=counts
        )

    def _fetchreceipts(self, request: FetchReceipts) -> Answer:
        items = self.issued[request.after : request.after + request.limit]
        return Receipts(items=items, more=request.after + len(items) < len(self.issued))

    def _acknowledgereceipts(self, request: AcknowledgeReceipts) -> Answer:
        self.acknowledged = min(max(self.acknowledged, request.upto), len(self.issued))
        return Acknowledged(upto=self.acknowledged)


class AcceptsConflicts(LittleCentre):
    """Takes another digest under a known number for the same batch."""

    def is_same(self, before: OpenBatch, now: OpenBatch) -> bool:
        return super().is_same(before, msgspec.structs.replace(now, digest=before.digest))


class OverwritesApplications(LittleCentre):
    """Keeps the last application that came for a place."""

    def _chunk(self, request: Chunk) -> Answer:
        batch = self.batches[request.batch_number]
        for index in range(request.first, request.first + len(request.applications)):
            batch.applications.pop(index, None)
        return super()._chunk(request)


class DropsReceipts(LittleCentre):
    """Leaves every third receipt out, and its number with it."""

    def _fetchreceipts(self, request: FetchReceipts) -> Answer:
        answer = super()._fetchreceipts(request)
        kept = [one for one in answer.items if one.number % 3]
        return msgspec.structs.replace(answer, items=kept)


class ForgetsAcknowledged(LittleCentre):
    """Gives nothing again that was acknowledged."""

    def _fetchreceipts(self, request: FetchReceipts) -> Answer:
        return super()._fetchreceipts(msgspec.structs.replace(request, after=max(request.after, self.acknowledged)))


class SignsReceipts(LittleCentre):
    """Signs what it gives, as the page says."""

    def _fetchreceipts(self, request: FetchReceipts) -> Answer:
        answer = super()._fetchreceipts(request)
        return msgspec.structs.replace(answer, items=[self.signed(one) for one in answer.items])

    def signed(self, receipt: Receipt) -> Receipt:
        return SIGNER.signed(receipt, "city-1")


class SignsLess(SignsReceipts):
    """Leaves the acceptance number out of what it signs."""

    def signed(self, receipt: Receipt) -> Receipt:
        less = SIGNER.signed(msgspec.structs.replace(receipt, acceptance_number=""), "city-1")
        return msgspec.structs.replace(less, acceptance_number=receipt.acceptance_number)


class SignsForAnother(SignsReceipts):
    """Signs each receipt as if another upstream got it."""

    def signed(self, receipt: Receipt) -> Receipt:
        return SIGNER.signed(receipt, "city-2")


class SignsByTheHour(SignsReceipts):
    """Signs with the time of asking in the receipt."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    def signed(self, receipt: Receipt) -> Receipt:
        self._asked += 1
        return SIGNER.signed(msgspec.structs.replace(receipt, at_floor_s=float(self._asked)), "city-1")


class SignsWithAnother(SignsReceipts):
    """Signs with a key that is not among those it tells."""

    def signed(self, receipt: Receipt) -> Receipt:
        return OTHER_SIGNER.signed(receipt, "city-1")


class SignsShort(SignsReceipts):
    """Cuts its signatures."""

    def signed(self, receipt: Receipt) -> Receipt:
        whole = super().signed(receipt)
        return msgspec.structs.replace(whole, signature=whole.signature[:32])


class JudgesEarly(LittleCentre):
    """Gives verdicts of what it has, before the batch is whole."""

    def _chunk(self, request: Chunk) -> Answer:
        answer, batch = super()._chunk(request), self.batches[request.batch_number]
        for index in range(request.first, request.first + len(request.applications)):
            if batch.state == "receiving" and not any(one.index == index for one in self.issued):
                self.issue("accepted", request.batch_number, "", index)
        return answer


class CountsFromOne(LittleCentre):
    """Names a missing range by its first and last place."""

    def _state(self, batch: KeptBatch) -> BatchState:
        state = super()._state(batch)
        return msgspec.structs.replace(state, missing=[(first, first + count) for first, count in state.missing])


class AnswersWithoutNumbers(LittleCentre):
    """Answers every request as number 0."""

    def answer(self, request):
        return msgspec.structs.replace(super().answer(request), request=0)
