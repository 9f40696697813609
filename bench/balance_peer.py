"""The peer of `bench balance`: the same line as a SimPy model that knows nothing of the foreman.

Its own are queues, clocks, loads, yields, remakes and packing.  The same are the specs, the table of faults, the rule
of imposition (the eight foremost ready cards; fewer only when nobody can join them in time) and the rule of the press
(full, or its oldest film waited long enough, or no film will come).  Random numbers are common: `sims.faults.draw` by
sheet, step and position, by station and number of its load or stop, as the stations draw them.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from bench.balance_tray import PLACES, Person, Tray, Turn, Yields
from controller.core.settings import CoreConfig
from devices.defects import Step
from sims.faults import Faults, exponential, triangular
from sims.floor import StationSpec
from sims.heap_batches import Arrival
from sims.heap_floor import ENCODE_CARD_S, ENCODERS
from sims.heap_staff import ERRAND_S

LINE = (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE, Step.INSPECT)

Waiting = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the line is run."""

    shortest_queue: bool = False  # a sheet joins the shortest of the stations' own queues; else first come first served
    remakes_first: bool = True  # before everybody; else behind everybody
    by_unit: bool = True  # a batch's cards are imposed by police station; else as they were taken in


@dataclass(slots=True)
class Machine:
    """One station; `queue` is its own only under `shortest_queue`."""

    spec: StationSpec
    queue: list[tuple[Turn, Tray]]
    given: simpy.Event
    stop_in_s: float
    roll: int
    stops: int = 0
    loads: int = 0
    idle: bool = True
    inside: int = 0


