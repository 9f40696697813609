"""Does the portrait codec stand whatever it is given: any bytes to decode, any picture to encode?

A stream ends as a picture or as an error with a code, a picture as a stream of at most 1,024 bytes that shows something
again; anything else is a crash.  Some inputs are given to kernels that check each index (`NUMBA_BOUNDSCHECK`), in a
process with a cache of its own, for numba's cache does not know that flag.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Any

import numpy as np
from numba import config

from bench.portrait_fuzz_inputs import PICTURES, SHAPE, STREAMS, named, streams
from bench.result import Options, machine, show, whole_number, write_json
from encoders import portrait
from encoders.codec import coder

SHORT_ARGS: list[str] = ["--inputs", "400", "--checked", "40"]
LONG_ARGS: list[str] = ["--inputs", "100000", "--checked", "10000"]
SHARE = 250  # inputs a process is given at a time
EXAMPLES_MAX = 20
COLUMNS = ("way", "kind", "inputs", "fine", "refused", "bytes", ">1,024", "crashes", "max ms")


@dataclass(slots=True)
class Tally:
    """What became of inputs: counts by kind and outcome, the longest stream and the slowest call by kind."""

    counts: Counter[str] = field(default_factory=Counter)  # "kind/outcome"
    longest_bytes: Counter[str] = field(default_factory=Counter)
    slowest_ms: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, outcome: str, spent_s: float, number: int) -> None:
        """Count one input; of a bad one, keep what makes it again."""
        self.counts[f"{kind}/{outcome}"] += 1
        self.slowest_ms[kind] = max(self.slowest_ms.get(kind, 0.0), spent_s * 1e3)
        if outcome not in ("fine", "refused") and len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"{kind} {number}: {outcome}")

    def add(self, other: "Tally") -> None:
        """Add what another process counted."""
        self.counts.update(other.counts)
        for kind, size in other.longest_bytes.items():
            self.longest_bytes[kind] = max(self.longest_bytes[kind], size)
        for kind, spent_ms in other.slowest_ms.items():
            self.slowest_ms[kind] = max(self.slowest_ms.get(kind, 0.0), spent_ms)
        self.examples += other.examples[: EXAMPLES_MAX - len(self.examples)]

    def of(self, *outcomes: str) -> int:
        """How many inputs ended so."""
        return sum(count for key, count in self.counts.items() if key.partition("/")[2] in outcomes)

    @property
    def crashes(self) -> int:
        """How many ended in what is no answer."""
        return self.counts.total() - self.of("fine", "refused", "too long")


def main(argv: Sequence[str]) -> int:
    """Fuzz both ways; exit code 1 when something crashed or was too long."""
    options = Options("portrait-fuzz", "Random streams to decode and random pictures to encode.")
    options.add_argument("--inputs", type=whole_number(1, 10**8), default=400, help="each way (400)")
    options.add_argument("--encodes", type=whole_number(0, 10**8), help="pictures to encode, if not as many")
    options.add_argument("--checked", type=whole_number(0, 10**8), default=0, help="each way, each index checked (0)")
    options.add_argument("--processes", type=whole_number(1, 64), default=min(2, os.cpu_count() or 1), help="(2)")
    options.add_argument("--seed", type=whole_number(0, 2**32), default=1, help="of all inputs (1)")
    chosen = options.parse_args(argv)
    encodes = chosen.inputs if chosen.encodes is None else chosen.encodes
    found = fuzz(chosen.inputs, encodes, chosen.seed, chosen.processes)
    result: dict[str, Any] = {"bench": "portrait-fuzz", "machine": machine(), "seed": chosen.seed}
    result |= {way: figures(tally) for way, tally in found.items()} | {"bounds_checked": checks_bounds()}
    rows = [row for way in found for row in rows_of(way, result[way])]
    bad = sum(result[way]["crashes"] + result[way]["too_long"] for way in found)
    if chosen.checked:
        result["checked"] = checked(chosen.checked, min(encodes, chosen.checked), chosen.seed + 1, chosen.processes)
        rows += [row for way in found for row in rows_of(f"{way}, checked", result["checked"][way])]
        bad += sum(result["checked"][way]["crashes"] + result["checked"][way]["too_long"] for way in found)
    for way, tally in found.items():
        for example in tally.examples:
            print(f"portrait-fuzz --seed {chosen.seed}: {way} {example}", file=sys.stderr)
    show(f"{chosen.inputs:,} streams, {encodes:,} pictures", COLUMNS, rows, chosen.json)
    return write_json(result, chosen.json) or int(bool(bad))


# ---- one input ------------------------------------------------------------------------------------------------


def decode_one(tally: Tally, seed: int, number: int) -> None:
    """Decode one hostile stream."""
    make = STREAMS[number % len(STREAMS)]
    stream = make(np.random.default_rng((seed, 0, number)))
    began_s = thread_time()
    outcome = outcome_of(partial(portrait.decode, stream))
    tally.note(named(make), outcome, thread_time() - began_s, number)
    tally.longest_bytes[named(make)] = max(tally.longest_bytes[named(make)], len(stream))


def encode_one(tally: Tally, seed: int, number: int) -> None:
    """Encode one odd picture, and see that its stream fits and shows something."""
    make, stream = PICTURES[number % len(PICTURES)], b""
    pixels = make(np.random.default_rng((seed, 1, number)))
    began_s = thread_time()
    try:
        stream = portrait.encode(pixels)
        spent_s = thread_time() - began_s
        fits = len(stream) <= portrait.MAX_STREAM_BYTES
        outcome = outcome_of(partial(portrait.decode, stream)) if fits else "too long"
    except Exception as error:  # noqa: BLE001  this is what is looked for
        outcome, spent_s = type(error).__name__, thread_time() - began_s
    tally.note(named(make), "unreadable" if outcome == "refused" else outcome, spent_s, number)
    tally.longest_bytes[named(make)] = max(tally.longest_bytes[named(make)], len(stream))


def outcome_of(decode: Callable[[], Any]) -> str:
    """Whether decoding gives a picture (fine), a coded error (refused), or the name of something else."""
    try:
        shown = decode()
    except portrait.PortraitError as error:
        return "refused" if error.code.startswith("portrait.stream_") else error.code
    except Exception as error:  # noqa: BLE001  this is what is looked for
        return type(error).__name__
    return "fine" if shown.shape == SHAPE and shown.dtype == np.uint8 else "no picture"


WAYS = {"decode": decode_one, "encode": encode_one}


# ---- many -----------------------------------------------------------------------------------------------------


def some(way: str, seed: int, numbers: range) -> Tally:
    """Give the codec the inputs of some numbers, in this process."""
    tally = Tally()
    for number in numbers:
        WAYS[way](tally, seed, number)
    return tally


def fuzz(decodes: int, encodes: int, seed: int, processes: int) -> dict[str, Tally]:
    """Give the codec so many inputs each way, in several processes; one that dies is a crash."""
    portrait.warm_up()  # the other processes find the kernels in the cache
    found = {"decode": Tally(), "encode": Tally()}
    for way, count in (("decode", decodes), ("encode", encodes)):
        shares = [range(first, min(count, first + SHARE)) for first in range(0, count, SHARE)]
        try:
            with ProcessPoolExecutor(processes, get_context("spawn"), streams) as pool:
                for tally in pool.map(partial(some, way, seed), shares):
                    found[way].add(tally)
        except BrokenProcessPool:
            found[way].note("any", "process died", 0.0, found[way].counts.total())
    return found


def checks_bounds() -> bool:
    """Whether kernels of this process check each index; where they say so, one is tried.  Raises: RuntimeError."""
    if not config.BOUNDSCHECK:  # type: ignore[attr-defined]
        return False
    try:
        coder.code_bit(np.zeros(4, np.uint8), np.zeros(1, np.int64), 100, 0)  # its state is too short
    except IndexError:
        return True
    raise RuntimeError("kernels do not check their indices")


def checked(decodes: int, encodes: int, seed: int, processes: int) -> dict[str, Any]:
    """What a process whose kernels check each index finds.  Raises: RuntimeError: it did not, or gave no result."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "result.json")
        command = [sys.executable, "-m", "bench", "portrait-fuzz", "--inputs", str(decodes), "--encodes", str(encodes)]
        command += ["--seed", str(seed), "--processes", str(processes), "--json", str(file)]
        environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(Path(folder, "kernels"))}
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        sys.stderr.write(done.stderr)
        if not file.is_file():
            raise RuntimeError(f"the process with bounds checks ended with {done.returncode} and no result")
        result: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if not result["bounds_checked"]:
        raise RuntimeError("the process was to check bounds and did not")
    return {way: result[way] for way in WAYS}


