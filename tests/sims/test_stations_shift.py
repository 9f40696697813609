"""The whole default floor works through a pile of sheets, with every fault much too often and a bad line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
import trio

from devices.defects import GOOD, Step
from devices.memlink import MemoryAddress
from devices.messages import BundleWork, Fate, JobDone, Magazine, Start
from devices.protocol import Lied, Unknown
from sims.faults import USUAL_FAULTS, WireFaults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.world import World
from tests.sims.floor_desk import FloorDesk, plain_start, print_start, serving, stations, write_start

SHEETS = 60
ROUTE = [Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE, Step.INSPECT]
FAULTS = replace(
    USUAL_FAULTS.times(20), film_shifted=0.05, wire=WireFaults(lost=0.05, repeated=0.05, late=0.1, late_s=1.0)
)


@dataclass
class Shift:
    """A naive controller: what is done goes to the next step, what came back to the same, a spoiled film anew."""

    desk: FloorDesk
    job_ids: count = field(default_factory=lambda: count(1))
    piles: dict[Step, list[int]] = field(default_factory=lambda: {step: [] for step in Step})
    bodies: Counter[int] = field(default_factory=Counter)
    spoiled: set[int] = field(default_factory=set)
    inspected: dict[int, list] = field(default_factory=dict)
    packed: list[int] = field(default_factory=list)
    moved: trio.Event = field(default_factory=trio.Event)

    def over(self) -> bool:
        return len(self.spoiled) + len(self.inspected) == SHEETS

    async def station(self, spec: StationSpec) -> None:
        while not self.over():
            pile = self.piles[spec.step]
            load = [pile.pop() for _ in range(min(len(pile), spec.load_max))]
            if not load:
                await self.moved.wait()
                continue
            done = await self.desk.does(spec.name, self.start(spec.step, load), within_s=100_000)
            self.take(spec.step, done)
            moved, self.moved = self.moved, trio.Event()
            moved.set()

    def start(self, step: Step, load: list[int]) -> Start:
        job_id = next(self.job_ids)
        if step is Step.PRINT:
            return print_start(job_id, load[0])
        return write_start(job_id, load[0]) if step is Step.WRITE else plain_start(job_id, step, *load)

    def take(self, step: Step, done: JobDone) -> None:
        for sheet in done.sheets:
            self.bodies.update([sheet.body] if sheet.body else [])
            if sheet.fate is Fate.UNTOUCHED or (sheet.fate is Fate.SPOILED and step is Step.PRINT):
                self.piles[step].append(sheet.sheet_id)
            elif sheet.fate is Fate.SPOILED:
                self.spoiled.add(sheet.sheet_id)
            elif step is Step.INSPECT:
                self.inspected[sheet.sheet_id] = sheet.positions
            else:
                self.piles[ROUTE[ROUTE.index(step) + 1]].append(sheet.sheet_id)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_sheet_and_body_is_accounted_for(autojump_clock, seed):
    address, world = MemoryAddress(), World(seed, FAULTS)
    async with serving(FloorDesk(), address) as desk, stations(address, world, DEFAULT_FLOOR) as floor:
        await desk.joined(*floor)
        for number in range(1, 7):
            desk.driver.magazine(f"l{number}", Magazine(issue_id=number, first_body=number * 1000, sheets=SHEETS))
        shift = Shift(desk)
        shift.piles[Step.PRINT] += range(1, SHEETS + 1)
        async with trio.open_nursery() as workers:
            for spec in DEFAULT_FLOOR:
                if spec.step is not Step.PACK:
                    workers.start_soon(shift.station, spec)
        good = [
            seen.blank
            for sheet_id, positions in shift.inspected.items()
            for position, seen in enumerate(positions)
            if seen.code == GOOD and seen.mark == f"{sheet_id}-{position}" and seen.record == b"r%d" % sheet_id
        ]
        packing = Start(job_id=next(shift.job_ids), step="pack", bundle=BundleWork(1, "u", good[:200]))
        done = await desk.does("k1", packing)
        await trio.sleep(60)  # for whatever is still on the line
    assert done.packed == good[:200]
    assert not world.violations
    assert not any(isinstance(event, Lied | Unknown) for _, event in desk.told)
    assert set(shift.bodies) == world.bodies, "each body that was drawn was reported"
    assert max(shift.bodies.values()) == 1
    drawn_left = sum(station.machine.bodies_left for station in floor.values())
    assert len(world.bodies) + drawn_left == 6 * SHEETS
    jobs = sum(station.machine.tally.jobs for station in floor.values())
    assert jobs == next(shift.job_ids) - 1, "no job ran twice, none was lost"
    # which load a jam meets depends on the order in which tasks wake, so only the rough share is certain
    assert 0.3 < len(good) / (8 * SHEETS) < 0.95, "the faults were there, and did not ruin the day"
