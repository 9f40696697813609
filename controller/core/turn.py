"""One turn of the foreman: the event's moves and actions while they are being decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from controller.core.cards import State
from controller.core.events import AnyAction
from controller.core.fold import apply
from controller.core.moves import AnyMove, CardStopped, Mark, PositionsMarked, positions_in
from controller.core.settings import CoreConfig
from controller.core.state import FloorState, Sheet
from devices.defects import Step, cause_of

REMAKING = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the foreman does not do what a person asked: a stable code, and a sentence that says what to do."""

    code: str
    text: str


class Turn(msgspec.Struct):
    """What one event leads to.  `record` is the only way a decision changes the state."""

    state: FloorState
    config: CoreConfig
    now_floor_s: float
    moves: list[AnyMove] = []  # msgspec copies empty defaults
    actions: list[AnyAction] = []
    refused: Refused | None = None
    answer: int = 0  # number of the act that was proposed
    wake_floor_s: float | None = None

    def record(self, move: AnyMove) -> None:
        """Make a move: it changes the state now, and the ledger keeps it."""
        apply(self.state, self.now_floor_s, move)
        self.moves.append(move)

    def act(self, action: AnyAction) -> None:
        """Ask the shell for something, to be done once this turn's moves are durable."""
        self.actions.append(action)

    def refuse(self, code: str, text: str) -> None:
        """Answer the person who asked that it is not done, and why."""
        self.refused = Refused(code, text)

    def wake_at(self, at_floor_s: float) -> None:
        """Ask to be called at a time; the earliest of all asked times counts."""
        if self.wake_floor_s is None or at_floor_s < self.wake_floor_s:
            self.wake_floor_s = at_floor_s

    def mark(
        self,
        sheet: Sheet,
        mask: int,
        mark: Mark,
        code: str,
        station: str,
        found_at: Step,
        people: Sequence[str] = ("", ""),
    ) -> None:
        """Mark positions of a sheet; a card whose attempts are used up stops for a person."""
        if not mask:
            return
        cards = [sheet.cards[position] for position in positions_in(mask)] if mark in REMAKING else ()
        caused_at = cause_of(code, found_at)
        self.record(
            PositionsMarked(sheet.sheet_id, mask, mark, code, station, caused_at, found_at, people[0], people[1])
        )
        for number in cards:
            self.stop_when_used_up(number)

    def stop_when_used_up(self, number: int) -> None:
        """Stop a card that is to be made again, for a person, when its attempts are used up."""
        card = self.state.card(number)
        if card.state is State.READY and card.generation > self.config.remake.attempts_max:
            self.record(CardStopped(number, "remake.attempts"))
