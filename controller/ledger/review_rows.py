"""How the moves of the review desk change the state tables; `projection` calls these with itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core.cards import Cause, State
from controller.core.review_folds import SHARED_NUMBER
from controller.core.review_moves import CardContested
from controller.ledger.open_rows import OpenRows
from controller.ledger.receipts import Stamp


def _contested(rows: OpenRows, stamp: Stamp, move: CardContested) -> None:
    card = rows.cards.get(move.card)
    if card.state == State.HELD:
        return  # what it is held for as well stands in the foreman's state
    card.stopped_for = SHARED_NUMBER
    if move.stops:
        rows.bring(stamp, [card], Cause.STOP)
    else:
        rows.cards.all_changed([card])


REVIEW_ROWS: dict[type, Callable[[OpenRows, Stamp, Any], None]] = {CardContested: _contested}
