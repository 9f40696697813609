"""One trial of the forecast: a small floor, a fork of it at a random moment, one open batch drawn, and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random

from controller.core.calendar import DAY_S
from controller.core.foreman import Foreman
from controller.core.line.estimates import Estimator
from controller.core.line.finishes import Finishes
from controller.core.line.fork import Fork
from controller.core.line.run import run_line
from controller.core.line.summary import quantile
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.hosts.heap import HeapHost
from devices.defects import Step
from devices.messages import POSITIONS
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import StationSpec
from sims.heap_batches import Arrival
from sims.heap_floor import HeapFloor, Watch
from sims.places import County, load_counties

HOUR_S = 3_600.0
COUNTIES = (3, 12)
SMALLEST, LARGEST = 16, 160  # cards of a batch
HISTORY_HOURS = (3.0, 14.0)  # of a floor before its fork
LOADS = (0.4, 0.95)  # share of the slowest step's pace that arrives
TRUTH_S = 5 * DAY_S  # of the runs and of the truth: what is not finished then is not
STEP_S = 900.0
CONFIG = CoreConfig()
# a floor of one or a few stations a step: sheets of a load, floor seconds of a load and of each sheet (card)
USUAL = (
    ("p", Step.PRINT, (1, 2), StationSpec(name="", step=Step.PRINT, unit_s=45.0, roll_sheets=150)),
    ("l", Step.LAMINATE, (1, 3), StationSpec(name="", step=Step.LAMINATE, load_max=12, load_s=900.0)),
    ("c", Step.PUNCH, (1, 1), StationSpec(name="", step=Step.PUNCH, unit_s=20.0)),
    ("w", Step.WRITE, (1, 3), StationSpec(name="", step=Step.WRITE, unit_s=60.0)),
    ("i", Step.INSPECT, (1, 1), StationSpec(name="", step=Step.INSPECT, unit_s=25.0)),
    ("k", Step.PACK, (1, 1), StationSpec(name="", step=Step.PACK, load_max=100, unit_s=3.5)),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one forecast said of one batch, and what became of it; times in floor seconds after the fork."""

    seed: int
    open_cards: int
    open_batches: int
    history_h: float
    p50_s: float
    p90_s: float
    truth_s: float
    below: float  # share of the runs that were finished before the truth was


def run_trial(seed: int, runs: int) -> Trial:
    """Give one trial; the same seed gives the same."""
    dice = Random(f"forecast trial {seed}")
    stations, estimator = small_floor(dice), Estimator()
    witness = Witness([estimator.fold])
    floor = HeapFloor(
        seed,
        floor=stations,
        faults=small_faults(dice),
        foreman=Foreman(CONFIG),
        watch=[witness.saw],
        singles=dice.choice((0, 12)),
    )
    history_h = dice.uniform(*HISTORY_HOURS)
    coming = Coming(floor, arrivals(dice, pace_per_hour(stations) * dice.uniform(*LOADS)))
    now = coming.run(history_h * HOUR_S)
    finishes = Finishes(floor.foreman.state)
    while finishes.is_over():  # nothing open: the moment is a little later
        now = coming.run(now + STEP_S)
        finishes = Finishes(floor.foreman.state)
    batch_id = dice.choice(sorted(finishes.batches))
    fork, estimates = Fork.of(floor.foreman.state), estimator.estimates()
    until = now + TRUTH_S
    seeds = range(seed * 1_000, seed * 1_000 + runs)
    ran = [
        run_line(fork, CONFIG, estimates, now, one, until_floor_s=until, make_host=HeapHost, watched={batch_id})
        for one in seeds
    ]
    finished = [inf if run.batches[batch_id] is None else float(run.batches[batch_id] or 0.0) - now for run in ran]
    open_cards = finishes.left()
    truth = _truth(witness, coming, finishes, batch_id, now, until) - now
    below = sum(one < truth for one in finished) / runs
    p50, p90 = quantile(finished, 0.5), quantile(finished, 0.9)
    return Trial(seed, open_cards, len(finishes.batches), history_h, p50, p90, truth, below)


# ---- the floors ----------------------------------------------------------------------------------------------------


def small_floor(dice: Random) -> tuple[StationSpec, ...]:
    """Give one to three stations a step, no two floors alike in pace, spread, breakdowns and repairs."""
    floor: list[StationSpec] = []
    for letter, _, counts, usual in USUAL:
        factor = dice.uniform(0.7, 1.4)
        spec = replace(
            usual,
            load_s=usual.load_s * factor,
            unit_s=usual.unit_s * factor,
            spread=dice.uniform(0.05, 0.3),
            mtbf_s=dice.uniform(1.5, 10.0) * HOUR_S,
            mttr_s=dice.uniform(5.0, 40.0) * 60.0,
            refill_s=dice.uniform(60.0, 300.0),
        )
        floor += [replace(spec, name=f"{letter}{number}") for number in range(1, dice.randint(*counts) + 1)]
    return tuple(floor)


def small_faults(dice: Random) -> Faults:
    """Give faults from half to four times as frequent as usual."""
    return USUAL_FAULTS.times(dice.choice((0.5, 1.0, 2.0, 4.0)))


def pace_per_hour(stations: Sequence[StationSpec]) -> float:
    """Give the cards an hour of the slowest step, with full loads and nothing broken."""
    paces: dict[Step, float] = {}
    for spec in stations:
        cards = spec.load_max * (1 if spec.step is Step.PACK else POSITIONS)
        paces[spec.step] = paces.get(spec.step, 0.0) + cards / spec.cycle_s(spec.load_max) * HOUR_S
    return min(paces.values())


def arrivals(dice: Random, cards_per_hour: float) -> Iterator[Arrival]:
    """Give batches of several counties without end, at random times, due in 2 to 30 days."""
    counties = dice.sample(load_counties()[:60], dice.randint(*COUNTIES))
    mean_s = (SMALLEST + LARGEST) / 2 / cards_per_hour * HOUR_S
    at = 0.0
    while True:
        yield Arrival(at_floor_s=at, due_floor_s=at + dice.randint(2, 30) * DAY_S, units=_units(dice, counties))
        at += dice.expovariate(1.0 / mean_s)


def _units(dice: Random, counties: Sequence[County]) -> tuple[str, ...]:
    county = dice.choice(counties)
    places = dice.choices(range(county.stations), k=dice.randint(SMALLEST, LARGEST))
    return tuple(county.unit(place) for place in places)


class Coming:
    """Hands batches to a floor as far ahead as it runs."""

    def __init__(self, floor: HeapFloor, arrivals: Iterator[Arrival]) -> None:
        self._floor, self._arrivals = floor, arrivals
        self._given_to_s = -1.0

    def run(self, until_floor_s: float) -> float:
        """Run the floor up to a time, and give it."""
        while self._given_to_s <= until_floor_s:
            arrival = next(self._arrivals)
            self._floor.submit(arrival)
            self._given_to_s = arrival.at_floor_s
        self._floor.run(until_floor_s)
        return until_floor_s


class Witness:
    """Tells the moves of a floor to whoever wants to know now."""

    def __init__(self, folds: list[Watch]) -> None:
        self.folds = folds

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Tell a move."""
        for fold in self.folds:
            fold(at_floor_s, move)


def _truth(witness: Witness, coming: Coming, finishes: Finishes, batch_id: int, now: float, until: float) -> float:
    """Let the floor go on until a batch is finished, and give when; `inf`: not in time."""
    witness.folds = [finishes.fold]
    while finishes.batches[batch_id] is None and now < until:
        now = coming.run(now + STEP_S)
    finished = finishes.batches[batch_id]
    return inf if finished is None else finished
