"""The physical truth of a storm: every film, body and card that exists, where it lies, and what is on it and in it.

Nothing here believes the books.  Stations change matter when a cycle ends; hands follow what the books say once it is
durable (`hands`), and each serial lies in exactly one place.  What no floor can do is a broken law.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from devices.defects import GOOD, Step
from devices.messages import POSITIONS, blank_serial
from sims.storm.errors import Broken


class Place(StrEnum):
    """Where a blank is that is no longer in a body sheet of vault or magazine."""

    SHEET = "sheet"  # bound: in a press, on its way, in a tray
    PILE = "pile"
    BOX = "box"  # in a bundle
    OUT = "out"  # dispatched
    DRAWER = "drawer"  # spoiled, waits for its destruction
    LOST = "lost"
    DESTROYED = "destroyed"
    BACK = "back"  # came back from outside


@dataclass(slots=True)
class Piece:
    """One card body: the face that lies on it, what is wrong with it, and what its chip holds."""

    serial: int
    mark: str = ""
    flaw: str = GOOD
    answers: bool = True
    record: bytes = b""
    portrait: bytes = b""
    place: Place = Place.SHEET


@dataclass(slots=True)
class Lay:
    """A film, and from the press on the sheet or tray it became; `pieces` by position."""

    sheet_id: int
    last: Step
    marks: list[str]  # what is printed, by position; empty where the film is clear
    flaws: list[str] = field(default_factory=lambda: [GOOD] * POSITIONS)
    body: int = 0
    pieces: list[Piece | None] = field(default_factory=list)
    inspected: bool = False
    turned: bool = False  # left the punch one place round

    def piece_of(self, position: int) -> Piece | None:
        """Give what lies at a position, None for nothing."""
        return self.pieces[position] if position < len(self.pieces) else None


_BEFORE = {
    Step.LAMINATE: (Step.PRINT,),
    Step.PUNCH: (Step.LAMINATE,),
    Step.WRITE: (Step.PUNCH,),
    Step.INSPECT: (Step.WRITE, Step.INSPECT),
}


class Matter:
    """All that physically exists on one floor."""

    def __init__(self) -> None:
        self.vault: dict[int, int] = {}  # body -> its places
        self.magazines: dict[str, dict[int, deque[int]]] = {}  # press -> places -> bodies, in the order they are drawn
        self.lays: dict[int, Lay] = {}
        self.pieces: dict[int, Piece] = {}
        self.piled: dict[int, Piece] = {}  # serial it was sorted as -> what lies there
        self.boxes: dict[int, list[Piece]] = {}  # pack job -> what its machine put into the box
        self.received = 0

    # ---- what machines do ------------------------------------------------------------------------------------

    def print(self, sheet_id: int, marks: list[str]) -> Lay:
        """Put a fresh film into the world."""
        if sheet_id in self.lays:
            raise Broken("law 1", f"film {sheet_id} is printed twice")
        lay = self.lays[sheet_id] = Lay(sheet_id, Step.PRINT, marks)
        return lay

    def step(self, sheet_id: int, step: Step) -> Lay | None:
        """Take a sheet through a step; None when it is no longer there.  Raises: Broken: it was through it before."""
        lay = self.lays.get(sheet_id)
        if lay is None:
            return None
        if lay.last not in _BEFORE[step]:
            raise Broken("law 1", f"sheet {sheet_id}: {step} after {lay.last}")
        lay.last = step
        return lay

    def draw(self, press: str, lay: Lay, places: int, *, shifted: bool = False) -> int:
        """Let a press draw the next body under a film; a shifted film lies one position further."""
        body = self.magazines[press][places].popleft()
        if shifted:
            lay.marks, lay.flaws = ["", *lay.marks[:-1]], [GOOD, *lay.flaws[:-1]]
        lay.body = body
        lay.pieces = [self._piece(body, place, lay) for place in range(places)]
        return body

    def _piece(self, body: int, place: int, lay: Lay) -> Piece:
        serial = blank_serial(body, place)
        if serial in self.pieces:
            raise Broken("law 2", f"blank {serial} is drawn twice")
        piece = self.pieces[serial] = Piece(serial, lay.marks[place], lay.flaws[place])
        return piece

    def turn(self, lay: Lay) -> None:
        """Let the cards of a sheet leave the punch one place further round."""
        lay.pieces = [lay.pieces[-1], *lay.pieces[:-1]]
        lay.turned = True

    def drop(self, sheet_id: int) -> None:
        """Throw a film, or what is left of a sheet, away: its pieces are where they were sorted to."""
        self.lays.pop(sheet_id, None)

    # ---- what hands do ---------------------------------------------------------------------------------------

    def receive(self, first: int, sheets: int, places: int) -> None:
        """Lay body sheets into the vault."""
        for body in range(first, first + sheets):
            if body in self.vault:
                raise Broken("law 2", f"body {body} is received twice")
            self.vault[body] = places
        self.received += sheets * places

    def issue(self, press: str, first: int, sheets: int) -> None:
        """Carry body sheets from the vault to a press.  Raises: Broken: they are not there."""
        stacks = self.magazines.setdefault(press, {})
        for body in range(first, first + sheets):
            places = self.vault.pop(body, 0)
            if not places:
                raise Broken("law 2", f"body {body} is issued, and does not lie in the vault")
            stacks.setdefault(places, deque()).append(body)

    def move(self, serial: int, target: Place, *sources: Place) -> Piece:
        """Carry one blank to another place.  Raises: Broken: it does not lie where the books have it."""
        piece = self.pieces.get(serial)
        if piece is None:
            raise Broken("law 2", f"blank {serial} goes to {target}, and was never drawn")
        if piece.place not in sources:
            raise Broken("law 2", f"blank {serial} goes to {target} from {piece.place}, not from {sources[0]}")
        piece.place = target
        return piece

    # ---- what is there ---------------------------------------------------------------------------------------

    def serials(self, place: Place) -> set[int]:
        """Give the blanks that lie in a place."""
        return {piece.serial for piece in self.pieces.values() if piece.place is place}

    def is_right(self, piece: Piece, mark: str, record: bytes, portrait: bytes) -> bool:
        """Say whether a card is what it should be: face and chip are this person's, and nothing is wrong with it."""
        return (
            piece.flaw == GOOD
            and piece.answers
            and (piece.mark, piece.record, piece.portrait) == (mark, record, portrait)
        )
