"""How soon is a station held that gets worse, and how often is one held for nothing?

In control: the charts of five steps, pooled, each step striking 1 % of the positions.  Out of control: a foreman on a
whole line, ten stations at 1 %, one of which goes to 3 % when its chart stands anywhere; counted are that station's
inspected cards from there to its hold, all of the deciding sheet among them.  Each kind of station drifts by turns.
"""

import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

from bench.drift_line import STATIONS, cards_to_hold, false_holds
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json

SHORT_ARGS: list[str] = ["--cards", "200000", "--runs", "10"]
LONG_ARGS: list[str] = ["--cards", "20000000", "--runs", "1000"]

SHARE, DRIFTED_SHARE = 0.01, 0.03
PARTS = 10  # of the cards in control, each with draws of its own
MOST_CARDS, MOST_FALSE_HOLDS = 420, 1.2  # a median, and a rate for each 100,000 cards
JUDGED_FROM_RUNS, JUDGED_FROM_CARDS = 200, 5_000_000  # with fewer the figures are too rough to be judged
COLUMNS = ("figure", "value", "wanted")


def main(argv: Sequence[str]) -> int:
    """Run both and print the figures; exit code 1 when there are enough runs and one is worse than wanted."""
    options = Options(
        "drift", "False holds in control, and cards to the hold of a station that drifts from 1 % to 3 %."
    )
    options.add_argument("--cards", type=whole_number(1_000, 10**9), default=5_000_000, help="in control (5,000,000)")
    options.add_argument("--runs", type=whole_number(2, 100_000), default=300, help="stations that drift (300)")
    options.add_argument("--processes", type=whole_number(1, 64), default=os.cpu_count() or 1, help="(one a core)")
    chosen = options.parse_args(argv)
    names = list(STATIONS)[::2]
    with ProcessPoolExecutor(chosen.processes) as pool:
        part = -(-chosen.cards // PARTS)
        quiet = [pool.submit(false_holds, seed, part, SHARE) for seed in range(PARTS)]
        drifts = [
            pool.submit(cards_to_hold, seed, names[seed % len(names)], SHARE, DRIFTED_SHARE)
            for seed in range(chosen.runs)
        ]
        waiting: list[Future[Any]] = [*quiet, *drifts]
        for number, _ in enumerate(as_completed(waiting), 1):
            print(f"\r{number} of {len(waiting)} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    result = result_of([one.result() for one in quiet], [one.result() for one in drifts])
    title = f"Drift: {result['in_control']['cards']:,} cards in control, {chosen.runs} stations that drift"
    show(title, COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def result_of(quiet: Sequence[tuple[int, int]], drifts: Sequence[int]) -> dict[str, Any]:
    """Give the figures of both kinds of runs."""
    signals, cards = sum(one for one, _ in quiet), sum(one for _, one in quiet)
    parts = [1e5 * one / of for one, of in quiet]
    middle, width = median_and_spread([float(one) for one in drifts])
    return {
        "bench": "drift",
        "machine": machine(),
        "in_control": {"cards": cards, "false_holds": signals, "false_holds_per_100000": 1e5 * signals / cards},
        "drifted": {
            "runs": len(drifts),
            "cards_to_hold": middle,
            "cards_to_hold_p90": statistics.quantiles(drifts, n=10, method="inclusive")[-1],
        },
        "spread": {
            "in_control": {"false_holds_per_100000": median_and_spread(parts)[1]},
            "drifted": {"cards_to_hold": width},
        },
    }


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether the figures are as wanted, or come from too few runs to say it."""
    quiet, drifted = result["in_control"], result["drifted"]
    rare = quiet["false_holds_per_100000"] <= MOST_FALSE_HOLDS or quiet["cards"] < JUDGED_FROM_CARDS
    soon = drifted["cards_to_hold"] <= MOST_CARDS or drifted["runs"] < JUDGED_FROM_RUNS
    return bool(rare and soon)


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    quiet, drifted = result["in_control"], result["drifted"]
    return [
        ("false holds in control", f"{quiet['false_holds']}", ""),
        ("for each 100,000 cards", f"{quiet['false_holds_per_100000']:.2f}", f"<= {MOST_FALSE_HOLDS}"),
        ("median cards to the hold", f"{drifted['cards_to_hold']:.0f}", f"<= {MOST_CARDS}"),
        ("in 9 of 10 runs", f"{drifted['cards_to_hold_p90']:.0f}", ""),
    ]
