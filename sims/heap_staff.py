"""The two people of a floor in virtual time: they fill magazines, settle suspects and end what cannot be made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from controller.core import events as e
from controller.core.cards import Decision
from controller.core.moves import ActProposed, AnyMove, CardStopped, Mark, PositionsMarked, SheetBound
from controller.core.quality_moves import StationHeld
from controller.core.stock_moves import StockReceived
from devices.messages import SINGLE
from sims.demo.staff import FIRST_BODY, FIRST_SINGLE, SERVICE_S

FIRST, SECOND = "ann", "bob"
ERRAND_S = 180.0  # floor seconds until the pair has done what it set out for
MAGAZINE_SHEETS = 144  # six loads of a press
LOW_SHEETS = 72
ORDER_SHEETS = 50_000

Push = Callable[[float, e.AnyEvent], None]


class HeapStaff:
    """Sees the moves, and asks the foreman for what they call for, by `push`."""

    def __init__(self, presses: Sequence[str], push: Push, singles: int = 0) -> None:
        """`singles`: the single bodies each press gets at the start."""
        self._push, self._singles, self._presses = push, singles, presses
        self._bodies: Counter[str] = Counter()  # by press, those on their way too
        self._waiting = list(presses)  # presses to be filled once there are bodies
        self._next_body = self._ordered_to = self._received_to = FIRST_BODY
        self.answers: dict[type, Callable[[float, Any], None]] = {
            SheetBound: self._bound,
            ActProposed: self._proposed,
            StockReceived: self._received,
            PositionsMarked: self._marked,
            StationHeld: self._station_held,
            CardStopped: self._stopped,
        }
        """What is done about each kind of move."""

    def begin(self, at_floor_s: float) -> None:
        """Receive the first body sheets and fill every magazine, before the floor begins."""
        self._order(at_floor_s)
        if self._singles:
            args: dict[str, int | str] = {"first_body": FIRST_SINGLE, "sheets": self._singles * len(self._presses)}
            self._push(at_floor_s, e.ActAsked("receive", {**args, "lot": "singles", "places": SINGLE}, FIRST))

    def _issue_singles(self, at_floor_s: float) -> None:
        for place, press in enumerate(self._presses):
            first = FIRST_SINGLE + place * self._singles
            args: dict[str, int | str] = {"station": press, "first_body": first, "sheets": self._singles}
            self._push(at_floor_s, e.ActAsked("issue", args, FIRST))

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        answer = self.answers.get(type(move))
        if answer is not None:
            answer(at_floor_s, move)

    def _bound(self, at_floor_s: float, move: SheetBound) -> None:
        if move.body >= FIRST_SINGLE:
            return
        self._bodies[move.station] -= 1
        if self._bodies[move.station] < LOW_SHEETS:
            self._fill(move.station, at_floor_s + ERRAND_S)

    def _proposed(self, at_floor_s: float, move: ActProposed) -> None:
        if move.by == FIRST:
            self._push(at_floor_s, e.ActSeconded(move.act_id, SECOND))

    def _received(self, at_floor_s: float, move: StockReceived) -> None:
        if move.places == SINGLE:
            self._issue_singles(at_floor_s)
            return
        self._received_to = move.first_body + move.sheets
        presses, self._waiting = self._waiting, []
        for press in presses:
            self._fill(press, at_floor_s)

    def _marked(self, at_floor_s: float, move: PositionsMarked) -> None:
        if move.mark is Mark.SUSPECTED:
            args: dict[str, int | str] = {"sheet_id": move.sheet_id, "mask": move.mask, "finding": "spoiled"}
            self._push(at_floor_s + ERRAND_S, e.ActAsked("settle", args, FIRST))

    def _station_held(self, at_floor_s: float, move: StationHeld) -> None:
        self._push(at_floor_s + SERVICE_S, e.ReleaseAsked(move.station, FIRST))

    def _stopped(self, at_floor_s: float, move: CardStopped) -> None:
        said = e.DecisionMade(move.card, Decision.REFUSE_LATE, FIRST, "it cannot be made")
        self._push(at_floor_s + ERRAND_S, said)

    def _fill(self, press: str, at_floor_s: float) -> None:
        """Issue what brings a magazine back to its full height; order more when the vault has not so much."""
        sheets = MAGAZINE_SHEETS - self._bodies[press]
        self._bodies[press] = MAGAZINE_SHEETS
        if self._next_body + sheets > self._received_to:
            self._bodies[press] -= sheets
            self._waiting.append(press)
            self._order(at_floor_s)
            return
        args: dict[str, int | str] = {"station": press, "first_body": self._next_body, "sheets": sheets}
        self._push(at_floor_s, e.ActAsked("issue", args, FIRST))
        self._next_body += sheets

    def _order(self, at_floor_s: float) -> None:
        """Have the maker's next delivery received, unless it is on its way."""
        if self._ordered_to > self._received_to:
            return
        args: dict[str, int | str] = {"first_body": self._ordered_to, "sheets": ORDER_SHEETS, "lot": "made"}
        self._ordered_to += ORDER_SHEETS
        self._push(at_floor_s, e.ActAsked("receive", args, FIRST))
