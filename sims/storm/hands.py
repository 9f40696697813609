"""The hands of the floor: what people carry where, once the books say so durably."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import stock_moves as sm
from controller.core.moves import Mark, positions_in
from devices.defects import Step
from devices.messages import POSITIONS, blank_serial, position_of
from sims.storm.errors import Broken
from sims.storm.matter import Lay, Matter, Place

_SPOILED = (Mark.UNUSED, Mark.SPOILED, Mark.FOUND_SPOILED)


class Hands:
    """Follows durable moves through the matter.  Raises: Broken: the books say what hands cannot do."""

    def __init__(self, matter: Matter) -> None:
        self.matter = matter
        self.bundled: dict[int, list[int]] = {}  # bundle -> serials in it
        self.unfound: set[int] = set()  # serials that hands could not lay into a tray, and the books do not miss yet
        self.blank_of: dict[int, int] = {}  # card -> the serial it was sorted as
        self.jobs: dict[int, m.JobStarted] = {}
        self.bodies: dict[int, int] = {}  # sheet -> body, as the books have it
        self._follow: dict[type, Callable[[Any], None]] = {
            m.SheetImposed: self._imposed,
            m.JobStarted: self._started,
            m.SheetBound: self._bound,
            m.PositionsMarked: self._marked,
            m.BundleMade: self._bundle_made,
            m.CardMissing: self._missing,
            m.ConsignmentSent: self._sent,
            q.BundleOpened: self._opened,
            q.CardsQuarantined: self._quarantined,
            q.CardSetGood: self._set_good,
            q.CardReturned: self._returned,
            sm.StockReceived: lambda move: matter.receive(move.first_body, move.sheets, move.places),
            sm.MagazineIssued: lambda move: matter.issue(move.station, move.first_body, move.sheets),
            sm.BlanksDestroyed: self._destroyed,
            sm.BlanksLost: lambda move: self.unfound.discard(move.blank),
        }
        self.cards: dict[int, list[int]] = {}  # sheet -> cards by position

    def saw(self, move: m.AnyMove) -> None:
        """Do what one move asks of hands."""
        follow = self._follow.get(type(move))
        if follow:
            follow(move)

    # ---- sheets ------------------------------------------------------------------------------------------------

    def _imposed(self, move: m.SheetImposed) -> None:
        self.cards[move.sheet_id] = list(move.cards)

    def _started(self, move: m.JobStarted) -> None:
        if move.bundle_id:
            self.jobs[move.job_id] = move

    def _bound(self, move: m.SheetBound) -> None:
        lay = self.matter.lays.get(move.sheet_id)
        if lay is None or lay.body != move.body:
            lies = "no sheet" if lay is None else f"body {lay.body}"
            raise Broken("law 2", f"sheet {move.sheet_id} is bound to body {move.body}, under it lies {lies}")
        self.bodies[move.sheet_id] = move.body

    def _marked(self, move: m.PositionsMarked) -> None:
        body, lay = self.bodies.get(move.sheet_id, 0), self.matter.lays.get(move.sheet_id)
        for position in positions_in(move.mask):
            if body:
                self._sort(move, position, blank_serial(body, position), lay)
            elif lay is not None and move.mark is not Mark.SUSPECTED:
                if lay.body:
                    raise Broken("law 2", f"sheet {move.sheet_id} is thrown away as film, and has body {lay.body}")
                lay.marks[position] = ""
        if lay is not None and not body and not any(lay.marks) and move.mark is not Mark.SUSPECTED:
            self.matter.drop(move.sheet_id)

    def _sort(self, move: m.PositionsMarked, position: int, serial: int, lay: Lay | None) -> None:
        matter = self.matter
        if move.mark in _SPOILED and serial in self.unfound:
            return  # it fell off a belt before: two people will declare it lost
        if move.mark in _SPOILED:
            matter.move(serial, Place.DRAWER, Place.SHEET)
        elif move.mark is Mark.FOUND_MISSING:
            matter.move(serial, Place.LOST, Place.SHEET, Place.LOST)
            self.unfound.discard(serial)
        elif move.mark is Mark.FOUND_GOOD:
            matter.piled[serial] = matter.move(serial, Place.PILE, Place.SHEET)
        elif move.mark is Mark.PASSED:  # the machine sorts by place, it reads no serial
            piece = lay.piece_of(position) if lay is not None else None
            if piece is None:
                raise Broken("law 6", f"sheet {move.sheet_id}: nothing lies at position {position}, and it passed")
            matter.piled[serial] = matter.move(piece.serial, Place.PILE, Place.SHEET)
        else:
            return
        if lay is not None:
            lay.pieces = [one if one is None or one.place is Place.SHEET else None for one in lay.pieces]
            if not any(lay.pieces):
                matter.drop(lay.sheet_id)
        if move.mark in (Mark.PASSED, Mark.FOUND_GOOD):
            self.blank_of[self.cards[move.sheet_id][position]] = serial

    # ---- bundles -----------------------------------------------------------------------------------------------

    def _take(self, card: int, target: Place, *sources: Place) -> int:
        """Carry a card; where another piece lies than its serial says, that one is carried."""
        serial = self.blank_of.get(card, 0)
        piece = self.matter.piled.get(serial)
        if piece is None:
            raise Broken("law 6", f"card {card} goes to {target}, and no blank of it was ever sorted as good")
        self.matter.move(piece.serial, target, *sources)
        return serial

    def _bundle_made(self, move: m.BundleMade) -> None:
        job = next((one for one in self.jobs.values() if one.bundle_id == move.bundle_id), None)
        box = self.matter.boxes.get(job.job_id) if job else None
        if box is None:
            raise Broken("law 6", f"bundle {move.bundle_id} is made, and no packer has put a card into its box")
        self.bundled[move.bundle_id] = [self._take(card, Place.BOX, Place.PILE) for card in move.cards]
        if {piece.serial for piece in box} != {self.matter.piled[one].serial for one in self.bundled[move.bundle_id]}:
            raise Broken("law 6", f"bundle {move.bundle_id} holds other cards than the books say")

    def _opened(self, move: q.BundleOpened) -> None:
        for serial in self.bundled.pop(move.bundle_id):
            self.matter.move(self.matter.piled[serial].serial, Place.PILE, Place.BOX)

    def _sent(self, move: m.ConsignmentSent) -> None:
        for bundle in move.bundles:
            for serial in self.bundled.pop(bundle, ()):
                self.matter.move(self.matter.piled[serial].serial, Place.OUT, Place.BOX)

    # ---- single cards ------------------------------------------------------------------------------------------

    def _missing(self, move: m.CardMissing) -> None:
        """Miss a card; a packer's floor may have swallowed it already."""
        self._take(move.card, Place.LOST, Place.PILE, Place.LOST)
        self.matter.piled.pop(self.blank_of.pop(move.card))

    def _set_good(self, move: q.CardSetGood) -> None:
        self.matter.piled[move.blank] = self.matter.move(move.blank, Place.PILE, Place.DRAWER)
        self.blank_of[move.card] = move.blank

    def _returned(self, move: q.CardReturned) -> None:
        self.matter.move(move.blank, Place.BACK, Place.OUT)

    def _destroyed(self, move: sm.BlanksDestroyed) -> None:
        for serial in move.blanks:
            self.matter.move(serial, Place.DESTROYED, Place.DRAWER, Place.BACK)

    def _quarantined(self, move: q.CardsQuarantined) -> None:
        """Lay cards back into a tray, each at the place its serial names."""
        lay = self.matter.lays.get(move.sheet_id)
        if lay is None:
            marks = [""] * POSITIONS
            lay = self.matter.lays[move.sheet_id] = Lay(move.sheet_id, Step.INSPECT, marks, body=move.body)
            lay.pieces, lay.inspected = [None] * POSITIONS, True
        lay.pieces += [None] * (POSITIONS - len(lay.pieces))
        for card in filter(None, move.cards):
            serial = self.blank_of.get(card, 0)
            piece = self.matter.piled.get(serial)
            if piece is not None and piece.place is Place.LOST:
                self.unfound.add(serial)
            else:
                self._take(card, Place.SHEET, Place.PILE)
                lay.pieces[position_of(serial)] = piece
            self.matter.piled.pop(serial)
        self.cards[move.sheet_id] = [
            new or old for new, old in zip(move.cards, self.cards.get(move.sheet_id, [0] * POSITIONS), strict=True)
        ]
