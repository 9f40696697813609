"""The sheets of a pretend line: which positions each load leaves bad, and which station will see it."""

from __future__ import annotations

from bisect import bisect_right

from controller.core.events import SheetOutcome, StartJob
from controller.core.line.draws import Draws
from controller.core.line.machine import LineMachine
from controller.core.line.nature import DefectKind, Nature
from controller.core.state import FloorState, Sheet
from devices.defects import GOOD, Step
from devices.messages import POSITIONS, SINGLE, Fate, blank_serial

ALL_GOOD = [GOOD] * POSITIONS
NO_BLANKS: list[int] = []
READS_CHIPS = (Step.WRITE, Step.INSPECT)
ORDER = {step: place for place, step in enumerate(Step)}
Flaw = tuple[str, str, int]  # code, the step that finds it, mask


class LineMatter:
    """Knows what was left bad and not yet seen, on sheets that were on the floor at the fork too."""

    def __init__(self, state: FloorState, nature: Nature, machines: dict[str, LineMachine]) -> None:
        self._state, self._nature, self._machines = state, nature, machines
        self._draws: Draws = nature.draws
        self._hidden: dict[int, list[Flaw]] = {}  # sheet -> what will be found later
        self._unknown_past = set(state.sheets)  # sheets of the fork: what they carry is drawn when it matters

    def outcomes(self, job: StartJob, machine: LineMachine, fate: Fate) -> list[SheetOutcome]:
        """Give what a station says of the sheets of its load."""
        bodies = self._bodies(job) if machine.step is Step.LAMINATE and fate is not Fate.UNTOUCHED else {}
        outcomes = []
        for number, (sheet_id, _) in enumerate(job.sheets):
            body = bodies.get(sheet_id, 0)
            if fate is Fate.DONE:
                outcomes.append(self._done(self._state.sheets[sheet_id], machine, number, body))
            else:
                outcomes.append(SheetOutcome(sheet_id, fate, self._nature.steps[machine.step].kinds[0].code, body))
                if fate is Fate.SPOILED:
                    self._hidden.pop(sheet_id, None)
        return outcomes

    def _done(self, sheet: Sheet, machine: LineMachine, number: int, body: int) -> SheetOutcome:
        step = machine.step
        if sheet.sheet_id in self._unknown_past:
            self._unknown_past.discard(sheet.sheet_id)
            self._draw_past(sheet)
        about = f"{machine.name} sheet {machine.loads}.{number}"
        point = self._strike(sheet, step, about, machine.defect_rate)
        blanks = NO_BLANKS
        if step in READS_CHIPS:
            blanks = [blank_serial(sheet.body, place) if place < sheet.places else 0 for place in range(POSITIONS)]
            if sheet.kind != "first" and point >= 1.0 - self._nature.steps[step].suspect:
                return SheetOutcome(sheet.sheet_id, Fate.DONE, GOOD, body, ALL_GOOD, [one + 1 for one in blanks])
        flaws = self._hidden.get(sheet.sheet_id)
        codes = ALL_GOOD
        if flaws:
            codes = list(ALL_GOOD)
            for code, found_at, mask in flaws:
                if found_at == step or (step is Step.INSPECT and ORDER.get(Step(found_at), 0) < ORDER[step]):
                    for place in range(POSITIONS):
                        if mask >> place & 1 and codes[place] == GOOD:
                            codes[place] = code
            if step is Step.INSPECT:
                del self._hidden[sheet.sheet_id]
        return SheetOutcome(sheet.sheet_id, Fate.DONE, GOOD, body, codes, blanks)

    def _draw_past(self, sheet: Sheet) -> None:
        """Draw what earlier steps left on a sheet of the fork that nobody has seen yet."""
        trace = self._state.drift.sheets.get(sheet.sheet_id)
        if trace is None or sheet.quarantined:
            return
        for visit in trace.visits:
            machine, step = self._machines.get(visit.station), Step(visit.step)
            if machine is not None and ORDER[step] < ORDER[sheet.step]:
                about = f"before {sheet.sheet_id} {step}"
                self._strike(sheet, step, about, machine.defect_rate, ORDER[sheet.step])

    def _strike(self, sheet: Sheet, step: Step, about: str, rate: float, found_from: int = 0) -> float:
        """Leave a defect on a sheet, by chance, and give its point; one that would have been found before is none."""
        point = self._draws.point(f"{about} defect")
        if point >= rate or sheet.quarantined:
            return point
        nature = self._nature.steps[step]
        kind = nature.kinds[
            min(bisect_right(nature.kinds_below, self._draws.point(f"{about} kind")), len(nature.kinds) - 1)
        ]
        if kind.found_at not in ORDER or ORDER[Step(kind.found_at)] < found_from:
            return point
        mask = self._mask(sheet, kind, self._draws.point(f"{about} place"))
        if mask:
            self._hidden.setdefault(sheet.sheet_id, []).append((kind.code, kind.found_at, mask))
        return point

    def _mask(self, sheet: Sheet, kind: DefectKind, point: float) -> int:
        """Give so many live positions in a row, round the sheet from a drawn one."""
        live = [place for place in range(POSITIONS) if sheet.live >> place & 1]
        first = int(point * len(live))
        return sum(1 << live[(first + more) % len(live)] for more in range(min(kind.positions, len(live))))

    def _bodies(self, job: StartJob) -> dict[int, int]:
        """Give the body sheets a press draws for its films: the first of the right size in its magazine."""
        wanted: dict[int, list[int]] = {POSITIONS: [], SINGLE: []}
        for sheet_id, _ in job.sheets:
            wanted[SINGLE if sheet_id in job.singles else POSITIONS].append(sheet_id)
        drawn: dict[int, int] = {}
        for places, sheets in wanted.items():
            ranges = (one for one in self._state.stock.magazines.get(job.station, ()) if one.places == places)
            bodies = (body for one in ranges for body in range(one.first, one.first + one.sheets))
            drawn.update(zip(sheets, bodies, strict=False))
        return drawn
