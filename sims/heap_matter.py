"""The matter of a floor in numbers alone: what `World` does to films, bodies and chips, without faces and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from controller.core.events import SheetOutcome
from controller.floor.readback import CHIP_DIFFERS, FACE_DIFFERS
from devices.defects import GOOD, Step
from devices.messages import POSITIONS, SINGLE, Fate, blank_serial
from sims.draws import Struck
from sims.faults import Faults, draw, pick
from sims.world import FALSE_REJECT, NO_ANSWER, SHIFTED

ALL_GOOD = [GOOD] * POSITIONS
WHOLE = (-1,)  # the position of what is drawn for a sheet as a whole
NO_BLANKS: list[int] = []
# asked for each sheet: as a class's attribute, a member of an enum costs ten times as much (measured)
_PRINT, _LAMINATE, _PUNCH, _WRITE, _INSPECT = Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE, Step.INSPECT
_DONE = Fate.DONE


class MatterError(Exception):
    """A station was given what no floor can do: a foreman that was right never meets it."""

    code = "matter.impossible"

    def __init__(self, what: str, sheet_id: int) -> None:
        super().__init__(f"{self.code}: sheet {sheet_id}: {what}")
        self.what, self.sheet_id = what, sheet_id


class _Tray(msgspec.Struct):
    """One sheet from the printer on: by position whose face is there, its flaw, and once it has a body the chips."""

    faces: list[int]  # card numbers, 0 where the film is clear
    last: Step
    flaws: dict[int, str] = {}  # the first one made is the one that is seen
    body: int = 0
    places: int = POSITIONS  # of the body
    first_blank: int = 0  # position of the body that lies at position 0: above 0 when the tray is shifted
    silent: set[int] = set()  # chips that do not answer
    written: list[int] = []  # the card in each chip, below 0 when written wrong, 0 for none
    inspections: int = 0


class Matter:
    """The physical truth of one floor, by the draws of `World`: the same seed gives the same flaws."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.seed, self.faults = seed, faults
        self.planted: Counter[tuple[Step, str]] = Counter()  # as in `World`
        self.misses = 0
        self._trays: dict[int, _Tray] = {}
        self._ruined: Counter[int] = Counter()
        self._jams = {step: Struck(seed, f"{step} jam", WHOLE) for step in Step}
        self._jam_rates = {step: faults.of(step).load_spoiled for step in Step}
        self._flaws = {step: Struck(seed, f"{step} flaw") for step in Step}
        self._film_shifted = Struck(seed, "film shifted", WHOLE)
        self._tray_shifted = Struck(seed, "tray shifted", WHOLE)
        self._rejected: dict[int, Struck] = {}  # by the number of the inspection

    def work(
        self, step: Step, sheet_id: int, cards: Sequence[int], body: int = 0, places: int = POSITIONS
    ) -> SheetOutcome:
        """Do a step to a sheet; `cards` as the foreman gave them, `body` what the press drew.  Raises: MatterError."""
        if step is _INSPECT:
            return self._inspect(sheet_id, cards)
        if step is _WRITE:
            return self._write(sheet_id, cards)
        if step is _PRINT:
            return self._print(sheet_id, cards)
        return self._laminate(sheet_id, body, places) if step is _LAMINATE else self._punch(sheet_id)

    def spoil(self, step: Step, sheet_id: int, body: int = 0) -> SheetOutcome:
        """Ruin a whole sheet in the machine; a press ruins the body sheet with it."""
        code = self.faults.of(step).jam_code
        self.planted[step, code] += 1
        self._ruined[sheet_id] += 1
        self._trays.pop(sheet_id, None)
        return SheetOutcome(sheet_id, Fate.SPOILED, code, body)

    def will_jam(self, step: Step, sheet_id: int) -> bool:
        """Say whether a load that begins with this sheet will be spoiled in the machine."""
        return bool(self._jams[step].at(sheet_id, self._jam_rates[step], self._ruined.get(sheet_id, 0)))

    def forget(self, sheet_id: int) -> None:
        """Let go of a sheet that no station will ever be given again."""
        self._trays.pop(sheet_id, None)
        self._ruined.pop(sheet_id, None)

    # ---- the steps ---------------------------------------------------------------------------------------------

    def _print(self, sheet_id: int, cards: Sequence[int]) -> SheetOutcome:
        if sheet_id in self._trays:
            raise MatterError("printed again", sheet_id)
        tray = self._trays[sheet_id] = _Tray(list(cards), _PRINT)
        return SheetOutcome(sheet_id, _DONE, GOOD, 0, self._flaw(_PRINT, sheet_id, tray), NO_BLANKS)

    def _laminate(self, sheet_id: int, body: int, places: int) -> SheetOutcome:
        tray = self._next(_LAMINATE, sheet_id, _PRINT)
        if any(tray.faces[places:]):
            raise MatterError("faces beside a single body", sheet_id)
        tray.body, tray.places = body, places
        if self._film_shifted.at(sheet_id, self.faults.film_shifted, self._ruined.get(sheet_id, 0)):
            self.planted[Step.LAMINATE, SHIFTED] += 1
            tray.faces = [0, *tray.faces[:-1]]
            tray.flaws = {position + 1: flaw for position, flaw in tray.flaws.items() if position + 1 < places}
            tray.faces[places:] = [0] * (POSITIONS - places)  # a face pushed off a single body is on no card
        codes = self._flaw(_LAMINATE, sheet_id, tray)
        return SheetOutcome(sheet_id, _DONE, GOOD, body, codes, NO_BLANKS)

    def _punch(self, sheet_id: int) -> SheetOutcome:
        tray = self._next(_PUNCH, sheet_id, _LAMINATE)
        codes = self._flaw(_PUNCH, sheet_id, tray)
        if tray.places > SINGLE and self._tray_shifted.at(
            sheet_id, self.faults.tray_shifted, self._ruined.get(sheet_id, 0)
        ):
            self.planted[Step.PUNCH, "tray"] += 1
            tray.faces = [tray.faces[-1], *tray.faces[:-1]]
            tray.flaws = {(position + 1) % POSITIONS: flaw for position, flaw in tray.flaws.items()}
            tray.first_blank = POSITIONS - 1
        return SheetOutcome(sheet_id, _DONE, GOOD, 0, codes, NO_BLANKS)

    def _write(self, sheet_id: int, cards: Sequence[int]) -> SheetOutcome:
        tray = self._next(_WRITE, sheet_id, _PUNCH)
        codes = ALL_GOOD
        tray.written = list(cards)
        for position in self._flawed(_WRITE, sheet_id):
            if not cards[position]:
                continue
            flaw, told = self._flaw_at(_WRITE, sheet_id, position)
            if flaw == NO_ANSWER:
                tray.silent.add(position)
                told = flaw  # a dead chip cannot go unseen
            tray.written[position] *= -1
            if told != GOOD:
                codes = _with(codes, position, told)
        return SheetOutcome(sheet_id, _DONE, GOOD, 0, codes, self._blanks(tray))

    def _inspect(self, sheet_id: int, cards: Sequence[int]) -> SheetOutcome:
        tray = self._next(_INSPECT, sheet_id, _PUNCH, _WRITE, _INSPECT)
        tray.inspections += 1
        visit, codes = tray.inspections, ALL_GOOD
        for position, flaw in tray.flaws.items():
            if self._happens(self.faults.missed, sheet_id, f"missed {visit}", position):
                self.misses += 1
            else:
                codes = _with(codes, position, flaw)
        for position in self._rejects(visit, sheet_id):
            if tray.faces[position] and position not in tray.flaws:
                self.planted[_INSPECT, FALSE_REJECT] += 1
                codes = _with(codes, position, FALSE_REJECT)
        if cards != tray.faces or (tray.written and cards != tray.written):
            codes = self._read_back(tray, cards, codes)
        return SheetOutcome(sheet_id, _DONE, GOOD, 0, codes, self._blanks(tray))

    # ---- inside ------------------------------------------------------------------------------------------------

    def _next(self, step: Step, sheet_id: int, *before: Step) -> _Tray:
        tray = self._trays.get(sheet_id)
        if tray is None or tray.last not in before:
            raise MatterError(f"{step} out of turn", sheet_id)
        tray.last = step
        return tray

    def _flaw(self, step: Step, sheet_id: int, tray: _Tray) -> list[str]:
        """Leave a step's flaws on a sheet; give what the station says of each position."""
        codes = ALL_GOOD
        for position in self._flawed(step, sheet_id):
            if not tray.faces[position]:
                continue
            flaw, told = self._flaw_at(step, sheet_id, position)
            tray.flaws.setdefault(position, flaw)
            codes = _with(codes, position, told) if told != GOOD else codes
        return codes

    def _flaw_at(self, step: Step, sheet_id: int, position: int) -> tuple[str, str]:
        """Give the flaw made at a position, and what the station says of it."""
        faults = self.faults.of(step)
        code = pick(faults.codes, draw(self.seed, step, "code", sheet_id, position))
        self.planted[step, code] += 1
        told = self._happens(faults.reported, sheet_id, f"{step} reports", position)
        return code, code if told else GOOD

    def _read_back(self, tray: _Tray, cards: Sequence[int], codes: list[str]) -> list[str]:
        """Give the codes with what reading back shows of the positions that are good so far."""
        for position, card in enumerate(cards):
            if card and codes[position] == GOOD:
                seen = self._compared(tray, position, card)
                codes = _with(codes, position, seen) if seen != GOOD else codes
        return codes

    @staticmethod
    def _compared(tray: _Tray, position: int, card: int) -> str:
        """Give what reading face and chip back shows, as `controller.floor.readback` does with what was sent."""
        if tray.faces[position] != card:
            return FACE_DIFFERS
        return CHIP_DIFFERS if tray.written and tray.written[position] != card else GOOD

    @staticmethod
    def _blanks(tray: _Tray) -> list[int]:
        """Give the numbers that the chips answer with, 0 where one is silent."""
        first = tray.first_blank
        if not first and not tray.silent and tray.places == POSITIONS:
            lowest = blank_serial(tray.body, 0)
            return list(range(lowest, lowest + POSITIONS))
        return [
            0 if place in tray.silent or place >= tray.places else blank_serial(tray.body, (first + place) % POSITIONS)
            for place in range(POSITIONS)
        ]

    def _flawed(self, step: Step, sheet_id: int) -> Sequence[int]:
        """Give the positions that a step leaves a flaw at, if there is a card; wear may have changed its rate."""
        return self._flaws[step].at(sheet_id, self.faults.of(step).position, self._ruined.get(sheet_id, 0))

    def _rejects(self, visit: int, sheet_id: int) -> Sequence[int]:
        """Give what an inspector rejects without a reason, at a sheet's first, second … inspection."""
        if visit not in self._rejected:
            self._rejected[visit] = Struck(self.seed, f"rejected {visit}")
        return self._rejected[visit].at(sheet_id, self.faults.false_reject, self._ruined.get(sheet_id, 0))

    def _happens(self, rate: float, sheet_id: int, what: str, position: int) -> bool:
        return rate > 0 and draw(self.seed, what, sheet_id, self._ruined.get(sheet_id, 0), position) < rate


def _with(codes: list[str], position: int, code: str) -> list[str]:
    """Give the codes with another one at a position."""
    changed = list(codes)
    changed[position] = code
    return changed
