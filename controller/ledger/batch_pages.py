"""Pages of batches and of one batch's cards, newest and first in front; each is one short transaction."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select

from controller.application import CARD_IDS_PER_BATCH, card_id
from controller.ledger import tables
from controller.ledger.receipts import RESTORED
from controller.ledger.rows import BatchRow, CardRow

LAGGING_MAX = 50_000  # receipts of one upstream that the database looks through
AFTER_DIGITS = ":"  # the character after 9: with it behind a prefix of digits ends what begins with them


def batch_page(engine: Engine, before: int, limit: int, prefix: str = "", state: str = "") -> list[BatchRow]:
    """Give batches whose verdicts are out, newest first, numbered below `before` (0: from the newest on).

    `prefix`: digits their numbers begin with; `state`: open, closed or refused.
    """
    batch = tables.batch
    query = select(batch).order_by(batch.c.batch_id.desc()).limit(limit)
    if before:
        query = query.where(batch.c.batch_id < before)
    if prefix:
        query = query.where(batch.c.batch_number >= prefix, batch.c.batch_number < prefix + AFTER_DIGITS)
    if state:
        query = query.where(batch.c.state == state)
    with engine.connect() as connection:
        return [BatchRow(*row) for row in connection.execute(query)]


def batch_of_number(engine: Engine, batch_number: str) -> BatchRow | None:
    """Give a batch whose verdicts are out by its number."""
    batch = tables.batch
    query = select(batch).where(batch.c.batch_number == batch_number).order_by(batch.c.batch_id.desc()).limit(1)
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return BatchRow(*row) if row else None


def card_page(engine: Engine, batch_id: int, after: int, limit: int, state: str = "") -> list[CardRow]:
    """Give cards of a batch in order of their number, those above `after`; `state`: in this one alone."""
    card, first = tables.card, card_id(batch_id, 0)
    query = select(card).where(card.c.card_id > max(after, first - 1), card.c.card_id < first + CARD_IDS_PER_BATCH)
    if state:
        query = query.where(card.c.state == state)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(card.c.card_id).limit(limit)).all()
    return [CardRow(*row) for row in rows]


def receipts_of(engine: Engine, batch_id: int) -> dict[str, int]:
    """Give how many receipts of each kind a batch ever had."""
    counted = tables.receipt_count
    query = select(counted.c.kind, counted.c["count"]).where(counted.c.batch_id == batch_id)
    with engine.connect() as connection:
        return dict(sorted((kind, count) for kind, count in connection.execute(query)))


def unacknowledged(engine: Engine, batch: BatchRow, most: int = LAGGING_MAX) -> dict[str, int] | None:
    """Give how many receipts of a batch its upstream has not acknowledged yet, by kind.

    None where it lags more than `most` receipts behind, of whatever batches: nobody counts them while a page waits.
    """
    receipt, cursor = tables.receipt, tables.receipt_cursor
    mine = receipt.c.upstream == batch.upstream
    with engine.connect() as connection:
        done = select(cursor.c.acknowledged).where(cursor.c.upstream == batch.upstream)
        acknowledged = connection.execute(done).scalar() or 0
        behind = and_(mine, receipt.c.number > acknowledged)
        last = connection.execute(select(func.max(receipt.c.number)).where(mine)).scalar() or 0
        if last - acknowledged > most and not _jump_alone(connection, behind, most):
            return None
        waits = and_(behind, receipt.c.batch_id == batch.batch_id)
        counted = select(receipt.c.kind, func.count()).where(waits).group_by(receipt.c.kind)
        return dict(sorted((kind, count) for kind, count in connection.execute(counted)))


def _jump_alone(connection: Connection, behind: ColumnElement[bool], most: int) -> bool:
    """Say whether these receipts are no more than `most`, and only their numbers jumped, as they do at a restore."""
    counted, receipt = tables.receipt_count, tables.receipt
    jumps = select(counted.c.kind).where(counted.c.batch_id == 0, counted.c.kind == RESTORED)
    if connection.execute(jumps).first() is None:
        return False
    some = select(receipt.c.number).where(behind).limit(most + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= most
