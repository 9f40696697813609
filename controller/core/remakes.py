"""The clocks of what is made again: a remake by the end of the next working day, a returned card within five days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.calendar import DAY_S, calendar_of
from controller.core.cards import Decision
from controller.core.moves import Mark, positions_in
from controller.core.settings import CalendarConfig
from devices.messages import POSITIONS

REMAKE_DAYS = 1  # working days after the one on which the card was spoiled
EXPRESS_DAYS = 3  # working days after the one on which the batch came
RETURN_S = 5 * DAY_S  # floor seconds after the card came back
REMADE, RETURNED = "remade", "returned"  # what has a clock
SPOILING = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
ENDING = (Decision.CANCEL, Decision.REFUSE_LATE, Decision.REFUSE)


@dataclass(frozen=True, slots=True)
class Clock:
    """When something began to wait for being made again, and by when it should be made (law 6: in the bundle)."""

    began_floor_s: float
    due_floor_s: float

    def late_s(self, at_floor_s: float) -> float:
        """Give the floor seconds by which it is late at a time, 0 while it is not."""
        return max(0.0, at_floor_s - self.due_floor_s)


@dataclass(slots=True)
class Remakes:
    """A fold of moves: which remakes and returned cards are open, and how many were made in time.

    A card that is spoiled again begins a new clock; one that is set good gets back the clock it had before.
    It remembers open cards and the sheets they lie on only, so it is as large as the floor is.
    """

    calendar: CalendarConfig = field(default_factory=CalendarConfig)
    remakes: dict[int, Clock] = field(default_factory=dict)
    returns: dict[int, Clock] = field(default_factory=dict)
    in_time: Counter[str] = field(default_factory=Counter)  # REMADE, RETURNED -> cards made
    late: Counter[str] = field(default_factory=Counter)
    before: dict[int, Clock] = field(default_factory=dict)  # card -> the clock of the attempt before
    on_sheet: dict[int, list[int]] = field(default_factory=dict)  # sheet -> cards by position, 0 for none

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Take one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def spoiled(self, card: int, at_floor_s: float) -> None:
        """Begin a remake's clock."""
        self.before.pop(card, None)
        if card in self.remakes:
            self.before[card] = self.remakes[card]
        due = calendar_of(self.calendar).end_of_working_day(at_floor_s, REMAKE_DAYS)
        self.remakes[card] = Clock(at_floor_s, due)

    def ended(self, card: int, made_floor_s: float | None) -> None:
        """Stop a card's clocks: it was made at a time, or a person decided that it is not made (None)."""
        self.before.pop(card, None)
        for noun, clocks in ((REMADE, self.remakes), (RETURNED, self.returns)):
            clock = clocks.pop(card, None)
            if clock is not None and made_floor_s is not None:
                counts = self.late if made_floor_s > clock.due_floor_s else self.in_time
                counts[noun] += 1


def _opened(remakes: Remakes, at: float, move: m.BatchOpened) -> None:
    for row in move.rows:
        if row.case_no:
            remakes.returns[move.batch_id * 10_000 + row.index] = Clock(move.received_floor_s, move.due_floor_s)


def _imposed(remakes: Remakes, at: float, move: m.SheetImposed) -> None:
    remakes.on_sheet[move.sheet_id] = list(move.cards)


def _quarantined(remakes: Remakes, at: float, move: q.CardsQuarantined) -> None:
    """Lay cards beside what the tray may hold yet: suspects, and cards that were quarantined before."""
    cards = remakes.on_sheet.setdefault(move.sheet_id, [0] * POSITIONS)
    cards[:] = [back or there for back, there in zip(move.cards, cards, strict=True)]


def _marked(remakes: Remakes, at: float, move: m.PositionsMarked) -> None:
    if move.mark in (Mark.UNUSED, Mark.SUSPECTED):
        return
    cards = remakes.on_sheet.get(move.sheet_id, [0] * POSITIONS)
    for position in positions_in(move.mask):
        if move.mark in SPOILING and cards[position]:
            remakes.spoiled(cards[position], at)
        cards[position] = 0
    if not any(cards):
        remakes.on_sheet.pop(move.sheet_id, None)


def _missing(remakes: Remakes, at: float, move: m.CardMissing) -> None:
    remakes.spoiled(move.card, at)


def _set_good(remakes: Remakes, at: float, move: q.CardSetGood) -> None:
    before = remakes.before.pop(move.card, None)
    remakes.remakes.pop(move.card, None)
    if before is not None:
        remakes.remakes[move.card] = before


def _bundled(remakes: Remakes, at: float, move: m.BundleMade) -> None:
    for card in move.cards:
        remakes.ended(card, at)


def _decided(remakes: Remakes, at: float, move: m.CardDecided) -> None:
    if move.decision in ENDING:
        remakes.ended(move.card, None)


FOLDS: dict[type, Callable[[Remakes, float, Any], None]] = {
    m.BatchOpened: _opened,
    m.SheetImposed: _imposed,
    q.CardsQuarantined: _quarantined,
    m.PositionsMarked: _marked,
    m.CardMissing: _missing,
    q.CardSetGood: _set_good,
    m.BundleMade: _bundled,
    m.CardDecided: _decided,
}
