"""The states of a card and the one table of how it moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

import msgspec

from controller.core.errors import CoreError
from controller.core.moves import Mark


class State(StrEnum):
    """Where a card stands."""

    HELD = "held"  # received, not accepted: a person decides
    ACCEPTED = "accepted"  # waits for its record, portrait and face
    READY = "ready"  # waits for a place on a sheet
    IMPOSED = "imposed"  # on a sheet: where, the sheet knows
    QUARANTINED = "quarantined"  # made inside a drift window: to be inspected again
    SUSPECT = "suspect"  # fate unknown: never assumed blank, never assumed good
    GOOD = "good"  # inspected, waits to be packed
    MADE = "made"  # inspected and in a bundle
    STOPPED = "stopped"  # accepted, waits for a person: attempts used up, or cannot be encoded
    DISPATCHED = "dispatched"
    CANCELLED = "cancelled"
    REFUSED = "refused"  # never accepted
    REFUSED_LATE = "refused_late"


class Decision(StrEnum):
    """What one person can decide about one card."""

    RELEASE = "release"
    REFUSE = "refuse"
    CANCEL = "cancel"
    RESUME = "resume"
    REFUSE_LATE = "refuse_late"
    CORRECT = "correct"  # by its upstream alone: another revision takes its place


class Cause(StrEnum):
    """Causes that are neither a mark of a position nor a person's decision."""

    ENCODED = "encoded"
    STOP = "stop"
    IMPOSE = "impose"
    BUNDLE = "bundle"
    MISSING = "missing"
    SEND = "send"
    OPEN = "open"  # its bundle is opened
    QUARANTINE = "quarantine"
    SET_GOOD = "set_good"


FINAL = frozenset({State.REFUSED, State.CANCELLED, State.REFUSED_LATE, State.DISPATCHED})
IN_MAKING = frozenset({State.ACCEPTED, State.READY, State.IMPOSED, State.QUARANTINED, State.SUSPECT})

MOVES: Mapping[tuple[State, str], State] = {
    (State.HELD, Decision.RELEASE): State.ACCEPTED,
    (State.HELD, Decision.REFUSE): State.REFUSED,
    (State.HELD, Decision.CORRECT): State.REFUSED,
    (State.ACCEPTED, Cause.ENCODED): State.READY,
    (State.ACCEPTED, Cause.STOP): State.STOPPED,
    (State.ACCEPTED, Decision.CANCEL): State.CANCELLED,
    (State.READY, Cause.IMPOSE): State.IMPOSED,
    (State.READY, Cause.STOP): State.STOPPED,
    (State.READY, Decision.CANCEL): State.CANCELLED,
    (State.IMPOSED, Mark.FILM_SPOILED): State.READY,  # a remake: next generation
    (State.IMPOSED, Mark.SPOILED): State.READY,
    (State.IMPOSED, Mark.PASSED): State.GOOD,
    (State.IMPOSED, Mark.QUARANTINED): State.QUARANTINED,
    (State.IMPOSED, Mark.SUSPECTED): State.SUSPECT,
    (State.QUARANTINED, Mark.PASSED): State.GOOD,
    (State.QUARANTINED, Mark.SPOILED): State.READY,
    (State.QUARANTINED, Mark.SUSPECTED): State.SUSPECT,
    (State.SUSPECT, Mark.FOUND_GOOD): State.GOOD,
    (State.SUSPECT, Mark.FOUND_SPOILED): State.READY,
    (State.SUSPECT, Mark.FOUND_MISSING): State.READY,
    (State.GOOD, Cause.BUNDLE): State.MADE,
    (State.GOOD, Cause.MISSING): State.READY,  # its blank is missing by then
    (State.GOOD, Cause.QUARANTINE): State.QUARANTINED,
    (State.MADE, Cause.OPEN): State.GOOD,
    (State.MADE, Cause.SEND): State.DISPATCHED,
    (State.ACCEPTED, Cause.SET_GOOD): State.GOOD,  # stopped, and sent to the encoders again
    (State.READY, Cause.SET_GOOD): State.GOOD,  # its remake is not imposed yet
    (State.STOPPED, Cause.SET_GOOD): State.GOOD,
    (State.STOPPED, Decision.RESUME): State.ACCEPTED,
    (State.STOPPED, Decision.CANCEL): State.CANCELLED,
    (State.STOPPED, Decision.REFUSE_LATE): State.REFUSED_LATE,
    (State.ACCEPTED, Decision.REFUSE_LATE): State.REFUSED_LATE,
    (State.READY, Decision.REFUSE_LATE): State.REFUSED_LATE,
}


