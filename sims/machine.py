"""One simulated machine: how long a load takes, what stops it, and what comes out of it, on the floor's time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from devices.defects import Step
from devices.messages import POSITIONS, SINGLE, Fate, JobDone, SheetResult, SheetWork, Start, StationState
from sims.clock import StationClock
from sims.faults import draw, exponential, triangular
from sims.floor import StationSpec
from sims.world import World

MAGAZINE_EMPTY, JAM, FILM_EMPTY, BREAKDOWN = "magazine_empty", "jam", "film_empty", "breakdown"

Enter = Callable[[StationState, str, float], None]


@dataclass(slots=True)
class MachineTally:
    """What one machine went through; times in floor seconds."""

    jobs: int = 0
    executing_s: float = 0.0
    breakdowns: int = 0
    repair_s: float = 0.0
    jams: int = 0  # also feed faults, after which the load comes back as it was
    refills: int = 0
    waits: int = 0  # for bodies


def without(bodies: range, taken: range) -> list[range]:
    """Give what of a range of body sheets is left when others were taken out of it."""
    before, after = (
        range(bodies.start, min(bodies.stop, taken.start)),
        range(max(bodies.start, taken.stop), bodies.stop),
    )
    return [part for part in (before, after) if part]


def draw_first(stack: deque[range]) -> int:
    """Take the first body sheet off a stack of ranges."""
    body = stack[0][0]
    if rest := stack[0][1:]:
        stack[0] = rest
    else:
        stack.popleft()
    return body


class Machine:
    """Does loads one after another; `enter` is told each change of state with the floor time it happened at.

    `by_load`: what is drawn for a load is drawn by its number at this station, as `HeapMachine` does, not by its job's:
    only where a machine lives as long as its floor, for it begins to count when it is made.
    """

    def __init__(
        self, spec: StationSpec, world: World, clock: StationClock, enter: Enter, *, by_load: bool = False
    ) -> None:
        self.spec, self.tally = spec, MachineTally()
        self.free_floor_s = 0.0  # when the output was clear last
        self._world, self._clock, self._enter = world, clock, enter
        self._faults = world.faults.of(spec.step)
        self._roll_left = spec.roll_sheets
        self._stops, self._by_load, self._number = 0, by_load, 0
        self._to_stop_s = self._next_stop_s()
        self.empty()

    def empty(self) -> None:
        """Have nothing in the machine: no magazine, no load, as on the day it was set up."""
        self._bodies: dict[int, deque[range]] = {POSITIONS: deque(), SINGLE: deque()}  # a stack for each size
        self._filled = trio.Event()
        self.free_floor_s = 0.0

    def fill(self, first_body: int, sheets: int, places: int = POSITIONS) -> None:
        """Put an issue of body sheets behind those of its size that are in the magazine."""
        self._bodies[places].append(range(first_body, first_body + sheets))
        woken, self._filled = self._filled, trio.Event()
        woken.set()

    def take_out(self, first_body: int, sheets: int, places: int = POSITIONS) -> None:
        """Take body sheets out of the magazine again; those that are not in it are no matter."""
        taken = range(first_body, first_body + sheets)
        self._bodies[places] = deque(rest for one in self._bodies[places] for rest in without(one, taken))

    @property
    def bodies_left(self) -> int:
        """Give the body sheets in the magazine, of both sizes."""
        return sum(len(one) for stack in self._bodies.values() for one in stack)

    async def run(self, start: Start) -> JobDone:
        """Do one load and give its result once the output is clear; cancelled, nothing came of it."""
        began_floor_s = at = max(self._clock.now_floor_s(), self.free_floor_s)
        self._enter(StationState.EXECUTE, "", at)
        self._number = self.tally.jobs + 1 if self._by_load else start.job_id
        at = await self._wait_for_bodies(start.sheets, at)
        fate, at = await self._cycle(start, at)
        self.tally.jobs += 1
        self.free_floor_s = at
        return JobDone(
            job_id=start.job_id,
            started_floor_s=began_floor_s,
            ended_floor_s=at,
            sheets=[self._result(sheet, fate) for sheet in start.sheets],
            packed=self._world.pack(start.bundle.blanks) if start.bundle else [],
        )

    async def refill(self) -> None:
        """Put in a new roll where the old one has ended."""
        if not self.spec.roll_sheets or self._roll_left > 0:
            return
        self._enter(StationState.SUSPENDED, FILM_EMPTY, self.free_floor_s)
        self.tally.refills += 1
        self.free_floor_s += self.spec.refill_s
        await self._clock.sleep_until(self.free_floor_s)
        self._roll_left = self.spec.roll_sheets

    # ---- inside ------------------------------------------------------------------------------------------

    def _has_bodies(self, sheets: Sequence[SheetWork]) -> bool:
        """Say whether the magazine has a body of the right size for each sheet."""
        singles = sum(sheet.single for sheet in sheets)
        wanted = {POSITIONS: len(sheets) - singles, SINGLE: singles}
        return all(sum(map(len, self._bodies[places])) >= wanted[places] for places in wanted)

    async def _wait_for_bodies(self, sheets: Sequence[SheetWork], at: float) -> float:
        """Hold with the load inside until the magazine has a body for each sheet; give when that was."""
        if self.spec.step is not Step.LAMINATE or self._has_bodies(sheets):
            return at
        self.tally.waits += 1
        self._enter(StationState.HELD, MAGAZINE_EMPTY, at)
        while not self._has_bodies(sheets):
            await self._filled.wait()
        at = max(at, self._clock.now_floor_s())
        self._enter(StationState.EXECUTE, "", at)
        return at

    async def _cycle(self, start: Start, at: float) -> tuple[Fate, float]:
        """Work, break down, be cleared; give what the load is now and when the output was clear."""
        units = len(start.bundle.blanks) if start.bundle else len(start.sheets)
        point = self._draw("cycle", self._number)
        left_s = triangular(self.spec.cycle_s(units), self.spec.spread, point)
        fate = self._load_fate(start)
        if fate is not Fate.DONE:
            left_s *= self._draw("jam at", self._number)
        while self._world.faults.breakdowns and left_s >= self._to_stop_s:
            left_s -= self._to_stop_s
            at = await self._break_down(at + self._to_stop_s)
            stop_fate = self._stop_fate(start)
            if stop_fate is not Fate.DONE:
                return stop_fate, at
            self._enter(StationState.EXECUTE, "", at)
        self._to_stop_s -= left_s
        self.tally.executing_s += left_s
        at += left_s
        await self._clock.sleep_until(at)
        if fate is not Fate.DONE:
            self.tally.jams += 1
            self._enter(StationState.HELD, JAM, at)
            at += self._faults.clear_s
            await self._clock.sleep_until(at)
        return fate, at

    async def _break_down(self, at: float) -> float:
        """Stop at a floor time, be repaired, and give when."""
        await self._clock.sleep_until(at)
        self._enter(StationState.ABORTED, BREAKDOWN, at)
        # two draws of half the mean (Erlang): fewer repairs of no time, and fewer endless ones
        half_s = self.spec.mttr_s / 2
        repair_s = sum(exponential(half_s, self._draw(part, self._stops)) for part in ("repair", "repair too"))
        self.tally.breakdowns += 1
        self.tally.executing_s += self._to_stop_s
        self.tally.repair_s += repair_s
        self._stops += 1
        self._to_stop_s = self._next_stop_s()
        await self._clock.sleep_until(at + repair_s)
        return at + repair_s

    def _load_fate(self, start: Start) -> Fate:
        """Say whether a load will jam, and how; a spoiled one by its sheet, a returned one by its job."""
        if not start.sheets:
            return Fate.DONE
        if self._world.will_jam(self.spec.step, start.sheets[0].sheet_id):
            return Fate.SPOILED
        returned = self._draw("returned", self._number) < self._faults.load_returned
        return Fate.UNTOUCHED if returned else Fate.DONE

    def _stop_fate(self, start: Start) -> Fate:
        """Say what a load is after a breakdown; one of packing just goes on."""
        point = self._draw("after stop", self._number)
        if not start.sheets or point >= self._faults.stop_spoiled + self._faults.stop_returned:
            return Fate.DONE
        return Fate.SPOILED if point < self._faults.stop_spoiled else Fate.UNTOUCHED

    def _next_stop_s(self) -> float:
        return exponential(self.spec.mtbf_s, self._draw("stop", self._stops))

    def _draw(self, *about: object) -> float:
        return draw(self._world.seed, self.spec.name, *about)

    def _result(self, sheet: SheetWork, fate: Fate) -> SheetResult:
        """Let the world do to a sheet what became of it."""
        step, sheet_id = self.spec.step, sheet.sheet_id
        if fate is Fate.UNTOUCHED:
            return SheetResult(sheet_id, Fate.UNTOUCHED, self._faults.jam_code)
        if step is Step.PRINT:
            self._roll_left -= 1
        if fate is Fate.SPOILED:
            return self._world.spoil(step, sheet_id, self._draw_body(sheet) if step is Step.LAMINATE else 0)
        if step is Step.LAMINATE:
            return self._world.laminate(sheet_id, self._draw_body(sheet), SINGLE if sheet.single else POSITIONS)
        if step is Step.PRINT:
            return self._world.print(sheet_id, sheet.positions)
        if step is Step.WRITE:
            return self._world.write(sheet_id, sheet.positions)
        return self._world.punch(sheet_id) if step is Step.PUNCH else self._world.inspect(sheet_id)

    def _draw_body(self, sheet: SheetWork) -> int:
        """Take the next body of a sheet's size out of the magazine."""
        return draw_first(self._bodies[SINGLE if sheet.single else POSITIONS])