class PeerLine:
    """One line under one rule."""

    def __init__(self, seed: int, floor: Sequence[StationSpec], faults: Faults, config: CoreConfig, rule: Rule) -> None:
        self.env = simpy.Environment()
        self.finished_s: dict[int, float] = {}  # batch -> when its last card was packed
        self.packed: list[tuple[float, int]] = []  # when, cards
        self.left_inspection: list[tuple[float, str]] = []  # when, police station of each good card
        self.sheets: list[tuple[float, int]] = []  # when, places left empty
        self._yields = Yields(seed, faults, config.remake.discard_film_at)
        self._rule, self._plan = rule, config.plan
        self._encoding = self._on_floor = 0
        self._unpacked: Counter[int] = Counter()  # batch -> cards
        self._coming: Counter[tuple[int, str]] = Counter()  # batch and unit -> cards that are not good yet
        self._good: Counter[tuple[int, str]] = Counter()  # and those that wait to be packed
        self._closed: list[tuple[int, str]] = []  # of them, what may be packed
        self._raw: list[tuple[Turn, Person]] = []
        self._ready: list[tuple[Turn, Person]] = []
        self._alarms: set[float] = set()
        self._workers = simpy.Resource(self.env, ENCODERS)
        self._machines: dict[Step, list[Machine]] = {step: [] for step in Step}
        common: dict[Step, list[tuple[Turn, Tray]]] = {step: [] for step in Step}
        for spec in sorted(floor, key=lambda spec: spec.name):
            own = rule.shortest_queue and spec.step is not Step.PRINT  # films are cut from one roll of people
            queue: list[tuple[Turn, Tray]] = [] if own else common[spec.step]
            machine = Machine(spec, queue, self.env.event(), self._next_stop_s(spec, 0), spec.roll_sheets)
            self._machines[spec.step].append(machine)
            self.env.process(self._pack(machine) if spec.step is Step.PACK else self._work(machine))

    def run(self, arrivals: Sequence[Arrival]) -> None:
        """Let batches come, numbered from 1 on; the line goes on with `env.run`."""
        self.env.process(self._arrive(arrivals))

    # ---- people ------------------------------------------------------------------------------------------------

    def _arrive(self, arrivals: Iterable[Arrival]) -> Waiting:
        for batch, arrival in enumerate(arrivals, 1):
            yield self.env.timeout(arrival.at_floor_s - self.env.now)
            self._unpacked[batch] = len(arrival.units)
            for index, unit in enumerate(arrival.units):
                turn = (1, batch, unit, index) if self._rule.by_unit else (1, batch, index)
                insort(self._raw, (turn, Person(batch, unit, turn)))
                self._coming[batch, unit] += 1
            self._give_out()

    def _encode(self, people: list[tuple[Turn, Person]]) -> Waiting:
        with self._workers.request() as worker:
            yield worker
            yield self.env.timeout(ENCODE_CARD_S * len(people))
        self._encoding -= 1
        for _, person in people:
            self._make_ready(person)
        self._give_out()

    def _make_ready(self, person: Person) -> None:
        person.ready_s = self.env.now
        insort(self._ready, (person.turn, person))

    def _remake(self, tray: Tray, places: Iterable[int]) -> None:
        """Take people out of a tray and let them begin anew."""
        for place in places:
            person = tray.people[place]
            if person is not None:
                tray.people[place] = None
                person.turn = (0 if self._rule.remakes_first else 2, *person.turn[1:])
                self._make_ready(person)

    # ---- who gets what -----------------------------------------------------------------------------------------

    def _give_out(self) -> None:
        """Give everybody who is idle what there is for him."""
        while self._raw and self._encoding < self._plan.encode_jobs:
            people, self._raw = self._raw[: self._plan.encode_load], self._raw[self._plan.encode_load :]
            self._encoding += 1
            self.env.process(self._encode(people))
        for step in (Step.PUNCH, Step.INSPECT, Step.PACK, Step.LAMINATE, Step.PRINT, Step.WRITE):
            for machine in self._machines[step]:
                if machine.idle:
                    self._give(machine)

    def _give(self, machine: Machine) -> None:
        step, load = machine.spec.step, []
        if step is Step.PACK:
            self._give_pile(machine)
            return
        if step is Step.PRINT and not machine.queue:
            load = self._impose()
        elif step is not Step.LAMINATE or self._press_closes(machine):
            load = [tray for _, tray in machine.queue[: machine.spec.load_max]]
            del machine.queue[: machine.spec.load_max]
        if load:
            self._start(machine, load, len(load))

    def _start(self, machine: Machine, what: Any, units: int) -> None:
        machine.idle, machine.inside = False, units
        machine.given.succeed(what)

    def _impose(self) -> list[Tray]:
        """Put the foremost eight on a film, fewer when nobody will join them in time."""
        films = sum(len(queue) for queue in self._queues(Step.LAMINATE))
        if not self._ready or films >= self._plan.films_max:
            return []
        people = [person for _, person in self._ready[: len(PLACES)]]
        if len(people) < len(PLACES):
            if self._raw or self._encoding:
                return []
            if self._on_floor and self._rests(min(one.ready_s for one in people) + self._plan.sheet_wait_s):
                return []
        del self._ready[: len(PLACES)]
        empty = len(PLACES) - len(people)
        self.sheets.append((self.env.now, empty))
        self._on_floor += 1
        faces = [place < len(people) for place in PLACES]
        return [Tray(len(self.sheets), [*people, *[None] * empty], faces, min(one.turn for one in people))]

    def _press_closes(self, press: Machine) -> bool:
        """Say whether a press begins with the films it has."""
        if not press.queue or len(press.queue) >= press.spec.load_max:
            return bool(press.queue)
        printing = self._queues(Step.PRINT)[0] or not all(one.idle for one in self._machines[Step.PRINT])
        if not (printing or self._raw or self._encoding or self._ready):
            return True
        return not self._rests(min(tray.since_s for _, tray in press.queue) + self._plan.press_wait_s)

    def _rests(self, until_s: float) -> bool:
        """Say whether it is too early, and then look again in time."""
        if self.env.now >= until_s:
            return False
        if until_s not in self._alarms:
            self._alarms.add(until_s)
            self.env.process(self._look_again(until_s))
        return True

    def _look_again(self, at_s: float) -> Waiting:
        yield self.env.timeout(at_s - self.env.now)
        self._alarms.discard(at_s)
        self._give_out()

    def _queues(self, step: Step) -> list[list[tuple[Turn, Tray]]]:
        machines = self._machines[step]
        if self._rule.shortest_queue and step is not Step.PRINT:
            return [machine.queue for machine in machines]
        return [machines[0].queue]

    def _join(self, step: Step, tray: Tray) -> None:
        """Let a tray queue for a step."""
        tray.turn, tray.since_s = (*tray.rank, tray.number), self.env.now
        shortest = min(self._machines[step], key=lambda machine: len(machine.queue) + machine.inside)
        insort(shortest.queue, (tray.turn, tray))

    # ---- machines ----------------------------------------------------------------------------------------------

    def _work(self, machine: Machine) -> Waiting:
        spec = machine.spec
        while True:
            load = yield machine.given
            fate = yield from self._cycle(machine, load[0].number, len(load))
            for tray in load:
                if fate == "returned":
                    tray.since_s = self.env.now
                    insort(machine.queue, (tray.turn, tray))
                    continue
                machine.roll -= 1
                self._ruin(tray) if fate == "spoiled" else self._treat(spec.step, tray)
            if fate != "done":  # it is cleared a moment after the load is out
                self._give_out()
            self._rest(machine)
            if spec.roll_sheets and machine.roll <= 0:
                yield from self._change_roll(machine)

    def _rest(self, machine: Machine) -> None:
        machine.given, machine.idle, machine.inside = self.env.event(), True, 0
        self._give_out()

    def _change_roll(self, printer: Machine) -> Waiting:
        """Put in a new roll; like the stations, a printer may have got its next load just before it says so."""
        was_idle, printer.idle = printer.idle, False
        yield self.env.timeout(printer.spec.refill_s)
        printer.roll = printer.spec.roll_sheets
        if was_idle:
            printer.idle = True
            self._give_out()

    def _cycle(self, machine: Machine, number: int, units: int) -> Waiting:
        """Pass the time of one load, stops too; gives done, returned or spoiled.  `number` 0: cards, not sheets."""
        spec, faults = machine.spec, self._yields.faults.of(machine.spec.step)
        machine.loads += 1
        left_s = triangular(spec.cycle_s(units), spec.spread, self._yields.draw(spec.name, "cycle", machine.loads))
        fate = "done"
        if number and self._yields.happens(faults.load_spoiled, f"{spec.step} jam", number):
            fate = "spoiled"
        elif number and self._yields.draw(spec.name, "returned", machine.loads) < faults.load_returned:
            fate = "returned"
        if fate != "done":
            left_s *= self._yields.draw(spec.name, "jam at", machine.loads)
        while self._yields.faults.breakdowns and left_s >= machine.stop_in_s:
            left_s -= machine.stop_in_s
            yield self.env.timeout(machine.stop_in_s)
            parts = (self._yields.draw(spec.name, part, machine.stops) for part in ("repair", "repair too"))
            yield self.env.timeout(sum(exponential(spec.mttr_s / 2, part) for part in parts))
            machine.stops += 1
            machine.stop_in_s = self._next_stop_s(spec, machine.stops)
            point = self._yields.draw(spec.name, "after stop", machine.loads)
            if number and point < faults.stop_spoiled + faults.stop_returned:
                return "spoiled" if point < faults.stop_spoiled else "returned"
        machine.stop_in_s -= left_s
        yield self.env.timeout(left_s)
        if fate != "done":
            yield self.env.timeout(faults.clear_s)
        return fate

    def _next_stop_s(self, spec: StationSpec, stops: int) -> float:
        return exponential(spec.mtbf_s, self._yields.draw(spec.name, "stop", stops))

    # ---- trays -------------------------------------------------------------------------------------------------

    def _ruin(self, tray: Tray) -> None:
        self._yields.ruin(tray)
        self._on_floor -= 1
        self._remake(tray, PLACES)

    def _treat(self, step: Step, tray: Tray) -> None:
        """Do a step to a tray that came through, and let those who live on join the next queue."""
        if step is Step.WRITE and tray.turned:
            self.env.process(self._settle(tray))
            return
        self._remake(tray, sorted(self._yields.treat(step, tray)))
        if step is Step.INSPECT:
            self._pass(tray)
        elif any(tray.people):
            self._join(LINE[LINE.index(step) + 1], tray)
        else:
            self._on_floor -= 1

    def _settle(self, tray: Tray) -> Waiting:
        """Two people look at a tray nobody may guess about, and find it spoiled."""
        yield self.env.timeout(ERRAND_S)
        self._on_floor -= 1
        self._remake(tray, PLACES)
        self._give_out()

    def _pass(self, tray: Tray) -> None:
        """Lay the good cards on their piles."""
        self._on_floor -= 1
        for person in tray.people:
            if person is not None:
                pile = person.batch, person.unit
                self.left_inspection.append((self.env.now, person.unit))
                self._coming[pile] -= 1
                self._good[pile] += 1
                self._close(pile)

    # ---- packing -----------------------------------------------------------------------------------------------

    def _close(self, pile: tuple[int, str]) -> None:
        """Let a pile be packed when it fills a bundle, or when nobody will join it."""
        full = self._good[pile] >= self._plan.bundle_max
        if (full or (self._good[pile] and not self._coming[pile])) and pile not in self._closed:
            insort(self._closed, pile)

    def _give_pile(self, packer: Machine) -> None:
        if self._closed:
            pile = self._closed.pop(0)
            cards = min(self._good[pile], self._plan.bundle_max, packer.spec.load_max)
            self._good[pile] -= cards
            self._close(pile)
            self._start(packer, (pile[0], cards), cards)

    def _pack(self, packer: Machine) -> Waiting:
        while True:
            batch, cards = yield packer.given
            yield from self._cycle(packer, 0, cards)
            self.packed.append((self.env.now, cards))
            self._unpacked[batch] -= cards
            if not self._unpacked[batch]:
                self.finished_s[batch] = self.env.now
            self._rest(packer)
