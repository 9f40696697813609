"""Does a batch get one and the same set of receipts, however its chunks are resent, reordered, cut and doubled?

Each seed brings one of a few base batches to the service's own wiring on a real ledger and vault, in process and
without sockets: chunks in any order, overlapping, several times, frames cut anywhere, answers nobody reads, and the
service ended at any await and recovered from its ledger.  Then it does what a client does until the batch is whole,
cancels what was accepted, also over restarts, and compares every receipt with those of the other seeds.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import structlog
import trio

from bench.intake_service import encoding_left_out
from bench.resend_bases import bases
from bench.resend_play import Played, play
from bench.result import Options, machine, show, whole_number, write_json

SHORT_ARGS: list[str] = ["--seeds", "20"]
LONG_ARGS: list[str] = ["--seeds", "1000"]
COUNTED = ("sends", "reorders", "cuts", "duplicates", "restarts")
EXAMPLES_MAX = 10
STRIDE = 10  # seeds between two lines of progress


@dataclass(slots=True)
class Sums:
    """The figures of all seeds so far; `sets`: base -> digests of the receipt sets it got."""

    seeds: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    violations: int = 0
    examples: list[str] = field(default_factory=list)
    sets: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, seed: int, played: Played) -> None:
        """Take what one seed did."""
        self.seeds += 1
        for name in COUNTED:
            self.counts[name] += getattr(played, name)
        self.violations += len(played.violations)
        self.examples += [f"seed {seed}, {played.base}: {one}" for one in played.violations]
        del self.examples[EXAMPLES_MAX:]
        self.sets[played.base].add(sha256(repr(played.receipts).encode()).hexdigest())

    @property
    def distinct_receipt_sets(self) -> int:
        """Give the most receipt sets that one base got: 1 when all seeds agree."""
        return max(map(len, self.sets.values()), default=0)


def main(argv: Sequence[str]) -> int:
    """Play all seeds; exit code 1 when a base got two sets of receipts or a promise was broken."""
    options = Options("resend", "Chunks resent, reordered, cut and doubled, over restarts: one set of receipts.")
    options.add_argument("--seeds", type=whole_number(1, 10**6), default=100, help="how many (100)")
    options.add_argument("--first", type=whole_number(0, 2**31), default=0, help="the first seed (0)")
    options.add_argument("--processes", type=whole_number(1, 64), default=2, help="that play seeds (2)")
    chosen = options.parse_args(argv)
    began_s, sums = perf_counter(), Sums()
    with TemporaryDirectory(prefix="cardmill-resend-") as folder:
        for seed, played in _all(range(chosen.first, chosen.first + chosen.seeds), chosen.processes, folder):
            sums.add(seed, played)
            if not sums.seeds % STRIDE:
                print(f"resend: {sums.seeds:,} of {chosen.seeds:,} seeds …", file=sys.stderr, flush=True)
    for example in sums.examples:
        print(f"does not hold: {example}", file=sys.stderr)
    result = result_of(sums, perf_counter() - began_s)
    show(f"{sums.seeds:,} seeds", ("figure", "value"), rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(bool(sums.violations) or sums.distinct_receipt_sets != 1)


def play_seed(seed: int, folder: str) -> tuple[int, Played]:
    """Play one seed in a fresh folder under `folder`; in a process of its own or not."""
    base = bases()[seed % len(bases())]
    with _quiet(), encoding_left_out(), TemporaryDirectory(dir=folder) as own:
        return seed, trio.run(partial(play, base, seed, Path(own)))


def result_of(sums: Sums, wall_s: float) -> dict[str, Any]:
    """Give the result."""
    return {
        "bench": "resend",
        "machine": machine(),
        "seeds": sums.seeds,
        **sums.counts,
        "bases": len(sums.sets),
        "distinct_receipt_sets": sums.distinct_receipt_sets,
        "violations": sums.violations,
        "wall_s": wall_s,
    }


def rows_of(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the rows of the table."""
    names = ("seeds", *COUNTED, "bases", "distinct_receipt_sets", "violations")
    return [(name, f"{result[name]:,}") for name in names] + [("wall_s", f"{result['wall_s']:.0f}")]


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing below `critical` be logged meanwhile: a centre that is cut down again and again says much."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _all(seeds: range, processes: int, folder: str) -> Iterator[tuple[int, Played]]:
    """Play seeds in processes, or here when one is enough."""
    if processes == 1:
        yield from map(play_seed, seeds, repeat(folder))
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(play_seed, seeds, repeat(folder))
