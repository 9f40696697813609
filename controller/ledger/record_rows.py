"""How the moves about the record itself change the state tables; `projection` calls these with itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import record_moves as r
from controller.ledger.open_rows import OpenRows
from controller.ledger.receipts import Stamp


def _folded(rows: OpenRows, stamp: Stamp, move: r.TablesFolded) -> None:
    for batch_id, rows_hash in move.batches:
        batch = rows.batches.get(batch_id)
        _set_hash(rows, batch_id, batch.rows_hash if batch.purged_floor_s else rows_hash)


def _purged(rows: OpenRows, stamp: Stamp, move: r.BatchesPurged) -> None:
    for batch_id, rows_hash in move.batches:
        rows.batches.get(batch_id).purged_floor_s = stamp.at_floor_s
        _set_hash(rows, batch_id, rows_hash)


def _restored(rows: OpenRows, stamp: Stamp, move: r.LedgerRestored) -> None:
    rows.receipts.about_restore(stamp, move.upstreams, move.step)


def _set_hash(rows: OpenRows, batch_id: int, rows_hash: bytes) -> None:
    batch = rows.batches.get(batch_id)
    batch.rows_hash = rows_hash
    rows.batches.changed(batch)
    if batch.closed_floor_s:  # an open one is let go when it closes
        rows.over.append((rows.batches, [batch_id]))


RECORD_ROWS: dict[type, Callable[[OpenRows, Stamp, Any], None]] = {
    r.TablesFolded: _folded,
    r.BatchesPurged: _purged,
    r.LedgerRestored: _restored,
}
