"""A pretend line round a fork of the floor: what its stations, encoders and people answer the foreman."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from controller.core import events as e
from controller.core import moves as m
from controller.core.line.arrivals import LineArrivals
from controller.core.line.change import Change
from controller.core.line.draws import Draws
from controller.core.line.figures import Estimates
from controller.core.line.finishes import FINISH_MOVES, Finishes
from controller.core.line.hours import PeopleHours
from controller.core.line.machine import DOWN, LineMachine, LoadEnd
from controller.core.line.matter import LineMatter
from controller.core.line.nature import Nature
from controller.core.line.outcome import Starving
from controller.core.line.staff import FIRST, HELD_BACK, STAFF_SEES, LineStaff
from controller.core.line.store import STORE_MOVES, LineStore
from controller.core.quality_moves import OperatorSignedOn
from controller.core.results import start_action
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS, StationState

MODEL = "forecast"
DATA, BLANKS, MAGAZINE, CERTIFICATE = "data", "blanks", "magazine", "certificate"

Push = Callable[[float, e.AnyEvent], None]


class LineFloor:
    """Everything beside the foreman in one run."""

    def __init__(
        self,
        state: FloorState,
        config: CoreConfig,
        estimates: Estimates,
        now_floor_s: float,
        draws: Draws,
        change: Change,
    ) -> None:
        """Take the forked state, which the foreman of this run changes."""
        self.state, self._config, self._estimates, self._change = state, config, estimates, change
        self._began_floor_s = now_floor_s
        self.nature = Nature(estimates, draws)
        self.machines = {name: LineMachine(name, one.step, self.nature) for name, one in state.stations.items()}
        self._added = _added(state, change)
        for name, (step, _) in self._added.items():
            self.machines[name] = LineMachine(name, step, self.nature)
        self.matter = LineMatter(state, self.nature, self.machines)
        self.finishes = Finishes(state)
        self.starving: dict[tuple[str, str], float] = {}
        self.busy_s: dict[Step, float] = dict.fromkeys(Step, 0.0)
        self._job_began: dict[int, float] = {}
        self._encodes = 0
        self._pretend_from = max(state.batches, default=0)

    def begin(self, push: Push, handle: Callable[[e.AnyEvent, float], Turn]) -> None:
        """Let everything that is under way at the fork go on, and the foreman look round."""
        state, now = self.state, self._began_floor_s
        self._push = push
        hours = PeopleHours(self._config.calendar)
        self._staff = LineStaff(state, self._estimates, self.nature, push, now, hours, self._change.down)
        self._store = LineStore(state, self._estimates.magazines, self.nature, push, now, hours)
        self._arrivals = LineArrivals(self._estimates, self.nature.draws, push, self._pretend_from)
        self._listen()
        self._go_on()
        for job_id, cards in state.encode_jobs.items():
            self._encode(job_id, len(cards), now)
        self._staff.begin()
        self._arrivals.push_next(now)
        for down in self._change.down:
            push(max(now, down.from_floor_s), e.HoldAsked(down.station, HELD_BACK, FIRST))
            if down.until_floor_s is not None:
                push(down.until_floor_s, e.ReleaseAsked(down.station, FIRST))
        for name, (step, load_max) in self._added.items():
            handle(e.StationSeen(name, step, MODEL, load_max, StationState.IDLE, ""), now)
        self._store.begin()
        handle(e.TimerFired(), now)

    def perform(self, at_floor_s: float, action: e.AnyAction) -> None:
        """Do what the foreman asks for."""
        if isinstance(action, e.StartJob):
            machine = self.machines[action.station]
            self._finish(action, machine, machine.run(action, at_floor_s), at_floor_s)
        elif isinstance(action, e.Encode):
            self._encode(action.job_id, len(action.cards), at_floor_s)

    def saw(self, at_floor_s: float, event: e.AnyEvent, moves: list[m.AnyMove]) -> None:
        """Take the moves of a turn."""
        for move in moves:
            for see in self._sees.get(type(move), ()):
                see(at_floor_s, move)
        if isinstance(event, e.BatchChecked):
            self._arrivals.push_next(at_floor_s)

    def look(self, at_floor_s: float) -> None:
        """Note what the floor has run out of at a time."""
        self._staff.look(at_floor_s)
        state = self.state
        if not (state.unencoded or state.encode_jobs or any(state.ready.values()) or state.waiting[Step.PRINT]):
            self.starving.setdefault((DATA, ""), at_floor_s)
        if state.waiting[Step.LAMINATE]:
            for name, station in state.stations.items():
                if station.step is Step.LAMINATE and not state.stock.in_magazine(name, POSITIONS):
                    self.starving.setdefault((MAGAZINE, name), at_floor_s)

    def starved(self) -> list[Starving]:
        """Give what ran out, in the order of the times."""
        found = [Starving(what, where, at) for (what, where), at in self.starving.items()]
        if self._store.empty_vault_floor_s is not None:
            found.append(Starving(BLANKS, "", self._store.empty_vault_floor_s))
        return sorted(found, key=lambda one: (one.at_floor_s, one.what, one.where))

    def busy_share(self, now_floor_s: float) -> dict[str, float]:
        """Give the share of their time that the stations of each step had a load."""
        busy_s = dict(self.busy_s)
        for job in self.state.jobs.values():
            busy_s[job.step] += now_floor_s - max(self._began_floor_s, job.started_floor_s)
        span_s = max(now_floor_s - self._began_floor_s, 1e-9)
        counts = {step: sum(one.step is step for one in self.state.stations.values()) for step in Step}
        return {step.value: busy_s[step] / (span_s * counts[step]) for step in Step if counts[step]}

    def let_go(self) -> None:
        """Forget the host, so that nothing of the run is left once nobody holds it: no circle waits for a collector."""
        del self._push, self._staff, self._store, self._arrivals, self._sees

    # ---- inside ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Let each kind of move reach those alone who look at it: a run makes thousands."""
        self._sees: dict[type, list[Callable[[float, Any], None]]] = {
            m.JobStarted: [self._started],
            m.JobEnded: [self._ended],
            OperatorSignedOn: [self._signed_on],
        }
        for kind in FINISH_MOVES:
            self._sees.setdefault(kind, []).append(self.finishes.fold)
        for kind, see in STAFF_SEES.items():
            self._sees.setdefault(kind, []).append(partial(see, self._staff))
        for kind in STORE_MOVES:
            self._sees.setdefault(kind, []).append(self._store.saw)

    def _go_on(self) -> None:
        """Let loads under way end, and stations that are down work again, each when its past makes likely."""
        state, now = self.state, self._began_floor_s
        turn = Turn(state, self._config, now)
        for job in list(state.jobs.values()):
            machine, station = self.machines[job.station], state.stations[job.station]
            seen = self._estimates.stations.get(job.station)
            down_s, quiet = (seen.down_in_load_s, seen.quiet) if seen else (0.0, False)
            self._job_began[job.job_id] = now
            self._finish(start_action(turn, job), machine, machine.go_on(job, station, now, down_s, quiet), now)
        for name, station in state.stations.items():
            if station.job_id or station.state == StationState.IDLE:
                continue
            seen = self._estimates.stations.get(name)
            quiet = seen is not None and seen.quiet
            at = self.machines[name].up_again(station, now, quiet) if station.state in DOWN else now
            self._push(at, e.StationReported(name, StationState.IDLE, "", at))

    def _finish(self, job: e.StartJob, machine: LineMachine, end: LoadEnd, began_floor_s: float) -> None:
        at, push = end.at_floor_s, self._push
        if self.state.stations[job.station].state != StationState.IDLE:
            push(at, e.StationReported(job.station, StationState.IDLE, "", at))
        if not end.is_known:
            push(at, e.JobForgotten(job.station, job.job_id))
        elif job.bundle_id:
            push(at, e.BundlePacked(job.station, job.job_id, began_floor_s, at, job.blanks))
        else:
            outcomes = self.matter.outcomes(job, machine, end.fate)
            push(at, e.StepDone(job.station, job.job_id, began_floor_s, at, outcomes))

    def _encode(self, job_id: int, cards: int, at_floor_s: float) -> None:
        self._encodes += 1
        card_s = self.nature.encode_card_s.value(self.nature.draws.point(f"encode {self._encodes}"))
        self._push(at_floor_s + card_s * cards, e.CardsEncoded(job_id))

    def _started(self, at: float, move: m.JobStarted) -> None:
        self._job_began[move.job_id] = at

    def _signed_on(self, at: float, move: OperatorSignedOn) -> None:
        if not move.operator:
            self.starving.setdefault((CERTIFICATE, move.station), at)

    def _ended(self, at: float, move: m.JobEnded) -> None:
        step = Step(move.step)
        self.busy_s[step] += at - self._job_began.pop(move.job_id, at)
        if move.station in self.state.stock.supplies:
            for kind in self.state.stock.used_up(move.station):
                self.starving.setdefault((kind, move.station), at)


def _added(state: FloorState, change: Change) -> Mapping[str, tuple[Step, int]]:
    """Give the stations a change adds: name -> step, and a load as large as the largest of that step."""
    added = {}
    for step, count in change.added:
        load_max = max((one.load_max for one in state.stations.values() if one.step is step), default=1)
        for number in range(1, count + 1):
            added[f"{step.value}-more-{number}"] = (step, load_max)
    return added