class IllegalMove(CoreError):
    """No row of MOVES fits: a bug here, or a station that speaks out of turn."""

    code = "card.illegal_move"

    def __init__(self, card: int, state: State, cause: str) -> None:
        super().__init__(f"card {card}: {cause} while {state}")
        self.card, self.state, self.cause = card, state, cause


class Card(msgspec.Struct, array_like=True, gc=False):  # made by the thousand: a fifth of a dataclass's cost
    """What is being made for one case.  `generation` is the attempt, 1 the first; a film or blank spoiled ends it."""

    card: int
    batch_id: int
    unit: str
    state: State
    rank: tuple[int, int, float, int, str, int]  # see `rank_of`
    express: bool = False
    generation: int = 1
    sheet_id: int = 0
    blank: int = 0  # serial of the inspected blank
    ready_floor_s: float = 0.0
    rejected_blank: int = 0  # of the generation before, spoiled at inspection: two people may set it good
    spoiled_floor_s: float = 0.0  # when the generation before was spoiled: the remake's clock; 0 in the first
    due_floor_s: float = 0.0  # its batch's, or the express due date when that is earlier
    rejected_for: str = ""  # of `rejected_blank`: the defect code, and the sheet it lay on
    rejected_sheet_id: int = 0
    spoiled_before_floor_s: float = 0.0  # the clock that runs again when the reject is set good

    def after(self, cause: str) -> State:
        """Give the state that `cause` leads to.  Raises: IllegalMove."""
        state = MOVES.get((self.state, cause))
        if state is None:
            raise IllegalMove(self.card, self.state, cause)
        return state


_BATCH = attrgetter("batch_id")
Runs = list[tuple[tuple[int, str], list[Card]]]  # batch and police station, cards


def runs_of(cards: list[Card]) -> Runs:
    """Give cards in runs of one pile each, as they come: those of a sheet, or of a bundle, are mostly one run."""
    if not cards:
        return []
    unit, batch_id = cards[0].unit, cards[0].batch_id
    for card in cards:
        if card.unit != unit or card.batch_id != batch_id:
            break
    else:
        return [((batch_id, unit), cards)]
    runs: Runs = []
    unit, batch_id, run = "", -1, list[Card]()
    for card in cards:
        if card.unit != unit or card.batch_id != batch_id:
            unit, batch_id, run = card.unit, card.batch_id, []
            runs.append(((batch_id, unit), run))
        run.append(card)
    return runs


def batches_of(cards: list[Card]) -> Runs:
    """Give cards in runs of one batch each, as they come, without their police station."""
    numbers = [card.batch_id for card in cards]
    if numbers.count(numbers[0]) == len(numbers):  # by far the most
        return [((numbers[0], ""), cards)]
    return [((number, ""), list(alike)) for number, alike in groupby(cards, _BATCH)]


def rank_of(
    card: int, generation: int, express: bool, due_floor_s: float, batch_id: int, unit: str
) -> tuple[int, int, float, int, str, int]:
    """Give the order in which cards are taken: remakes, express, due date, batch age, police station, place."""
    return (0 if generation > 1 else 1, 0 if express else 1, due_floor_s, batch_id, unit, card)
