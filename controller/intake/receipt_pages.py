"""Receipts at the upstream's door: pages from a cursor, and the cursor."""

from __future__ import annotations

import time

import trio

from controller.evidence.signing import Signer
from controller.intake.receipts import with_texts
from controller.ledger.inbox import AcknowledgeReceipts
from controller.ledger.store import Ledger
from controller.wire import Acknowledged, Answer, FetchReceipts, Receipt, Receipts, Refusal
from controller.wire import AcknowledgeReceipts as AcknowledgeRequest
from encoders.envelope import pack

BEYOND = (
    "this ledger never gave you receipt {0:,}: it was restored from a backup that ends before; keep yours above {1:,}, "
    "compare them with the centre, then fetch after {1:,}"
)
REST = 3.0  # times what a page took, before the next one of an upstream that asks for several at once
BREATH_RECEIPTS, BREATH_S = 16, 50e-6  # of a page, and how long other threads may then have the interpreter
MAX_PAGE_BYTES = 3 << 20  # of receipts, whose sentences are many where a record is wrong in every field


class UpstreamReceipts:
    """Gives an upstream its receipts, and notes up to which it keeps them."""

    def __init__(self, ledger: Ledger, signer: Signer | None = None) -> None:
        """Without a `signer` receipts are given unsigned: the service always has one."""
        self._ledger, self._signer = ledger, signer
        self._turns: dict[str, trio.CapacityLimiter] = {}  # of each upstream, of which there are no more than keys

    async def fetch(self, user: str, request: FetchReceipts) -> Answer:
        """Give a page; an upstream that asks for several has one made at a time, with rests: others come between."""
        beyond = await self._beyond(user, request.after, request.request)
        if beyond:
            return beyond
        turn = self._turns.setdefault(user, trio.CapacityLimiter(1))
        async with turn:
            began_s = trio.current_time()
            page = await trio.to_thread.run_sync(self._page, user, request)
            if turn.statistics().tasks_waiting:
                await trio.sleep(REST * (trio.current_time() - began_s))
        return page

    async def acknowledge(self, user: str, request: AcknowledgeRequest) -> Answer:
        """Move the cursor; durable on return."""
        beyond = await self._beyond(user, request.upto, request.request)
        if beyond:
            return beyond
        upto = await self._ledger.write(AcknowledgeReceipts(user, request.upto))
        return Acknowledged(request=request.request, upto=upto)

    def _page(self, user: str, request: FetchReceipts) -> Receipts:
        """Read and fill a page: for a worker thread, since a signature takes 35 us and a page has up to 1,000."""
        found = self._ledger.reader.receipts(user, request.after, request.limit + 1)
        items: list[Receipt] = []
        size_bytes = 0
        for count, row in enumerate(found[: request.limit], 1):
            if not count % BREATH_RECEIPTS:
                time.sleep(BREATH_S)
            receipt = self._filled(user, row)
            size_bytes += len(pack(receipt))
            if items and size_bytes > MAX_PAGE_BYTES:
                break
            items.append(receipt)
        return Receipts(request=request.request, items=items, more=len(found) > len(items))

    def _filled(self, user: str, row: Receipt) -> Receipt:
        receipt = with_texts(row)
        return self._signer.signed(receipt, user) if self._signer else receipt

    async def _beyond(self, user: str, cursor: int, request: int) -> Refusal | None:
        """Give what an upstream is told whose receipts this ledger does not know, since it came out of a backup."""
        known = await trio.to_thread.run_sync(self._ledger.reader.cursor_at, user, cursor)
        if known == cursor:
            return None
        return Refusal(request=request, code="receipts.beyond", text=BEYOND.format(cursor, known), field="after")
