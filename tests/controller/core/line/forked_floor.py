"""A small simulated floor in the middle of its work, its estimates, and runs of it."""

from __future__ import annotations

from functools import cache

from controller.core.line.change import NOTHING
from controller.core.line.estimates import Estimator
from controller.core.line.fork import Fork
from controller.core.line.run import run_line
from controller.core.settings import CoreConfig
from controller.hosts.heap import HeapHost
from devices.defects import Step
from sims.faults import USUAL_FAULTS
from sims.floor import StationSpec
from sims.heap_batches import Arrival
from sims.heap_floor import HeapFloor

DAY_S = 86_400.0
FLOOR = (
    StationSpec(name="p1", step=Step.PRINT, unit_s=40.0, roll_sheets=60),
    StationSpec(name="p2", step=Step.PRINT, unit_s=40.0, roll_sheets=60),
    StationSpec(name="l1", step=Step.LAMINATE, load_max=12, load_s=600.0),
    StationSpec(name="l2", step=Step.LAMINATE, load_max=12, load_s=600.0),
    StationSpec(name="c1", step=Step.PUNCH, unit_s=15.0),
    StationSpec(name="w1", step=Step.WRITE, unit_s=60.0),
    StationSpec(name="w2", step=Step.WRITE, unit_s=60.0, mtbf_s=3_600.0),
    StationSpec(name="i1", step=Step.INSPECT, unit_s=20.0),
    StationSpec(name="k1", step=Step.PACK, load_max=100, unit_s=3.0),
)
UNITS = ("520425001", "520425002", "520425003")


class Forked:
    """The floor of one seed at one time: its moves are all that the estimator has seen."""

    def __init__(
        self, seed: int, hours: float, batches: int = 8, faults: float = 3.0, every_s: float = 1_200.0
    ) -> None:
        self.estimator, self.moves = Estimator(), []
        self.floor = HeapFloor(seed, floor=FLOOR, faults=USUAL_FAULTS.times(faults), watch=[self._saw], singles=6)
        for number in range(batches):
            units = UNITS * (16 + 4 * number)
            at = number * every_s
            self.floor.submit(Arrival(at_floor_s=at, due_floor_s=at + 20 * DAY_S, units=units))
        self.now = hours * 3_600.0
        self.floor.run(self.now)
        self.state = self.floor.foreman.state
        self.estimates = self.estimator.estimates()
        self.fork = Fork.of(self.state)

    def _saw(self, at_floor_s, move):
        self.moves.append((at_floor_s, move))
        self.estimator.fold(at_floor_s, move)

    def run(self, seed, change=NOTHING, hours=48.0, **more):
        until = self.now + hours * 3_600.0
        return run_line(
            self.fork, CoreConfig(), self.estimates, self.now, seed, change, until, make_host=HeapHost, **more
        )


@cache
def forked() -> Forked:
    """A floor with work on every step; nobody changes it."""
    return Forked(7, 1.0, every_s=300.0)
