"""The physical truth that the stations of one floor share: films, bodies, cards, chips, bundles, and their flaws.

Nothing here believes a message: a card carries the face that was printed on the film that came to lie on it, and
its chip holds what was written into it.  What no floor can do (draw a body twice, write a good chip again, pack a
card twice, work on what is not there) is counted in `violations`, and answered as a machine would answer it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from devices.defects import GOOD, Step
from devices.messages import POSITIONS, Fate, PositionResult, PositionWork, SheetResult, blank_serial
from encoders.envelope import EnvelopeError, Opener
from encoders.face import FaceJob
from sims.faults import Faults, draw, pick

_BEFORE = {  # what must have been done to a sheet, and done last
    Step.LAMINATE: (Step.PRINT,),
    Step.PUNCH: (Step.LAMINATE,),
    Step.WRITE: (Step.PUNCH,),
    Step.INSPECT: (Step.PUNCH, Step.WRITE, Step.INSPECT),
}
PACKED_READABLE = 50_000  # packed cards whose chips can be read yet; of older ones the content is forgotten
NO_ANSWER = "W1"
WRITTEN_BEFORE = "W2"
FALSE_REJECT = "I1"
SHIFTED = "L5"
_INVERTED = bytes.maketrans(bytes(range(256)), bytes(255 - byte for byte in range(256)))
_faces: Opener[FaceJob] = Opener(FaceJob, 1 << 20)


@dataclass(slots=True)
class _Face:
    """What is printed at one position of a film: the control mark, and a flaw or none."""

    mark: str = ""
    flaw: str = GOOD


@dataclass(slots=True)
class _Card:
    """One card body from the press on."""

    blank: int
    face: _Face
    flaws: list[str] = field(default_factory=list)  # for the eye
    answers: bool = True  # the chip
    record: bytes = field(default=b"", repr=False)
    portrait: bytes = field(default=b"", repr=False)
    packed: bool = False


class World:
    """One floor's matter.  One thread uses it; every method is one station's finished work on one sheet."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.seed, self.faults = seed, faults
        self.planted: Counter[tuple[Step, str]] = Counter()  # flaws made at positions with a face, by step and code
        self.unseen: Counter[Step] = Counter()  # those of them that the station did not report
        self.misses = 0  # a flaw before the inspector's eyes that he did not see
        self.violations: Counter[str] = Counter()
        self.bodies: set[int] = set()
        self._films: dict[int, list[_Face]] = {}
        self._sheets: dict[int, list[_Card]] = {}
        self._cards: dict[int, _Card] = {}
        self._last: dict[int, Step] = {}
        self._inspections: Counter[int] = Counter()
        self._packed: dict[int, None] = {}  # blanks in bundles, the oldest first, whose chips can be read yet
        self._ruined: Counter[int] = Counter()  # how often a sheet of this number was spoiled: the next one is another

    def print(self, sheet_id: int, positions: Sequence[PositionWork]) -> SheetResult:
        """Make a film: a face where there is work, clear film elsewhere."""
        if sheet_id in self._last:
            self.violations["printed_again"] += 1
        film = [_Face(_mark(work.face)) for work in positions[:POSITIONS]]
        film += [_Face() for _ in range(POSITIONS - len(film))]
        results = []
        for position, face in enumerate(film):
            face.flaw, told = self._flaw(Step.PRINT, sheet_id, position, occupied=bool(face.mark))
            results.append(PositionResult(told))
        self._films[sheet_id], self._last[sheet_id] = film, Step.PRINT
        return SheetResult(sheet_id, positions=results)

    def laminate(self, sheet_id: int, body: int, places: int = POSITIONS) -> SheetResult:
        """Join the film and a body sheet of so many places, which is drawn for good: no more cards than it has."""
        self._draw_body(body)
        if not self._is_next(Step.LAMINATE, sheet_id):
            return self._spoiled(Step.LAMINATE, sheet_id, body)
        film = self._films.pop(sheet_id)
        if self._happens(self.faults.film_shifted, sheet_id, "film shifted"):
            self.planted[Step.LAMINATE, SHIFTED] += 1
            film = [_Face(), *film[:-1]]
        cards = [_Card(blank_serial(body, position), face) for position, face in enumerate(film[:places])]
        self._sheets[sheet_id] = cards
        self._cards.update((card.blank, card) for card in cards)
        results = [PositionResult(told) for told in self._damage(Step.LAMINATE, sheet_id)]
        return SheetResult(sheet_id, body=body, positions=_eight(results))

    def punch(self, sheet_id: int) -> SheetResult:
        """Cut the sheet; from here on eight cards lie in a tray."""
        if not self._is_next(Step.PUNCH, sheet_id):
            return self._spoiled(Step.PUNCH, sheet_id)
        results = [PositionResult(told) for told in self._damage(Step.PUNCH, sheet_id)]
        if self._happens(self.faults.tray_shifted, sheet_id, "tray shifted"):
            self.planted[Step.PUNCH, "tray"] += 1
            cards = self._sheets[sheet_id]
            self._sheets[sheet_id] = [cards[-1], *cards[:-1]]
        return SheetResult(sheet_id, positions=_eight(results))

    def write(self, sheet_id: int, positions: Sequence[PositionWork]) -> SheetResult:
        """Write the chips of a tray, by position: the writer knows no other way to tell cards apart."""
        if not self._is_next(Step.WRITE, sheet_id):
            return self._spoiled(Step.WRITE, sheet_id)
        nothing = PositionWork()
        results = []
        for position, card in enumerate(self._sheets[sheet_id]):
            work = positions[position] if position < len(positions) else nothing
            code = self._write_chip(sheet_id, position, card, work) if work.record else GOOD
            results.append(PositionResult(code, card.blank if card.answers else 0))
        return SheetResult(sheet_id, positions=_eight(results))

    def inspect(self, sheet_id: int) -> SheetResult:
        """Look at each card and read its chip and face back; comparing is the controller's part.

        A tray may come again when its cards were packed: they are taken out of their bundles, and may be packed anew.
        """
        if not self._is_next(Step.INSPECT, sheet_id):
            return self._spoiled(Step.INSPECT, sheet_id)
        self._inspections[sheet_id] += 1
        for card in self._sheets[sheet_id]:
            card.packed = False
            self._packed.pop(card.blank, None)
        results = []
        for position, card in enumerate(self._sheets[sheet_id]):
            code = self._look_at(sheet_id, position, card)
            if card.answers:
                results.append(PositionResult(code, card.blank, card.record, card.portrait, card.face.mark))
            else:
                results.append(PositionResult(code, mark=card.face.mark))
        return SheetResult(sheet_id, positions=_eight(results))

    def pack(self, blanks: Sequence[int]) -> list[int]:
        """Scan the cards asked for into a bundle; gives the serials of those that were there."""
        scanned = []
        for blank in blanks:
            card = self._cards.get(blank)
            if card is None:
                self.violations["pack_nothing"] += 1
                continue
            if card.packed:
                self.violations["packed_twice"] += 1
                continue
            card.packed = True
            self._packed[blank] = None
            scanned.append(blank)
        while len(self._packed) > PACKED_READABLE:
            oldest = self._cards[next(iter(self._packed))]
            del self._packed[oldest.blank]
            oldest.record = oldest.portrait = b""
        return scanned

    def will_jam(self, step: Step, sheet_id: int) -> bool:
        """Say whether a load that begins with this sheet will be spoiled in the machine."""
        return self._happens(self.faults.of(step).load_spoiled, sheet_id, f"{step} jam")

    def spoil(self, step: Step, sheet_id: int, body: int = 0) -> SheetResult:
        """Ruin a whole sheet in the machine; a press ruins the body sheet with it."""
        if body:
            self._draw_body(body)
        code = self.faults.of(step).jam_code
        self.planted[step, code] += 1
        self._ruined[sheet_id] += 1
        self._last.pop(sheet_id, None)
        self._films.pop(sheet_id, None)
        for card in self._sheets.pop(sheet_id, ()):
            self._cards.pop(card.blank, None)
            self._packed.pop(card.blank, None)
        return SheetResult(sheet_id, Fate.SPOILED, code, body)

    # ---- inside ------------------------------------------------------------------------------------------

    def _happens(self, rate: float, sheet_id: int, what: str, position: int = -1) -> bool:
        return rate > 0 and draw(self.seed, what, sheet_id, self._ruined[sheet_id], position) < rate

    def _is_next(self, step: Step, sheet_id: int) -> bool:
        if self._last.get(sheet_id) not in _BEFORE[step]:
            self.violations[f"{step}_out_of_turn"] += 1
            return False
        self._last[sheet_id] = step
        return True

    def _spoiled(self, step: Step, sheet_id: int, body: int = 0) -> SheetResult:
        """Answer for a sheet that is not there in a fit state."""
        return SheetResult(sheet_id, Fate.SPOILED, self.faults.of(step).jam_code or FALSE_REJECT, body)

    def _draw_body(self, body: int) -> None:
        if body in self.bodies:
            self.violations["body_drawn_twice"] += 1
        self.bodies.add(body)

    def _flaw(self, step: Step, sheet_id: int, position: int, *, occupied: bool) -> tuple[str, str]:
        """Give the flaw that this step makes at a position, and what the station says of it."""
        faults = self.faults.of(step)
        if not occupied or not self._happens(faults.position, sheet_id, f"{step} flaw", position):
            return GOOD, GOOD
        code = pick(faults.codes, draw(self.seed, step, "code", sheet_id, position))
        self.planted[step, code] += 1
        if self._happens(faults.reported, sheet_id, f"{step} reports", position):
            return code, code
        self.unseen[step] += 1
        return code, GOOD

    def _damage(self, step: Step, sheet_id: int) -> list[str]:
        """Let a step leave its flaws on the cards of a sheet; give what the station says of them."""
        said = []
        for position, card in enumerate(self._sheets[sheet_id]):
            flaw, told = self._flaw(step, sheet_id, position, occupied=bool(card.face.mark))
            if flaw != GOOD:
                card.flaws.append(flaw)
            said.append(told)
        return said

    def _write_chip(self, sheet_id: int, position: int, card: _Card, work: PositionWork) -> str:
        if not card.answers:
            return NO_ANSWER
        if card.record:
            self.violations["chip_written_twice"] += 1
            return WRITTEN_BEFORE
        flaw, told = self._flaw(Step.WRITE, sheet_id, position, occupied=True)
        card.record, card.portrait = work.record, work.portrait
        if flaw == NO_ANSWER:
            card.answers = False
            if told == GOOD:  # a dead chip cannot go unseen
                self.unseen[Step.WRITE] -= 1
                told = NO_ANSWER
        elif flaw != GOOD:
            card.record = work.record[:-1] + work.record[-1:].translate(_INVERTED)
        return told

    def _look_at(self, sheet_id: int, position: int, card: _Card) -> str:
        visit = self._inspections[sheet_id]
        flaws = [card.face.flaw, *card.flaws]
        seen = next((flaw for flaw in flaws if flaw != GOOD), GOOD)
        if seen != GOOD:
            if self._happens(self.faults.missed, sheet_id, f"missed {visit}", position):
                self.misses += 1
                return GOOD
            return seen
        if card.face.mark and self._happens(self.faults.false_reject, sheet_id, f"rejected {visit}", position):
            self.planted[Step.INSPECT, FALSE_REJECT] += 1
            return FALSE_REJECT
        return GOOD


def _eight(results: list[PositionResult]) -> list[PositionResult]:
    """Give results for eight positions: a single body has nothing at the other seven."""
    return results + [PositionResult()] * (POSITIONS - len(results))


def _mark(face: bytes) -> str:
    """Give the control mark that a print job puts on the film; a job that is none leaves the film clear."""
    if not face:
        return ""
    try:
        return _faces.unpack(face).control_mark
    except EnvelopeError:
        return ""
