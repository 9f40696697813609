"""Cards that came back, and rejected cards that two people find good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core.quality_moves import CardReturned
from controller.core.turn import Turn


def _came_back(turn: Turn, event: e.CardCameBack) -> None:
    turn.record(CardReturned(event.card, event.blank, event.case_card, event.code, event.by))


CASE_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.CardCameBack: _came_back,
}
