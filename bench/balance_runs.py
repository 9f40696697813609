"""The runs of `bench balance` for one floor and one seed: ours saturated and at 85 % load, and the peers beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from time import thread_time
from unittest.mock import patch

from bench.balance_bound import Flow, bound, lying_before
from bench.balance_peer import PeerLine, Rule
from bench.result import quantile
from controller.core import foreman
from controller.core.drift import DriftWatch
from controller.core.events import AnyEvent
from controller.core.fold import CARDS_PER_BATCH
from controller.core.moves import (
    AnyMove,
    BundleMade,
    ConsignmentSent,
    Mark,
    PositionsMarked,
    SheetImposed,
    positions_in,
)
from controller.core.plan import plan
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS
from sims.faults import USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_batches import Arrival, Batches, steady
from sims.heap_floor import HeapFloor

LOAD = 0.85  # of the bound of the same floor and seed
LATE_SHARE = 0.15  # of the batches of the first-come peer with remakes first
ALLOWANCE = (0.5, 1.5)  # a batch's time until it is due, relative to the others, evenly drawn
BACKLOG_CARDS = 3_000  # of the saturated run: what waits to be imposed at least
FAR_S = 20 * 86_400.0
HOUR_S = 3_600.0

FIRST_COME = Rule()
PEERS_REMAKES_FIRST = (FIRST_COME, Rule(shortest_queue=True))


def _at(**seconds: float) -> tuple[StationSpec, ...]:
    """Give the default floor with other seconds of a load or sheet (packing: card) at some steps."""
    floor = []
    for spec in DEFAULT_FLOOR:
        value = seconds.get(spec.step.value, spec.load_s or spec.unit_s)
        floor.append(replace(spec, load_s=value) if spec.load_s else replace(spec, unit_s=value))
    return tuple(floor)


FLOORS: Mapping[str, tuple[StationSpec, ...]] = {
    "default": DEFAULT_FLOOR,
    "early": _at(print=32.6, write=48.5),  # print, laminate, write within 5 %
    "late": _at(laminate=1_080.0, write=49.5, inspect=16.4, pack=3.06),  # write, inspect, pack within 5 %
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Floor hours of a run: what is excluded first, what is measured, and the load that goes on after it."""

    warm_up: float
    horizon: float
    tail: float

    @property
    def window_s(self) -> tuple[float, float]:
        """From when to when it is measured."""
        return self.warm_up * HOUR_S, (self.warm_up + self.horizon) * HOUR_S


class NoWatch(DriftWatch):
    """Holds no station: the peers' line has no charts of defects."""

    def watch(self, at_floor_s: float, move: AnyMove) -> None:
        """Look away."""


