"""Does the forecast's P90 hold nine times out of ten, how long do 200 runs take, and what do they cost the service?

Each trial is a small floor of its own kind (stations, pace, breakdowns, faults and load drawn from its seed) that runs
some hours; at a random moment it is forked, its moves so far are all that the forecast knows, one open batch is drawn,
and the floor goes on: finished by the P90?  The runs that are timed begin from the default
floor of the demo, with 3,000 open cards.
What a forecast costs the service is measured in pairs of windows beside each other: `bench.forecast_beside`.  Each of
the three parts can be left out: `--trials 0`, `--runs 0`, `--pairs 0`.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import inf, sqrt
from time import perf_counter, process_time
from typing import Any

from bench import forecast_beside
from bench.forecast_trial import CONFIG, Trial, run_trial
from bench.pipeline import RATE_MAX
from bench.result import Options, machine, show, whole_number, write_json
from controller.core.line.estimates import Estimator
from controller.core.line.figures import Estimates
from controller.core.line.finishes import Finishes
from controller.core.line.fork import Fork
from controller.core.line.run import run_line
from controller.hosts.heap import HeapHost
from sims.heap_batches import Batches
from sims.heap_floor import HeapFloor

SHORT_ARGS: list[str] = ["--trials", "20", "--runs", "20", "--cards", "1000", "--pairs", "1", "--window-s", "3"]
# windows as long as a forecast of 200 runs may take
LONG_ARGS: list[str] = ["--trials", "400", "--runs", "200", "--pairs", "6", "--window-s", "30", "--rate-max", "180"]

TRIAL_RUNS = 19  # of one trial: the 18th of 19 runs is what a twentieth stays below nine times out of ten
HELD, JUDGED_FROM_TRIALS = (0.86, 0.94), 400
MOST_S, JUDGED_RUNS, JUDGED_CARDS = 30.0, 200, 3_000
DUE_IN_S = 20 * 86_400.0
BATCH_CARDS, BATCH_EVERY_S, LOOK_S = 300, 300.0, 60.0  # half as fast again as the floor makes them
CPU_TRIALS = 4  # of one task of a process
COLUMNS = ("figure", "value", "wanted")


def main(argv: Sequence[str]) -> int:
    """Run what is wanted and print the figures; exit code 1 when there is enough of them and one is not as wanted."""
    options = Options("forecast", "How often the forecast's P90 holds, and how long its runs take.")
    options.add_argument("--trials", type=whole_number(0, 100_000), default=400, help="floors to forecast (400)")
    options.add_argument("--first", type=whole_number(0, 10**9), default=0, help="seed of the first (0)")
    options.add_argument("--runs", type=whole_number(0, 10_000), default=JUDGED_RUNS, help="timed (200)")
    options.add_argument("--cards", type=whole_number(100, 20_000), default=JUDGED_CARDS, help="open then (3,000)")
    options.add_argument("--processes", type=whole_number(1, 64), default=os.cpu_count() or 1, help="(one a core)")
    options.add_argument("--pairs", type=whole_number(0, 50), default=6, help="windows without and beside one (6)")
    options.add_argument("--window-s", type=whole_number(1, 120), default=8, help="seconds of a window (8)")
    options.add_argument(
        "--rate-max", type=whole_number(1, 500), default=RATE_MAX, help="cards/s to be prepared for (250)"
    )
    chosen = options.parse_args(argv)
    if chosen.trials == 1 or chosen.runs == 1:
        options.error("one trial or run alone says nothing: 0, or 2 and more")
    result: dict[str, Any] = {"bench": "forecast", "machine": machine()}
    if chosen.runs:
        result |= time_runs(chosen.cards, chosen.runs, chosen.processes)
    if chosen.trials:
        seeds = range(chosen.first, chosen.first + chosen.trials)
        result["calibration"] = calibration(trials_of(seeds, chosen.processes))
    if chosen.pairs:
        try:
            result["beside"] = forecast_beside.measure(chosen.pairs, chosen.window_s, chosen.rate_max)
        except RuntimeError as error:
            print(f"python -m bench forecast: {error}", file=sys.stderr)
            return 1
    title = f"Forecast: {chosen.trials} floors, {chosen.runs} timed runs, {chosen.pairs} pairs of windows"
    show(title, COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def trials_of(seeds: Sequence[int], processes: int) -> list[Trial]:
    """Give the trials of some seeds."""
    trials = []
    with ProcessPoolExecutor(processes) as pool:
        for trial in pool.map(partial(run_trial, runs=TRIAL_RUNS), seeds, chunksize=CPU_TRIALS):
            trials.append(trial)
            print(f"\r{len(trials)} of {len(seeds)} trials", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return trials


# ---- the runs that are timed ---------------------------------------------------------------------------------------


def demo_floor(cards: int) -> tuple[HeapFloor, Estimator]:
    """Give the default floor at a moment, after its first hours, with at least so many open cards, and its figures."""
    estimator = Estimator()
    floor, batches = HeapFloor(1, watch=[estimator.fold]), Batches(1)
    at = 0.0
    while at < 4 * 3_600.0 or Finishes(floor.foreman.state).left() < cards:
        if at % BATCH_EVERY_S == 0.0:
            floor.submit(batches.next(at, DUE_IN_S, BATCH_CARDS))
        at += LOOK_S
        floor.run(at)
    return floor, estimator


def time_runs(cards: int, runs: int, processes: int) -> dict[str, Any]:
    """Give how long the runs of one forecast take: all of them on all processes, and one by one."""
    floor, estimator = demo_floor(cards)
    now, state = floor.host.now_floor_s, floor.foreman.state
    start_s = perf_counter()
    fork = Fork.of(state)
    fork_s = perf_counter() - start_s
    estimates = estimator.estimates()
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_nothing, range(processes)))  # started before the clock is
        start_s = perf_counter()
        share = -(-runs // processes)
        parts = [range(first, min(first + share, runs)) for first in range(0, runs, share)]
        cpu_s = [one for part in pool.map(partial(_runs, fork, estimates, now), parts) for one in part]
        wall_s = perf_counter() - start_s
    return {
        "runs": runs,
        "open_cards": Finishes(state).left(),
        f"runs_{runs}_s": wall_s,
        "run_cpu_s": statistics.median(cpu_s),
        "fork_s": fork_s,
        "fork_bytes": len(fork.packed),
        "processes": processes,
        "spread": {"run_cpu_s": statistics.quantiles(cpu_s, n=4)[2] - statistics.quantiles(cpu_s, n=4)[0]},
    }


def _nothing(number: int) -> int:
    return number


def _runs(fork: Fork, estimates: Estimates, now_floor_s: float, seeds: Sequence[int]) -> list[float]:
    """Do runs, and give the processor seconds of each; a run leaves nothing for the collector, so it is off."""
    gc.disable()
    taken = []
    for seed in seeds:
        start_s = process_time()
        run_line(fork, CONFIG, estimates, now_floor_s, seed, make_host=HeapHost)
        taken.append(process_time() - start_s)
    return taken


# ---- the trials ----------------------------------------------------------------------------------------------------


def calibration(trials: Sequence[Trial]) -> dict[str, Any]:
    """Give how often P90 and P50 held, with 95 % intervals (Wilson), and what the trials were like."""
    count = len(trials)
    held90, held50 = (sum(one.truth_s <= wanted(one) for one in trials) for wanted in (_p90, _p50))
    below = [0] * 10
    for one in trials:
        below[min(9, int(one.below * 10))] += 1
    return {
        "trials": count,
        "runs_a_trial": TRIAL_RUNS,
        "p90_held": held90 / count,
        "p90_held_low": wilson(held90, count)[0],
        "p90_held_high": wilson(held90, count)[1],
        "p50_held": held50 / count,
        "p50_held_low": wilson(held50, count)[0],
        "p50_held_high": wilson(held50, count)[1],
        "runs_below_truth_tenths": below,
        "never_in_time": sum(one.truth_s == inf for one in trials),
        "open_cards_median": statistics.median(one.open_cards for one in trials),
        "open_batches_median": statistics.median(one.open_batches for one in trials),
        "history_h_median": statistics.median(one.history_h for one in trials),
        "truth_h_median": statistics.median(one.truth_s for one in trials) / 3_600.0,
    }


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share.  Source: Wilson, JASA 22 (1927), 209-212."""
    z = 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    half = z * sqrt(hits * (count - hits) / count + z * z / 4) / (count + z * z)
    return middle - half, middle + half


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether the figures are as wanted, or come from too little to say it."""
    found, beside = result.get("calibration"), result.get("beside")
    holds = not found or found["trials"] < JUDGED_FROM_TRIALS or HELD[0] <= found["p90_held"] <= HELD[1]
    is_small = result.get("runs") != JUDGED_RUNS or result["open_cards"] < JUDGED_CARDS
    is_fast = is_small or result[f"runs_{JUDGED_RUNS}_s"] <= MOST_S
    return bool(holds and is_fast and (not beside or forecast_beside.is_small(beside)))


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    rows: list[tuple[str, ...]] = []
    if "runs" in result:
        runs = f"runs_{result['runs']}_s"
        rows += [
            (
                f"{result['runs']} runs, {result['open_cards']:,} open",
                f"{result[runs]:.1f} s",
                f"<= {MOST_S:.0f} s of 200",
            ),
            ("one run, processor", f"{1e3 * result['run_cpu_s']:.0f} ms", ""),
            ("fork", f"{1e3 * result['fork_s']:.0f} ms, {result['fork_bytes'] / 1e6:.2f} MB", ""),
        ]
    if "calibration" in result:
        rows += _held_rows(result["calibration"])
    return rows + (forecast_beside.rows_of(result["beside"]) if "beside" in result else [])


def _held_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    between = [f"{100 * found[f'p{p}_held_low']:.1f} to {100 * found[f'p{p}_held_high']:.1f} %" for p in (90, 50)]
    return [
        ("P90 held", f"{100 * found['p90_held']:.1f} % ({between[0]})", "86 to 94 %"),
        ("P50 held", f"{100 * found['p50_held']:.1f} % ({between[1]})", ""),
        ("open cards, median trial", f"{found['open_cards_median']:,.0f}", ""),
        ("to the finish, median trial", f"{found['truth_h_median']:.2f} h", ""),
    ]


def _p90(trial: Trial) -> float:
    return trial.p90_s


def _p50(trial: Trial) -> float:
    return trial.p50_s
