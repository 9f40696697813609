"""When batches were finished: the last of their bundles, asked of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from controller.ledger import tables
from controller.ledger.projection import CLOSED

ASKED_AT_ONCE = 500


def finished_batches(engine: Engine, batches: Sequence[int]) -> dict[int, float | None]:
    """Give of each closed batch among some the floor time of its last bundle, None where it has none."""
    found: dict[int, float | None] = {}
    batch, bundle = tables.batch, tables.bundle
    for first in range(0, len(batches), ASKED_AT_ONCE):
        some = batches[first : first + ASKED_AT_ONCE]
        query = (
            select(batch.c.batch_id, func.max(bundle.c.made_floor_s))
            .outerjoin(bundle, bundle.c.batch_id == batch.c.batch_id)
            .where(batch.c.batch_id.in_(some), batch.c.state == CLOSED)
            .group_by(batch.c.batch_id)
        )
        with engine.connect() as connection:
            found |= {row[0]: row[1] for row in connection.execute(query)}
    return found
