"""The inbox of a year: what an upstream would have sent of each batch, so that the ledger is whole in itself.

No application exists in a year: the digests that stand for one are made of its number, and those of people count up,
so that their indexes grow at one end, as no real ones do.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Any

from controller.application import CARD_IDS_PER_BATCH
from controller.clock import floor_date
from controller.core.events import BatchChecked, CardCameBack
from controller.core.moves import RowVerdict
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk, StoreVerdicts
from controller.ledger.returns import OpenReturn

REASON = "21"  # renewal at expiry
DIGEST_BYTES = 32


class PretendInbox:
    """Gives the changes that bring a batch into the inbox, in the order of the batches' numbers."""

    def __init__(self) -> None:
        self._people = 0

    def of_batch(self, event: BatchChecked) -> list[Any]:
        """Give what a whole batch and its verdicts change."""
        rows = [self._row(row) for row in event.rows]
        digest = sha256(b"".join(row.row_digest for row in rows)).hexdigest()
        due, on = floor_date(event.due_floor_s - 1), floor_date(event.received_floor_s)
        about = (event.batch_number, event.upstream, due, len(rows), digest, event.card_kind, on)
        return [
            AnnounceBatch(*about, event.received_floor_s),
            StoreChunk(event.batch_id, rows),
            StoreVerdicts(event.batch_id, event.rows),
        ]

    def of_return(self, event: CardCameBack) -> list[Any]:
        """Give what the next case of a card that came back changes."""
        opened = event.opened
        batch_id, index = divmod(event.card, CARD_IDS_PER_BATCH)
        days = (floor_date(opened.due_floor_s), floor_date(opened.received_floor_s))
        return [OpenReturn(batch_id, index, opened.batch_number, *days, opened.received_floor_s)]

    def _row(self, row: RowVerdict) -> InboxRow:
        self._people += 1
        number = self._people.to_bytes(DIGEST_BYTES)
        digest = blake2b(row.acceptance_number.encode(), digest_size=DIGEST_BYTES).digest()
        return InboxRow(row.index, row.acceptance_number, digest, number, number, row.unit, row.express, REASON)


def numbers_of(changes: Sequence[Any], results: Sequence[Any]) -> list[int]:
    """Give the numbers that the inbox gave to batches, out of the results of its changes."""
    announced = [
        getattr(result, "batch_id", result)
        for change, result in zip(changes, results, strict=True)
        if isinstance(change, AnnounceBatch | OpenReturn)
    ]
    return [int(one) for one in announced]
