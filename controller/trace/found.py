"""What a number that somebody types stands for: an application, a batch, a card, or the blank of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from controller.application import ACCEPTANCE_DIGITS, BATCH_DIGITS, batch_of
from controller.ledger import tables
from controller.ledger.columns import numbers_in
from controller.ledger.reader import Reader
from controller.ledger.rows import CardRow
from devices.messages import body_of, position_of

ID_DIGITS = 15  # of a card's number or a blank's serial, at most: both stay far below


def found_by(engine: Engine, typed: str) -> list[dict[str, Any]]:
    """Give what digits may stand for, the likeliest first; a short number may be a card's and a blank's.

    Each with `by` (acceptance_number, batch, card or blank), card (0 for a batch), acceptance_number, batch_number.
    Cost: a blank is looked for through all sheets there ever were, some 20 ms for a million cards; for worker threads.
    """
    reader = Reader(engine)
    if len(typed) == BATCH_DIGITS:
        announced = reader.announced(typed)
        whole = {"by": "batch", "card": 0, "acceptance_number": "", "batch_number": typed}
        return [whole] if announced else []
    if len(typed) == ACCEPTANCE_DIGITS:
        return [_row(reader, "acceptance_number", card) for card in reader.cards_of(typed)]
    if len(typed) > ID_DIGITS:
        return []
    card = reader.card(int(typed))
    found = [_row(reader, "card", card)] if card else []
    return found + [_row(reader, "blank", one) for one in _on_blank(engine, reader, int(typed))]


def _row(reader: Reader, by: str, card: CardRow) -> dict[str, Any]:
    batch = reader.batch(batch_of(card.card_id))
    numbers = {"acceptance_number": card.acceptance_number, "batch_number": batch.batch_number if batch else ""}
    return {"by": by, "card": card.card_id, **numbers}


def _on_blank(engine: Engine, reader: Reader, serial: int) -> list[CardRow]:
    """Give the cards that lay or lie on a blank, by the sheets its body was bound to."""
    body, place = body_of(serial), position_of(serial)
    if body < 1 or place < 0:
        return []
    with engine.connect() as connection:
        rows = connection.execute(select(tables.sheet.c.cards).where(tables.sheet.c.body == body)).all()
    numbers = [cards[place] for cards in (numbers_in(row.cards) for row in rows) if place < len(cards)]
    return [card for card in map(reader.card, filter(None, numbers)) if card]