class TimedForeman(foreman.Foreman):
    """Counts the seconds of this thread that turns take, and the part of them that is spent on decisions.

    A decision is what `core.plan` does: to choose who gets which load, with the moves and actions that say so.  A turn
    is all that follows from an event: yields, blanks, remakes and charts too.
    """

    turns_s = decisions_s = 0.0

    def handle(self, event: AnyEvent, now_floor_s: float) -> Turn:
        """Take one event at its time."""
        began_s = thread_time()
        turn = super().handle(event, now_floor_s)
        self.turns_s += thread_time() - began_s
        return turn

    def plan(self, turn: Turn) -> None:
        """Decide."""
        began_s = thread_time()
        plan(turn)
        self.decisions_s += thread_time() - began_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all runs of one floor and one seed have in common; batches are numbered from 1 on."""

    seed: int
    floor: Sequence[StationSpec]
    hours: Hours
    config: CoreConfig
    arrivals: Sequence[Arrival] = ()

    def within(self, at_floor_s: float) -> bool:
        """Say whether a time lies in the window."""
        from_floor_s, to_floor_s = self.hours.window_s
        return from_floor_s < at_floor_s <= to_floor_s

    def measured(self) -> list[int]:
        """Give the batches that come in the window."""
        return [batch for batch, one in enumerate(self.arrivals, 1) if self.within(one.at_floor_s)]

    def unit_of(self, card: int) -> str:
        """Give the police station of a card of the foreman's."""
        return self.arrivals[card // CARDS_PER_BATCH - 1].units[card % CARDS_PER_BATCH]


@dataclass(slots=True)
class Outcome:
    """What one run made of a scene."""

    scene: Scene
    finished_s: dict[int, float] = field(default_factory=dict)  # batch -> when its last card was packed
    packed: int = 0  # in the window, as all below
    places: int = 0  # of sheets
    empty: int = 0
    left_inspection: list[str] = field(default_factory=list)  # police station of each good card, in order

    def lead_h(self) -> dict[int, float]:
        """Give the hours from arrival to the last card's packing of each measured batch."""
        arrivals = self.scene.arrivals
        return {
            batch: (self.finished_s[batch] - arrivals[batch - 1].at_floor_s) / HOUR_S for batch in self.scene.measured()
        }

    def lead_quantile_h(self, share: float) -> float:
        """Give the lead time that a share of the batches does not exceed."""
        return quantile(list(self.lead_h().values()), share)

    def tardy_h(self, allowed_h: Sequence[float]) -> list[float]:
        """Give how late each measured batch is, 0 when it is not; allowed is a time for each arrival."""
        return [max(0.0, lead - allowed_h[batch - 1]) for batch, lead in self.lead_h().items()]

    def sort_moves(self) -> float:
        """Give the changes of police station between neighbours that leave inspection, per card."""
        return sum(one != other for one, other in pairwise(self.left_inspection)) / len(self.left_inspection)

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move of the foreman's."""
        if isinstance(move, ConsignmentSent):
            self.finished_s[move.batch_id] = at_floor_s
        elif not self.scene.within(at_floor_s):
            return
        elif isinstance(move, SheetImposed):
            self.places += POSITIONS
            self.empty += move.cards.count(0)
        elif isinstance(move, BundleMade):
            self.packed += len(move.cards)


# ---- the runs -------------------------------------------------------------------------------------------------


def saturated(scene: Scene) -> tuple[float, float]:
    """Give the cards packed in the window when work never runs out, and the bound, both per hour."""
    batches, flow = Batches(scene.seed), Flow(*scene.hours.window_s)

    def feed(at_floor_s: float, move: AnyMove) -> None:
        if isinstance(move, SheetImposed):
            state = line.foreman.state
            waiting = len(state.unencoded) + sum(len(ready) for ready in state.ready.values())
            if waiting < BACKLOG_CARDS:
                line.submit(batches.next(at_floor_s, FAR_S))

    line = HeapFloor(scene.seed, floor=scene.floor, foreman=foreman.Foreman(scene.config), watch=[flow.saw, feed])
    for _ in range(8):
        line.submit(batches.next(0.0, FAR_S))
    line.run(scene.hours.window_s[0])
    lying = lying_before(line.foreman.state)
    line.run(scene.hours.window_s[1] + HOUR_S)  # so that every load of the window has ended
    most = bound(line.machines.values(), flow, lying)
    return flow.packed / scene.hours.horizon, most / scene.hours.horizon


def ours(scene: Scene, watch: DriftWatch | None = None) -> tuple[Outcome, dict[str, float]]:
    """Give what the foreman makes of a scene, and the microseconds of decisions and turns per sheet and step.

    `watch`: of defects; without it, the usual one, which holds stations.
    """
    state = FloorState(drift=watch or DriftWatch(scene.config.drift))
    outcome, timed = Outcome(scene), TimedForeman(scene.config, state)
    sheets: dict[int, list[int]] = {}

    def saw(at_floor_s: float, move: AnyMove) -> None:
        outcome.saw(at_floor_s, move)
        if isinstance(move, SheetImposed):
            sheets[move.sheet_id] = move.cards
        elif isinstance(move, PositionsMarked) and move.mark is Mark.PASSED and scene.within(at_floor_s):
            cards = sheets[move.sheet_id]
            outcome.left_inspection += [scene.unit_of(cards[place]) for place in positions_in(move.mask)]

    line = HeapFloor(scene.seed, floor=scene.floor, foreman=timed, watch=[saw])
    for arrival in scene.arrivals:
        line.submit(arrival)
    with patch.object(foreman, "plan", timed.plan):
        line.run()
    decisions = len(sheets) * len(Step)
    return outcome, {"decision_us": timed.decisions_s / decisions * 1e6, "turn_us": timed.turns_s / decisions * 1e6}


def peer(scene: Scene, rule: Rule) -> Outcome:
    """Give what the SimPy line makes of a scene."""
    line = PeerLine(scene.seed, scene.floor, USUAL_FAULTS, scene.config, rule)
    line.run(scene.arrivals)
    line.env.run()
    empty = [empty for at, empty in line.sheets if scene.within(at)]
    return Outcome(
        scene,
        line.finished_s,
        sum(cards for at, cards in line.packed if scene.within(at)),
        len(empty) * POSITIONS,
        sum(empty),
        [unit for at, unit in line.left_inspection if scene.within(at)],
    )


# ---- what they say of each other -------------------------------------------------------------------------------


def study(name: str, seed: int, hours: Hours) -> dict[str, float]:
    """Give every figure of one floor and one seed, by its dotted key."""
    empty = Scene(seed=seed, floor=FLOORS[name], hours=hours, config=CoreConfig())
    packed, most = saturated(empty)
    until_s = hours.window_s[1] + hours.tail * HOUR_S
    arrivals = tuple(replace(one, due_floor_s=FAR_S) for one in steady(seed, LOAD * most, until_s))
    scene = replace(empty, arrivals=arrivals)

    first = [peer(scene, rule) for rule in PEERS_REMAKES_FIRST]
    last = [peer(scene, replace(rule, remakes_first=False)) for rule in PEERS_REMAKES_FIRST]
    as_taken = peer(scene, replace(FIRST_COME, by_unit=False))
    same, _ = ours(scene, NoWatch())  # all due at one time, so first come, first served
    allowed_h = allowances(first)
    due = zip(arrivals, allowed_h, strict=True)
    mine, cost = ours(
        replace(scene, arrivals=[replace(one, due_floor_s=one.at_floor_s + left * HOUR_S) for one, left in due])
    )
    return {
        "saturated.throughput_over_bound": packed / most,
        "saturated.bound_cards_per_hour": most,
        "agreement_fcfs_percent": disagreement_percent(same, first[0]),
        **cost,
        "imposition.empty_positions_percent": 100 * mine.empty / mine.places,
        "imposition.sort_moves_over_fcfs": mine.sort_moves() / as_taken.sort_moves(),
        "imposition.sort_moves_per_card": mine.sort_moves(),
        **{f"load85.{key}": value for key, value in compared(mine, first, last, allowed_h).items()},
    }


def compared(
    mine: Outcome, first: Sequence[Outcome], last: Sequence[Outcome], allowed_h: Sequence[float]
) -> dict[str, float]:
    """Give our lead times, tardiness and throughput, alone and over the best peers.

    The best peer with remakes first is that with the least mean tardiness; the best with remakes last has the least
    lead time that 95 % of the batches do not exceed.
    """
    best = best_of(first, allowed_h)
    p50, p95 = mine.lead_quantile_h(0.5), mine.lead_quantile_h(0.95)
    tardy_h, best_tardy_h = statistics.fmean(mine.tardy_h(allowed_h)), best.tardy_h(allowed_h)
    return {
        "lead_p95_over_best_remakes_last": p95 / min(one.lead_quantile_h(0.95) for one in last),
        "lead_p50_over_best_remakes_first": p50 / best.lead_quantile_h(0.5),
        "lead_p95_over_best_remakes_first": p95 / best.lead_quantile_h(0.95),
        "tardiness_over_best_remakes_first": tardy_h / statistics.fmean(best_tardy_h),
        "throughput_over_best_remakes_first": mine.packed / best.packed,
        "lead_p50_h": p50,
        "lead_p95_h": p95,
        "tardiness_h": tardy_h,
        "best_peer_tardiness_h": statistics.fmean(best_tardy_h),
        "best_peer_late_percent": 100 * statistics.fmean(one > 0 for one in best_tardy_h),
    }


def allowances(peers: Sequence[Outcome]) -> list[float]:
    """Give the hours each batch has until it is due: drawn, and stretched so that a share of the best peer's is late.

    The best is the one with the least mean tardiness, which the stretch has a part in: the first of them that is best
    under its own.
    """
    random = Random(f"allowances {peers[0].scene.seed}")
    drawn = [random.uniform(*ALLOWANCE) for _ in peers[0].scene.arrivals]
    for one in peers:
        stretch = quantile([lead / drawn[batch - 1] for batch, lead in one.lead_h().items()], 1 - LATE_SHARE)
        allowed_h = [stretch * each for each in drawn]
        if best_of(peers, allowed_h) is one:
            break
    return allowed_h


def best_of(peers: Sequence[Outcome], allowed_h: Sequence[float]) -> Outcome:
    """Give the peer with the least mean tardiness."""
    return min(peers, key=lambda one: statistics.fmean(one.tardy_h(allowed_h)))


def disagreement_percent(one: Outcome, other: Outcome) -> float:
    """Give the largest of the differences in lead time (median, 95 %, mean) and throughput."""
    pairs = [(one.lead_quantile_h(share), other.lead_quantile_h(share)) for share in (0.5, 0.95)]
    pairs.append((statistics.fmean(one.lead_h().values()), statistics.fmean(other.lead_h().values())))
    pairs.append((one.packed, other.packed))
    return 100 * max(abs(left / right - 1) for left, right in pairs)
