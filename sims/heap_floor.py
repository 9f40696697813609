"""A whole floor in virtual time without trio: stations, encoders and staff answer a foreman on the heap host."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.hosts.heap import HeapHost
from controller.ledger.chain import GENESIS, Head, head_of
from devices.defects import Step
from devices.messages import StationState
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_batches import Arrival
from sims.heap_machine import HeapMachine
from sims.heap_matter import Matter
from sims.heap_staff import HeapStaff

ENCODERS = 2
ENCODE_CARD_S = 0.02  # floor seconds of one card in one encoder

Watch = Callable[[float, AnyMove], None]


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
    ) -> None:
        """Set up the floor at time 0, magazines filled.

        Args:
            foreman: decides; without it, one with the default settings.
            watch: are told every move with its time, in order; they may `push`.
            singles: single bodies that each press gets at the start, for remakes.
        """
        self.foreman = foreman or Foreman(CoreConfig())
        self.matter = Matter(seed, faults)
        self.machines = {spec.name: HeapMachine(spec, self.matter) for spec in floor}
        self.host = HeapHost(self.foreman, self._perform, self._keep)
        presses = [spec.name for spec in floor if spec.step is Step.LAMINATE]
        staff = HeapStaff(presses, self.host.push, singles)
        self._watch = [staff.saw, *watch]
        self._encoders = [0.0] * ENCODERS  # when each is free
        self._batches = 0
        self.host.handle(e.ServiceBegan(), 0.0)
        for spec in floor:
            hello = e.StationSeen(spec.name, spec.step, spec.model, spec.load_max, StationState.IDLE, "")
            self.host.handle(hello, 0.0)
        staff.begin(0.0)
        self.host.run(0.0)

    def submit(self, arrival: Arrival) -> int:
        """Let a batch come at its time; gives the number it has on this floor."""
        self._batches += 1
        self.host.push(arrival.at_floor_s, arrival.checked(self._batches))
        return self._batches

    def run(self, until_floor_s: float = float("inf")) -> None:
        """Go on up to and with a time, or until nothing is left to happen."""
        self.host.run(until_floor_s)

    # ---- what the world does -----------------------------------------------------------------------------------

    def _perform(self, at_floor_s: float, action: e.AnyAction) -> None:
        if isinstance(action, e.StartJob):
            self._start(at_floor_s, action)
        elif isinstance(action, e.Encode):
            began = max(at_floor_s, heapq.heappop(self._encoders))
            ended = began + ENCODE_CARD_S * len(action.cards)
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
