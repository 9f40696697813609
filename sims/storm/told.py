"""What upstreams may be told: the inbox as it is durable, beside which every answer is held (laws 3 and 5)."""

from __future__ import annotations

from collections import defaultdict

from controller.ledger.committer import Item
from controller.ledger.inbox import AcknowledgeReceipts, AnnounceBatch, StoreChunk
from sims.storm.errors import Broken


class Told:
    """Follows durable changes of the inbox, and compares answers with them.  Raises: Broken."""

    def __init__(self) -> None:
        self._numbers: dict[int, str] = {}  # batch -> its number
        self._rows: defaultdict[str, set[int]] = defaultdict(set)  # batch number -> indexes that are durable
        self._cursors: dict[str, int] = {}

    def saw(self, item: Item) -> None:
        """Take one change that is durable now."""
        change = item.change
        if item.refusal is not None:
            return
        if isinstance(change, AnnounceBatch):
            self._numbers[item.result.batch_id] = change.batch_number
        elif isinstance(change, StoreChunk):
            self._rows[self._numbers[change.batch_id]].update(row.index for row in change.rows)
        elif isinstance(change, AcknowledgeReceipts):
            before = self._cursors.get(change.upstream, 0)
            if item.result < before:
                raise Broken("law 3", f"the cursor of {change.upstream} goes back from {before} to {item.result}")
            self._cursors[change.upstream] = item.result

    def check_stored(self, batch_number: str, first: int, count: int) -> None:
        """Check that a chunk which is acknowledged is durable."""
        lacking = set(range(first, first + count)) - self._rows[batch_number]
        if lacking:
            raise Broken("law 3", f"batch {batch_number}: {len(lacking)} rows are acknowledged, and are not durable")

    def check_cursor(self, upstream: str, upto: int) -> None:
        """Check that a cursor which is acknowledged is durable."""
        if upto > self._cursors.get(upstream, 0):
            raise Broken("law 3", f"receipts up to {upto} are off {upstream}'s hands, and it is not durable")
