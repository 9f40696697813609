"""A run of many storms: one digest, one line for each failure, and the states that were never met."""

from __future__ import annotations

import gc
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sims.storm.errors import StormOptionError
from sims.storm.mutants import MUTANTS, Killed, hunt
from sims.storm.options import draw_options
from sims.storm.seed import Outcome, run_seed
from sims.storm.sometimes import SEEDS, missed

COLLECT_EVERY = 20  # seeds: what a storm leaves in cycles is a few MB
CHUNK = 4  # seeds a process takes at once

Sight = Callable[[int, int], None]


@dataclass(slots=True)
class Summary:
    """What a run of seeds came to."""

    seeds: int = 0
    cards: int = 0
    crashes: int = 0
    moves: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    failures: list[Outcome] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    killed: list[Killed] = field(default_factory=list)
    digest: str = ""
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Say whether no law was broken, no state was missed and every mutant died."""
        return not (self.failures or self.missed or any(not one.law for one in self.killed))

    def report(self) -> dict[str, Any]:
        """Give the run for programs."""
        return {
            "seeds": self.seeds,
            "violations": len(self.failures),
            "digest": self.digest,
            "mutants_killed": sum(bool(one.law) for one in self.killed),
            "mutants": len(self.killed),
            "cards": self.cards,
            "crashes": self.crashes,
            "moves": self.moves,
            "missed": self.missed,
            "failures": [{"seed": one.seed, "law": one.law, "what": one.what} for one in self.failures],
            "killed": [{"mutant": one.name, "seed": one.seed, "law": one.law} for one in self.killed],
            "seen": dict(sorted(self.seen.items())),
            "took_s": round(self.took_s, 1),
        }


def read_seeds(text: str) -> range:
    """Give the seeds of `A:B`, which leaves B out.  Raises: StormOptionError."""
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise StormOptionError("--seeds is like 0:1000, which leaves 1000 out")
    return range(int(first), int(last))


def run_storms(seeds: range, jobs: int, sight: Sight = lambda done, failed: None) -> Summary:
    """Run every seed, in `jobs` processes; the summary does not depend on how many."""
    summary, whole, began_s = Summary(), blake2b(digest_size=32), time.perf_counter()
    for outcome in _outcomes(seeds, jobs):
        summary.seeds += 1
        summary.cards += outcome.cards
        summary.crashes += outcome.crashes
        summary.moves += outcome.moves
        summary.seen.update(outcome.seen)
        whole.update(f"{outcome.seed} {outcome.head} {outcome.law}\n".encode())
        if outcome.law:
            summary.failures.append(outcome)
        sight(summary.seeds, len(summary.failures))
    if summary.seeds >= SEEDS:
        summary.missed = missed(summary.seen)
    summary.digest, summary.took_s = whole.hexdigest(), time.perf_counter() - began_s
    return summary


def _outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(_one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(_one, seeds, chunksize=CHUNK)


def _one(seed: int) -> Outcome:
    """Run one seed without the collector, which would look at millions of objects that live on."""
    gc.disable()
    outcome = run_seed(seed)
    if seed % COLLECT_EVERY == 0:
        gc.collect()
        gc.freeze()
    return outcome


def hunt_mutants(names: list[str], seeds: range, jobs: int) -> list[Killed]:
    """Let each mutant meet seeds until one kills it."""
    tasks = [(name, seeds) for name in names]
    if jobs == 1:
        return [hunt(name, some) for name, some in tasks]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return pool.starmap(hunt, tasks, chunksize=1)


# ---- the command ------------------------------------------------------------------------------------------------


def run_command(seeds: str, json_path: str, mutant: str, jobs: int) -> int:
    """Do what `cardmill-sim storm` says; give its exit code.  Raises: StormOptionError."""
    some, console = read_seeds(seeds), Console(stderr=True)
    if json_path not in ("", "-") and (Path(json_path).is_dir() or not Path(json_path).absolute().parent.is_dir()):
        raise StormOptionError(f"--json {json_path}: wanted is a file in a folder that is there; make the folder first")
    if mutant:
        names = sorted(MUTANTS) if mutant == "all" else [mutant]
        if unknown := [name for name in names if name not in MUTANTS]:
            raise StormOptionError(f"there is no mutant {unknown[0]}; there are: all, {', '.join(sorted(MUTANTS))}")
        summary = Summary(killed=hunt_mutants(names, some, jobs))
        console.print(_mutants_table(summary.killed))
    else:
        summary = _watched(some, jobs, console)
        _print_summary(summary, console)
    if json_path:
        text = json.dumps(summary.report(), indent=1, ensure_ascii=False) + "\n"
        if json_path == "-":
            sys.stdout.write(text)
        else:
            Path(json_path).write_text(text, "utf-8")
    return 0 if summary.is_good else 1


def _watched(seeds: range, jobs: int, console: Console) -> Summary:
    """Run the seeds under a line that says how far they are, where somebody looks."""
    status = console.status("") if console.is_terminal else nullcontext()
    with status as line:

        def sight(done: int, failed: int) -> None:
            if line is not None:
                line.update(f"{done:,} of {len(seeds):,} seeds, {failed} broke a law")

        return run_storms(seeds, jobs, sight)


def _print_summary(summary: Summary, console: Console) -> None:
    for one in summary.failures:
        console.print(f"seed {one.seed}: {one.what}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"  {draw_options(one.seed).told()}", markup=False, highlight=False, soft_wrap=True)
        for move in one.last_moves:
            console.print(f"  {move}", markup=False, highlight=False, soft_wrap=True)
    table = Table("what happened", "times", title=f"{summary.seeds:,} storms in {summary.took_s:,.0f} s")
    for row in (("cards", summary.cards), ("crashes", summary.crashes), ("moves", summary.moves)):
        table.add_row(row[0], f"{row[1]:,}")
    for what, times in sorted(summary.seen.items()):
        table.add_row(what, f"{times:,}")
    console.print(table)
    for state in summary.missed:
        console.print(f"never met: {state}")
    console.print(f"{len(summary.failures)} seeds broke a law; digest {summary.digest}", highlight=False)


def _mutants_table(killed: list[Killed]) -> Table:
    table = Table("mutant", "killed by seed", "law", "what it does", title="mutants")
    for one in killed:
        table.add_row(one.name, str(one.seed) if one.law else "survived", one.law, MUTANTS[one.name].what)
    return table
