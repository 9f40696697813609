"""How well are the stations kept busy: against the capacity bound, and against a SimPy model of the same line?"""

import os
import statistics
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import Any

from bench.balance_runs import FLOORS, LATE_SHARE, LOAD, Hours, study
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, BundleMade
from controller.core.settings import CoreConfig
from sims.heap_batches import floor_day
from sims.heap_floor import HeapFloor

SHORT_ARGS: list[str] = ["--seeds", "2", "--hours", "4", "--days", "1"]
LONG_ARGS: list[str] = ["--seeds", "20", "--hours", "48", "--days", "20"]

WARM_UP_H = 6.0
TAIL_H = 5.0
PEAK_DAY_CARDS = 37_800
SHIFTS_H = 16.0  # two of eight hours
LATE_PERCENT = (10.0, 20.0)  # of the best peer's batches; outside, or with no tardiness at all, a run says nothing
MORE_IS_BETTER = {
    "saturated.throughput_over_bound",
    "saturated.bound_cards_per_hour",
    "load85.throughput_over_best_remakes_first",
}
COLUMNS = ("figure", "worst floor", "spread")

Figures = dict[str, float]


def main(argv: Sequence[str]) -> int:
    """Run every floor with every seed and print medians; exit code 1 when a run of the peer says nothing."""
    options = Options("balance", "Virtual time: throughput over its bound, lead times over a SimPy peer's.")
    options.add_argument("--seeds", type=whole_number(2, 1000), default=20, help="runs of each floor (20)")
    options.add_argument("--floors", type=_floors, default=list(FLOORS), help=f"some of {','.join(FLOORS)} (all)")
    options.add_argument("--hours", type=whole_number(2, 1000), default=30, help="floor hours measured (30)")
    options.add_argument("--days", type=whole_number(0, 1000), default=20, help="peak days run from empty (20)")
    options.add_argument("--processes", type=whole_number(1, 64), default=os.cpu_count() or 1, help="(one a core)")
    chosen = options.parse_args(argv)
    hours = Hours(warm_up=WARM_UP_H, horizon=float(chosen.hours), tail=TAIL_H)
    seeds = range(1, chosen.seeds + 1)
    jobs: list[Callable[[], Any]] = [partial(study, name, seed, hours) for seed in seeds for name in chosen.floors]
    jobs += [partial(packed_at_h, seed) for seed in range(1, chosen.days + 1)]
    done = _all_done(jobs, chosen.processes)
    days = done[len(seeds) * len(chosen.floors) :]
    runs = {name: done[place : -len(days) or None : len(chosen.floors)] for place, name in enumerate(chosen.floors)}
    result = result_of(runs, hours, days)
    show(_title(result), COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(not all(map(says_something, _all(runs))))


def _all_done(jobs: Sequence[Callable[[], Any]], processes: int) -> list[Any]:
    """Do the jobs, in processes of their own if there may be several; gives what they give, in order."""
    if processes == 1:
        return [job() for job in jobs]
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(job) for job in jobs]
        for number, _ in enumerate(as_completed(futures), 1):
            print(f"\r{number} of {len(jobs)} runs", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return [future.result() for future in futures]


def _title(result: Mapping[str, Any]) -> str:
    """Give what the figures were taken under, and how the days ended, in short lines."""
    limit = result["wip_limit"]
    lines = [
        f"Balance: medians of {result['seeds']} seeds",
        f"{result['horizon_h']:g} h measured after {result['warm_up_h']:g} h of warm-up; load {result['load']:.0%}",
        f"WIP limit: {limit['films']} films before the presses, {limit['sheets']} sheets on the floor",
        f"runs whose best peer was not late as it should be: {result['invalid_runs']}",
    ]
    if day := result.get("floor_day"):
        lines.append(f"{day['cards']} cards packed inside {SHIFTS_H:g} h: {day['in_time']} of {day['days']} days")
    return "\n".join(lines)


def result_of(runs: Mapping[str, Sequence[Figures]], hours: Hours, days: Sequence[float]) -> dict[str, Any]:
    """Give the JSON object: each figure's median over the seeds on its worst floor, the spread there, and by floor."""
    keys = list(next(_all(runs)))
    by_floor = {
        name: {key: median_and_spread([one[key] for one in figures]) for key in keys} for name, figures in runs.items()
    }
    worst: dict[str, tuple[float, float]] = {}
    for key in keys:
        pick = min if key in MORE_IS_BETTER else max
        worst[key] = pick((figures[key] for figures in by_floor.values()), key=lambda pair: pair[0])
    result: dict[str, Any] = {
        "bench": "balance",
        "machine": machine(),
        "seeds": len(next(iter(runs.values()))),
        "warm_up_h": hours.warm_up,
        "horizon_h": hours.horizon,
        "wip_limit": {"films": CoreConfig().plan.films_max, "sheets": CoreConfig().plan.sheets_max},
        "load": LOAD,
        "late_share": LATE_SHARE,
        "invalid_runs": sum(not says_something(one) for one in _all(runs)),
        **nested({key: middle for key, (middle, _) in worst.items()}),
        "by_floor": {name: nested({key: one[0] for key, one in figures.items()}) for name, figures in by_floor.items()},
        "spread": nested({key: width for key, (_, width) in worst.items()}),
    }
    if days:
        result["floor_day"] = {
            "cards": PEAK_DAY_CARDS,
            "days": len(days),
            "in_time": sum(hour <= SHIFTS_H for hour in days),
            "packed_h": statistics.median(days),
            "packed_h_max": max(days),
        }
    return result


def says_something(figures: Figures) -> bool:
    """Say whether the best peer was late often enough, and not too often, to be compared with."""
    low, high = LATE_PERCENT
    late, tardy_h = figures["load85.best_peer_late_percent"], figures["load85.best_peer_tardiness_h"]
    return low <= late <= high and tardy_h > 0


def packed_at_h(seed: int) -> float:
    """Give the floor hour in which a peak day's last card is packed, from an empty floor at hour 0."""
    last_s = 0.0

    def saw(at_floor_s: float, move: AnyMove) -> None:
        nonlocal last_s
        if isinstance(move, BundleMade):
            last_s = at_floor_s

    floor = HeapFloor(seed, foreman=Foreman(CoreConfig()), watch=[saw])
    for arrival in floor_day(seed, PEAK_DAY_CARDS):
        floor.submit(arrival)
    floor.run()
    return last_s / 3_600.0


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows: every figure and its spread."""
    figures = dict(_leaves(result))
    return [(key, f"{figures[key]:.4g}", f"{width:.2g}") for key, width in _leaves(result["spread"])]


def nested(flat: Mapping[str, float]) -> dict[str, Any]:
    """Give figures by dotted key as objects, a level for each dot."""
    top: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        level = top
        for parent in parents:
            level = level.setdefault(parent, {})
        level[name] = value
    return top


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _all(runs: Mapping[str, Sequence[Figures]]) -> Iterator[Figures]:
    return (one for figures in runs.values() for one in figures)


def _floors(text: str) -> list[str]:
    """Read names of floors, one or more."""
    names = text.split(",")
    if not set(names) <= set(FLOORS) or len(set(names)) < len(names):
        raise ArgumentTypeError(f"{text[:40]!r} is not one or more of {','.join(FLOORS)}")
    return names
