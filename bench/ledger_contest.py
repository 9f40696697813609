"""Our path against the bare driver: the same groups by turns, commit by commit, each to a database of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from bench.ledger_engines import Store
from bench.ledger_paths import prepared
from bench.ledger_stream import grouped, moves_in
from bench.result import median_and_spread
from controller.ledger.committer import Item
from controller.ledger.journal import Recorded

PATHS = ("core", "raw", "unchained")


def contest(store: Store, turns: Sequence[Recorded], group: int, rounds: int) -> dict[str, Any]:
    """Give moves/s of each path and core over raw, each as (median, spread) of the rounds.

    The rounds are parts of one stream, so that the databases grow; a ratio is taken round by round.
    """
    groups = list(grouped(turns, group))
    part = len(groups) // rounds
    raw_groups = prepared(groups, store.engine(f"prepared_{group}"))
    core = store.ours(f"core_{group}")
    raw = store.raw(f"raw_{group}", chained=True)
    unchained = store.raw(f"unchained_{group}", chained=False)
    gc.collect()
    gc.freeze()  # what is prepared here is no work for the collector while our path runs
    per_s: dict[str, list[float]] = {name: [] for name in PATHS}
    for first in range(0, part * rounds, part):
        spent = dict.fromkeys(PATHS, 0.0)
        for ours, bare in zip(groups[first : first + part], raw_groups[first : first + part], strict=True):
            spent["core"] += _timed(core.commit, [Item(turn) for turn in ours])
            spent["raw"] += _timed(raw.write, bare)
            spent["unchained"] += _timed(unchained.write, bare)
        moves = sum(map(moves_in, groups[first : first + part]))
        for name, seconds in spent.items():
            per_s[name].append(moves / seconds)
        for path in (core, raw, unchained):
            path.checkpoint()
    for path in (core, raw, unchained):
        path.close()
    gc.unfreeze()
    return _figures(per_s)


def _figures(per_s: dict[str, list[float]]) -> dict[str, Any]:
    figures = {f"{name}_moves_per_s": median_and_spread(values) for name, values in per_s.items()}
    ratios = [ours / bare for ours, bare in zip(per_s["core"], per_s["raw"], strict=True)]
    chains = [1e6 / chained - 1e6 / bare for chained, bare in zip(per_s["raw"], per_s["unchained"], strict=True)]
    return figures | {"core_over_raw": median_and_spread(ratios), "chain_us_per_move": median_and_spread(chains)}


def _timed(write: Callable[[Any], object], group: Any) -> float:
    start_s = perf_counter()
    write(group)
    return perf_counter() - start_s
