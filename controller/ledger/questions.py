"""The reader's daily questions, each built once: building one anew costs Core as much as asking it (measured)."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, func, or_, select

from controller.application import CARD_IDS_PER_BATCH
from controller.core.moves import Verdict
from controller.ledger import tables
from controller.ledger.inbox import InboxState
from controller.ledger.prepared import Prepared

_row, _batch, _floor, _card = tables.inbox_application, tables.inbox_batch, tables.batch, tables.card
_mine, _in_floor = _row.c.batch_id == bindparam("batch_id"), _floor.c.batch_id == bindparam("batch_id")
_elsewhere = _row.c.batch_id != bindparam("but_batch")
_is_checked = _batch.c.state == InboxState.CHECKED.value

INDEXES = Prepared(select(_row.c.idx).where(_mine).order_by(_row.c.idx))
ROWS = Prepared(select(_row).where(_mine).order_by(_row.c.idx))
DIGESTS = Prepared(
    select(_row.c.idx, _row.c.row_digest).where(_mine, _row.c.idx.between(bindparam("first"), bindparam("last")))
)
RECEIPTS = Prepared(
    select(tables.receipt, _floor.c.batch_number)
    .outerjoin(_floor, _floor.c.batch_id == tables.receipt.c.batch_id)  # one about a restore is of no batch
    .where(tables.receipt.c.upstream == bindparam("upstream"), tables.receipt.c.number > bindparam("after"))
    .order_by(tables.receipt.c.number)
    .limit(bindparam("most"))
)
BATCH = Prepared(select(_floor).where(_in_floor))
STATES = Prepared(
    select(_card.c.state, func.count())
    .where(_card.c.card_id.between(bindparam("first"), bindparam("last")))
    .group_by(_card.c.state)
)
CARDS_OF = Prepared(
    select(_card).where(_card.c.acceptance_number == bindparam("acceptance_number")).order_by(_card.c.card_id.desc())
)
KNOWN_NUMBERS = (
    select(_row.c.acceptance_number, _row.c.batch_id, _row.c.idx)
    .join(_batch, _batch.c.batch_id == _row.c.batch_id)
    .where(_row.c.acceptance_number.in_(bindparam("acceptance_numbers", expanding=True)), _elsewhere)
    .where(_is_checked)
    .order_by(_row.c.batch_id, _row.c.idx)
)
KNOWN_PEOPLE = (
    select(_row.c.identity, _row.c.person, _row.c.batch_id, _row.c.idx, _card.c.state)
    .join(_batch, _batch.c.batch_id == _row.c.batch_id)
    .outerjoin(_card, _card.c.card_id == _row.c.batch_id * CARD_IDS_PER_BATCH + _row.c.idx)
    .where(_row.c.identity.in_(bindparam("identities", expanding=True)), _elsewhere)
    .where(_row.c.verdict != Verdict.REFUSE.value)
    .where(or_(_is_checked, and_(_batch.c.state == InboxState.RETURNED.value, _card.c.state.is_not(None))))
    .order_by(_row.c.batch_id, _row.c.idx)
)