# ---- what is told ---------------------------------------------------------------------------------------------


def figures(tally: Tally) -> dict[str, Any]:
    """A tally's figures for the result: the sums, and by kind."""
    kinds: dict[str, dict[str, Any]] = {}
    for kind, spent_ms in sorted(tally.slowest_ms.items()):
        one = Tally(Counter({key: count for key, count in tally.counts.items() if key.partition("/")[0] == kind}))
        kinds[kind] = sums_of(one) | {"longest_bytes": tally.longest_bytes[kind], "slowest_ms": round(spent_ms, 2)}
    slowest_ms = max(tally.slowest_ms.values(), default=0.0)
    return sums_of(tally) | {"slowest_ms": round(slowest_ms, 2), "kinds": kinds, "examples": tally.examples}


def sums_of(tally: Tally) -> dict[str, int]:
    """How many inputs there were, and how they ended."""
    fine, refused, too_long = tally.of("fine"), tally.of("refused"), tally.of("too long")
    shared = {"inputs": tally.counts.total(), "fine": fine, "refused": refused}
    return shared | {"too_long": too_long, "crashes": tally.crashes}


def rows_of(way: str, found: dict[str, Any]) -> list[list[str]]:
    """The rows of the table for one way."""
    rows = []
    for kind, one in found["kinds"].items():
        counts = [f"{one[key]:,}" for key in ("inputs", "fine", "refused", "longest_bytes", "too_long", "crashes")]
        rows.append([way, kind, *counts, f"{one['slowest_ms']:.1f}"])
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
