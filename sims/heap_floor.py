"""A whole floor in virtual time without trio: stations, encoders and staff answer a foreman on the heap host."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.hosts.heap import HeapHost
from controller.ledger.chain import GENESIS, Head, head_of
from controller.replay.run import began
from devices.defects import Step
from devices.messages import StationState
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_batches import Arrival
from sims.heap_machine import HeapMachine
from sims.heap_matter import Matter
from sims.heap_staff import HeapStaff, Push

ENCODERS = 2
ENCODE_CARD_S = 0.02  # floor seconds of one card in one encoder

Watch = Callable[[float, AnyMove], None]


class Staff(Protocol):
    """The people of a floor."""

    def begin(self, at_floor_s: float) -> None:
        """Do what is to be done before the floor begins."""

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""


Hire = Callable[[Sequence[str], Push, int], Staff]
"""Gives the people, from the names of the presses, how they ask the foreman, and the single bodies of each press."""


class HeapFloor:
    """A foreman and everything it commands, from one seed: the same seed gives the same moves."""

    def __init__(
        self,
        seed: int,
        *,
        floor: Sequence[StationSpec] = DEFAULT_FLOOR,
        faults: Faults = USUAL_FAULTS,
        foreman: Foreman | None = None,
        watch: Iterable[Watch] = (),
        singles: int = 0,
        begin_floor_s: float = 0.0,
        encode_card_s: float = ENCODE_CARD_S,
        hire: Hire = HeapStaff,
    ) -> None:
        """Set up the floor at the time it begins, magazines filled.

        Args:
            foreman: decides; without it, one with the default settings.
            watch: are told every move with its time, in order; they may `push`.
            singles: single bodies that each press gets at the start, for remakes.
        """
        self.foreman = foreman or Foreman(CoreConfig())
        self.matter = Matter(seed, faults)
        self.machines = {spec.name: self._machine(spec) for spec in floor}
        self.host = HeapHost(self.foreman, self._perform, self._keep)
        presses = [spec.name for spec in floor if spec.step is Step.LAMINATE]
        self.staff = hire(presses, self.host.push, singles)
        self._watch = [self.staff.saw, *watch]
        self._encode_card_s = encode_card_s
        self._encoders = [begin_floor_s] * ENCODERS  # when each is free
        self._batches = 0
        self.host.handle(began(self.foreman.config), begin_floor_s)
        for spec in floor:
            hello = e.StationSeen(spec.name, spec.step, spec.model, spec.load_max, StationState.IDLE, "")
            self.host.handle(hello, begin_floor_s)
        self.staff.begin(begin_floor_s)
        self.host.run(begin_floor_s)

    def submit(self, arrival: Arrival) -> int:
        """Let a batch come at its time; gives the number it has on this floor."""
        self._batches += 1
        self.host.push(arrival.at_floor_s, arrival.checked(self._batches))
        return self._batches

    def run(self, until_floor_s: float = float("inf")) -> None:
        """Go on up to and with a time, or until nothing is left to happen."""
        self.host.run(until_floor_s)

    def _machine(self, spec: StationSpec) -> HeapMachine:
        """Give the machine of a station."""
        return HeapMachine(spec, self.matter)

    # ---- what the world does -----------------------------------------------------------------------------------

    def _perform(self, at_floor_s: float, action: e.AnyAction) -> None:
        if isinstance(action, e.StartJob):
            self._start(at_floor_s, action)
        elif isinstance(action, e.ReleaseJob):
            return  # half of all: a machine forgets a job by itself
        elif isinstance(action, e.Encode):
            began = max(at_floor_s, heapq.heappop(self._encoders))
            ended = began + self._encode_card_s * len(action.cards)
            heapq.heappush(self._encoders, ended)
            self.host.push(ended, e.CardsEncoded(action.job_id))
        elif isinstance(action, e.FillMagazine):
            machine = self.machines[action.station]
            change = machine.take_out if action.out else machine.fill
            change(action.first_body, action.sheets, action.places)

    def _start(self, at_floor_s: float, job: e.StartJob) -> None:
        cycle = self.machines[job.station].run(job, at_floor_s)
        began, ended, push = cycle.began_floor_s, cycle.ended_floor_s, self.host.push
        for at, state, reason in cycle.before:
            push(at, e.StationReported(job.station, state, reason, at))
        if job.bundle_id:
            push(ended, e.BundlePacked(job.station, job.job_id, began, ended, job.blanks))
        else:
            push(ended, e.StepDone(job.station, job.job_id, began, ended, cycle.sheets))
        for at, state, reason in cycle.after:
            push(at, e.StationReported(job.station, state, reason, at))

    def _keep(self, at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        for move in moves:
            for watch in self._watch:
                watch(at_floor_s, move)


class Digest:
    """Watches a floor and keeps the head of its audit chain."""

    def __init__(self) -> None:
        self.head: Head = GENESIS

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        self.head = head_of([(at_floor_s, move)], self.head)
