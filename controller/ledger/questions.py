"""The reader's daily questions, each built once: building one anew costs Core as much as asking it (measured)."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from controller.ledger import tables

_row, _floor, _card = tables.inbox_application, tables.batch, tables.card
_mine, _in_floor = _row.c.batch_id == bindparam("batch_id"), _floor.c.batch_id == bindparam("batch_id")

INDEXES = select(_row.c.idx).where(_mine).order_by(_row.c.idx)
ROWS = select(_row).where(_mine).order_by(_row.c.idx)
DIGESTS = select(_row.c.idx, _row.c.row_digest).where(_mine, _row.c.idx.in_(bindparam("indexes", expanding=True)))
RECEIPTS = (
    select(tables.receipt, _floor.c.batch_number)
    .outerjoin(_floor, _floor.c.batch_id == tables.receipt.c.batch_id)  # one about a restore is of no batch
    .where(tables.receipt.c.upstream == bindparam("upstream"), tables.receipt.c.number > bindparam("after"))
    .order_by(tables.receipt.c.number)
    .limit(bindparam("most"))
)
BATCH = select(_floor).where(_in_floor)
STATES = (
    select(_card.c.state, func.count())
    .where(_card.c.card_id.between(bindparam("first"), bindparam("last")))
    .group_by(_card.c.state)
)
CARDS_OF = (
    select(_card).where(_card.c.acceptance_number == bindparam("acceptance_number")).order_by(_card.c.card_id.desc())
)
