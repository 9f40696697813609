"""The peer of `bench year`: the line as a plain SimPy model, each sheet a process; no ledger, no stock, no planning."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from random import Random
from typing import Any

import simpy

from devices.defects import Step
from devices.messages import POSITIONS
from sims.faults import Faults
from sims.floor import StationSpec

AFTER_THE_PRESS = (Step.PUNCH, Step.WRITE, Step.INSPECT)
PRESS_WAIT_S = 600.0  # floor seconds that a press waits for the next film of a load

Waiting = Generator[simpy.Event, Any, Any]


class PlainLine:
    """Sheets that queue for stations, first come, first served; spoiled cards go on a sheet of their own at once."""

    def __init__(self, seed: int, floor: Sequence[StationSpec], faults: Faults) -> None:
        self.env = simpy.Environment()
        self.sheets = self.packed = 0
        self._random, self._faults = Random(f"plain line {seed}"), faults
        self._specs: dict[Step, StationSpec] = {}
        for spec in floor:
            self._specs.setdefault(spec.step, spec)
        self._stations = {
            step: simpy.Resource(self.env, sum(one.step is step for one in floor)) for step in self._specs
        }
        self._films = simpy.Store(self.env)
        for _ in range(sum(one.step is Step.LAMINATE for one in floor)):
            self.env.process(self._press())

    def run(self, arrivals: Iterable[tuple[float, int]]) -> None:
        """Let cards come at times, in their order, and run until all are packed."""
        self.env.process(self._arrive(arrivals))
        self.env.run()

    def _arrive(self, arrivals: Iterable[tuple[float, int]]) -> Waiting:
        for at_floor_s, cards in arrivals:
            yield self.env.timeout(max(0.0, at_floor_s - self.env.now))
            for first in range(0, cards, POSITIONS):
                self.env.process(self._sheet(min(POSITIONS, cards - first)))

    def _sheet(self, cards: int) -> Waiting:
        """Take one sheet through the line."""
        self.sheets += 1
        yield from self._work(Step.PRINT, 1)
        cards = self._look(Step.PRINT, cards)
        pressed = self.env.event()
        yield self._films.put(pressed)
        yield pressed
        cards = self._look(Step.LAMINATE, cards)
        for step in AFTER_THE_PRESS:
            if not cards:
                return
            yield from self._work(step, 1)
            cards = self._look(step, cards)
        if cards:
            yield from self._work(Step.PACK, cards)
            self.packed += cards

    def _work(self, step: Step, units: int) -> Waiting:
        with self._stations[step].request() as station:
            yield station
            yield self.env.timeout(self._cycle_s(step, units))

    def _press(self) -> Waiting:
        """Press films, up to a full load of them, for ever."""
        most = self._specs[Step.LAMINATE].load_max
        waiting = self._films.get()
        while True:
            load = [(yield waiting)]
            waiting = self._films.get()
            while len(load) < most:
                yield waiting | self.env.timeout(PRESS_WAIT_S)
                if not waiting.triggered:
                    break
                load.append(waiting.value)
                waiting = self._films.get()
            yield self.env.timeout(self._cycle_s(Step.LAMINATE, len(load)))
            for pressed in load:
                pressed.succeed()

    def _cycle_s(self, step: Step, units: int) -> float:
        """Give the seconds of one load, a breakdown now and then among them."""
        spec, random = self._specs[step], self._random
        mean_s = spec.cycle_s(units)
        took_s = random.triangular(mean_s * (1 - spec.spread), mean_s * (1 + spec.spread))
        if random.random() < took_s / spec.mtbf_s:
            took_s += random.expovariate(1 / spec.mttr_s)
        return took_s

    def _look(self, step: Step, cards: int) -> int:
        """Give the cards that came through a step; the others begin anew."""
        share, random = self._faults.of(step).position, self._random
        spoiled = sum(random.random() < share for _ in range(cards)) if share else 0
        if spoiled:
            self.env.process(self._sheet(spoiled))
        return cards - spoiled
