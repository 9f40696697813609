"""What inspection read from chip and face, compared with what was sent: the result speaks in codes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from controller.application import control_mark
from controller.core.events import SheetOutcome
from devices.defects import GOOD, Step
from devices.messages import PositionResult, SheetResult

CHIP_DIFFERS = "I2"
FACE_DIFFERS = "I3"


class Sent(Protocol):
    """What a chip was to be written with: `controller.encoding.MadeCard` has it."""

    @property
    def record(self) -> bytes:
        """The text record."""
        ...

    @property
    def portrait(self) -> bytes:
        """The encoded portrait."""
        ...


@dataclass(frozen=True, slots=True)
class Chip:
    """What is in a chip; a card without one answers with nothing."""

    record: bytes = b""
    portrait: bytes = b""

    def __repr__(self) -> str:
        """Say that something is here, and nothing of it (law 8)."""
        return "<Chip>"


NO_CHIP = Chip()


def outcome_of(step: Step, result: SheetResult, cards: list[int], made: Mapping[int, Sent]) -> SheetOutcome:
    """Give a sheet's outcome for the foreman.

    Args:
        result: as the station sent it.
        cards: the card at each position, 0 where none is to be made.
        made: what was sent, needed for inspection only; a card whose own can no longer be read is not in it, and
            cannot be found good.
    """
    codes, blanks = [], []
    for position, seen in enumerate(result.positions):
        card = cards[position] if position < len(cards) else 0
        code = seen.code
        if step is Step.INSPECT and code == GOOD and card:
            code = _compare(seen, card, made.get(card))
        codes.append(code)
        blanks.append(seen.blank)
    return SheetOutcome(result.sheet_id, result.fate, result.code, result.body, codes, blanks)


def _compare(seen: PositionResult, card: int, sent: Sent | None) -> str:
    """Give the code of what inspection found at one position."""
    if seen.mark != control_mark(card):
        return FACE_DIFFERS
    if sent is None or (seen.record, seen.portrait) != (sent.record, sent.portrait):
        return CHIP_DIFFERS
    return GOOD
