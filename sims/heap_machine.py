"""One simulated machine worked out ahead: `Machine`'s times, stops and fates of a load, without waiting for them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec

from controller.core.events import SheetOutcome, StartJob
from devices.defects import Step
from devices.messages import POSITIONS, SINGLE, Fate, StationState
from sims.draws import ROWS, Draws
from sims.faults import draw, exponential, triangular
from sims.floor import StationSpec
from sims.heap_matter import Matter
from sims.machine import BREAKDOWN, FILM_EMPTY, JAM, draw_first, without

# asked for each load: as a class's attribute, a member of an enum costs ten times as much (measured)
_IDLE, _PRINT, _LAMINATE = StationState.IDLE, Step.PRINT, Step.LAMINATE
_DONE, _SPOILED, _UNTOUCHED = Fate.DONE, Fate.SPOILED, Fate.UNTOUCHED
Report = tuple[float, StationState, str]  # from when on, the state, its reason


@dataclass(slots=True)
class Down:
    """One time a machine could not work: from when to when, in floor seconds."""

    from_floor_s: float
    to_floor_s: float


class Cycle(msgspec.Struct):
    """One load: when it is in and out, what is said of the machine meanwhile and after it, and what comes out."""

    began_floor_s: float
    ended_floor_s: float = 0.0
    before: list[Report] = []  # msgspec copies empty defaults
    after: list[Report] = []
    sheets: list[SheetOutcome] = []


class HeapMachine:
    """Does loads one after another.

    The draws are those of `sims.machine.Machine`, but by the number of the station's load where that has the job's
    (and by the number of its stop): machines of one seed are the same whatever they are given, and in whatever order.
    """

    def __init__(self, spec: StationSpec, matter: Matter) -> None:
        self.spec, self._matter = spec, matter
        self.downs: list[Down] = []  # breakdowns, jams and empty rolls, in order
        self.executing_s = 0.0
        self.loads = 0
        self.bodies_left = 0
        self.free_floor_s = 0.0
        self._faults, self._breaks = matter.faults.of(spec.step), matter.faults.breakdowns
        self._bodies: dict[int, deque[range]] = {POSITIONS: deque(), SINGLE: deque()}
        self._roll_left = spec.roll_sheets
        self._stops = 0
        self._cycle_draws = Draws(matter.seed, spec.name, "cycle")
        self._returned_draws = Draws(matter.seed, spec.name, "returned")
        self._will_jam, self._do = matter.will_jam, matter.work
        self._longer, self._returned = list[float](), list[bool]()  # of a block of loads: see `_look_ahead`
        self._look_ahead()
        self._to_stop_s = self._next_stop_s()

    def fill(self, first_body: int, sheets: int, places: int = POSITIONS) -> None:
        """Put an issue of body sheets behind those of its size that are in the magazine."""
        self._bodies[places].append(range(first_body, first_body + sheets))
        self.bodies_left += sheets

    def take_out(self, first_body: int, sheets: int, places: int = POSITIONS) -> None:
        """Take body sheets out of the magazine again; those that are not in it are no matter."""
        taken = range(first_body, first_body + sheets)
        self._bodies[places] = deque(rest for one in self._bodies[places] for rest in without(one, taken))
        self.bodies_left = sum(len(one) for stack in self._bodies.values() for one in stack)

    def run(self, job: StartJob, at_floor_s: float) -> Cycle:
        """Do one load that is given now; it begins when the output is clear and a worn-out roll is changed."""
        free_floor_s, step = self.free_floor_s, self.spec.step
        cycle = Cycle(at_floor_s if at_floor_s > free_floor_s else free_floor_s)
        self.loads += 1
        if not self.loads % ROWS:
            self._look_ahead()
        fate = self._work(job, cycle)
        if fate is _DONE and step is not _PRINT and step is not _LAMINATE:  # they take nothing for a sheet
            do, done = self._do, cycle.sheets
            for sheet_id, cards in job.sheets:  # mostly one: a list made at once costs more
                done.append(do(step, sheet_id, cards))
        else:
            singles = job.singles
            cycle.sheets = [
                self._result(sheet_id, cards, fate, SINGLE if sheet_id in singles else POSITIONS)
                for sheet_id, cards in job.sheets
            ]
        self.free_floor_s = cycle.ended_floor_s
        if self.spec.roll_sheets and self._roll_left <= 0:
            self._change_roll(cycle)  # from a jam or a repair too: it is not idle in between
        elif cycle.before and cycle.before[-1][1] is not _IDLE:
            cycle.after.append((cycle.ended_floor_s, StationState.IDLE, ""))
        return cycle

    # ---- inside ------------------------------------------------------------------------------------------------

    def _work(self, job: StartJob, cycle: Cycle) -> Fate:
        """Work, break down, be cleared; give what the load is then."""
        at, spec = cycle.began_floor_s, self.spec
        units = len(job.blanks) if job.bundle_id else len(job.sheets)
        left_s = (spec.load_s + spec.unit_s * units) * self._longer[self.loads % ROWS]
        fate = self._load_fate(job) if job.sheets else _DONE
        if fate is not _DONE:
            left_s *= self._draw("jam at", self.loads)
        while left_s >= self._to_stop_s and self._breaks:
            left_s -= self._to_stop_s
            at = self._break_down(at + self._to_stop_s, cycle)
            stop_fate = self._stop_fate(job)
            if stop_fate is not _DONE:
                cycle.ended_floor_s = at
                return stop_fate
            cycle.before.append((at, StationState.IDLE, ""))
        self._to_stop_s -= left_s
        self.executing_s += left_s
        at += left_s
        if fate is not _DONE:
            cycle.before.append((at, StationState.HELD, JAM))
            at = self._down(at, self._faults.clear_s)
        cycle.ended_floor_s = at
        return fate

    def _look_ahead(self) -> None:
        """Work out for a block of loads how much longer than the mean each lasts, and whether it comes back."""
        spread, returned = self.spec.spread, self._faults.load_returned
        self._longer = [triangular(1.0, spread, point) for point in self._cycle_draws.block(self.loads)]
        self._returned = [point < returned for point in self._returned_draws.block(self.loads)]

    def _break_down(self, at: float, cycle: Cycle) -> float:
        """Stop at a time, be repaired, and give when."""
        half_s = self.spec.mttr_s / 2
        repair_s = sum(exponential(half_s, self._draw(part, self._stops)) for part in ("repair", "repair too"))
        cycle.before.append((at, StationState.ABORTED, BREAKDOWN))
        self.executing_s += self._to_stop_s
        self._stops += 1
        self._to_stop_s = self._next_stop_s()
        return self._down(at, repair_s)

    def _change_roll(self, cycle: Cycle) -> None:
        """Put in a new roll of film; a load given meanwhile waits for it."""
        cycle.after.append((self.free_floor_s, StationState.SUSPENDED, FILM_EMPTY))
        self.free_floor_s = self._down(self.free_floor_s, self.spec.refill_s)
        cycle.after.append((self.free_floor_s, StationState.IDLE, ""))
        self._roll_left = self.spec.roll_sheets

    def _down(self, at: float, lasts_s: float) -> float:
        self.downs.append(Down(at, at + lasts_s))
        return at + lasts_s

    def _load_fate(self, job: StartJob) -> Fate:
        """Say whether a load will jam, and how: spoiled, or as it was."""
        if self._will_jam(self.spec.step, job.sheets[0][0]):
            return _SPOILED
        return _UNTOUCHED if self._returned[self.loads % ROWS] else _DONE

    def _stop_fate(self, job: StartJob) -> Fate:
        """Say what a load is after a breakdown; one of packing just goes on."""
        point = self._draw("after stop", self.loads)
        if not job.sheets or point >= self._faults.stop_spoiled + self._faults.stop_returned:
            return Fate.DONE
        return Fate.SPOILED if point < self._faults.stop_spoiled else Fate.UNTOUCHED

    def _next_stop_s(self) -> float:
        return exponential(self.spec.mtbf_s, self._draw("stop", self._stops))

    def _draw(self, *about: object) -> float:
        return draw(self._matter.seed, self.spec.name, *about)

    def _result(self, sheet_id: int, cards: list[int], fate: Fate, places: int) -> SheetOutcome:
        step = self.spec.step
        if fate is _UNTOUCHED:
            return SheetOutcome(sheet_id, Fate.UNTOUCHED, self._faults.jam_code)
        if step is _PRINT:
            self._roll_left -= 1
        body = self._draw_body(places) if step is _LAMINATE else 0
        if fate is _SPOILED:
            return self._matter.spoil(step, sheet_id, body)
        return self._do(step, sheet_id, cards, body, places)

    def _draw_body(self, places: int) -> int:
        """Take the next body sheet of a size out of the magazine, which the foreman knows has one."""
        self.bodies_left -= 1
        return draw_first(self._bodies[places])
