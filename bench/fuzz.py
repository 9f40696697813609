"""Does any decoder break or stall on a million mutated frames, in one process?

Frames are good bytes mutated from a seed; bytes that make a decoder do something new are kept and mutated again.  A
frame may be read, or refused with an error of its decoder's family; anything else is unhandled.  A call is slow when
its thread spends over 100 ms of processor time in it, of an archive more for each MiB and row that it holds: what else
the machine does is not the decoder's.  With `--socket-frames` a real service hears mutated frames at its three doors,
and its one counter of refused frames must show exactly those that are no message.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench.fuzz_doors import fuzz_doors
from bench.fuzz_targets import Target, targets
from bench.result import Options, machine, show, whole_number, write_json

SHORT_ARGS: list[str] = ["--frames", "20000", "--socket-frames", "600"]
LONG_ARGS: list[str] = ["--frames", "1000000", "--socket-frames", "30000"]
MOST_S = 0.1
KEPT_MAX = 400  # seeds of one target
KEPT_BELOW_S = 0.01  # what takes longer would make all that comes of it slow
EXAMPLES_MAX = 20


class Counted:
    """The one counter of all frames: by target and outcome; with the slowest call of each target."""

    def __init__(self) -> None:
        self.frames: Counter[tuple[str, str]] = Counter()
        self.codes: Counter[tuple[str, str]] = Counter()  # of refusals, by target
        self.slowest_s: defaultdict[str, float] = defaultdict(float)
        self.examples: list[str] = []

    def note(self, target: Target, outcome: str, kind: Hashable, spent_s: float, frame: bytes) -> None:
        """Count one frame; of one that is unhandled or slow, keep how it begins."""
        self.frames[target.name, outcome] += 1
        if outcome == "refused" and isinstance(kind, tuple):
            self.codes[target.name, str(kind[1]) or str(kind[0])] += 1
        self.slowest_s[target.name] = max(self.slowest_s[target.name], spent_s)
        is_slow = spent_s > MOST_S and (target.allows_s is None or spent_s > target.allows_s(frame))
        self.frames[target.name, "slow"] += is_slow
        if (is_slow or outcome not in ("read", "refused")) and len(self.examples) < EXAMPLES_MAX:
            self.examples.append(
                f"{target.name} {outcome} {spent_s * 1e3:.0f} ms {len(frame)} bytes {frame[:60].hex()}"
            )

    def sum_of(self, *outcomes: str) -> int:
        """Give how many frames ended so, of all targets."""
        return sum(count for (_, outcome), count in self.frames.items() if outcome in outcomes)

    @property
    def unhandled(self) -> int:
        """Give how many frames ended in an error that is no answer."""
        return self.frames.total() - self.sum_of("read", "refused", "slow")


def main(argv: Sequence[str]) -> int:
    """Fuzz every decoder; exit code 1 when a frame was unhandled or slow."""
    options = Options("fuzz", "Mutated frames against every decoder that reads what others wrote.")
    options.add_argument("--frames", type=whole_number(100, 10**9), default=100_000, help="in all (100,000)")
    options.add_argument("--seed", type=whole_number(0, 2**32), default=1, help="of all mutations (1)")
    doors = "to a real service too, whose counter must agree (0)"
    options.add_argument("--socket-frames", type=whole_number(0, 10**7), default=0, help=doors)
    chosen = options.parse_args(argv)
    with TemporaryDirectory() as folder:
        found = targets(Path(folder))
        counted = Counted()
        began_s = time.perf_counter()
        for target in found:
            frames = chosen.frames * target.share // sum(one.share for one in found) + 1
            print(f"fuzz: {target.name}, {frames:,} frames …", file=sys.stderr, flush=True)
            fuzz(target, frames, chosen.seed, counted)
        wall_s = time.perf_counter() - began_s
    for example in counted.examples:
        print(f"fuzz: {example}", file=sys.stderr)
    result = result_of(counted, found, wall_s)
    if chosen.socket_frames:
        result["doors"] = fuzz_doors(chosen.socket_frames, chosen.seed)
    show(f"{result['frames']:,} mutated frames", COLUMNS, rows_of(result), chosen.json)
    agrees = result.get("doors", {}).get("agree", 1)
    return write_json(result, chosen.json) or int(bool(result["unhandled"] or result["slow"] or not agrees))


def fuzz(target: Target, frames: int, seed: int, counted: Counted) -> None:
    """Give a target so many mutated frames."""
    rng = Random(f"{target.name} {seed}")
    kept: list[bytes] = list(target.seeds)
    seen: set[Hashable] = set()
    gc.collect()
    for _ in range(frames):
        frame = target.mutate(kept, rng)
        outcome, kind, spent_s = attempt(target, frame)
        counted.note(target, outcome, kind, spent_s, frame)
        if kind not in seen and len(kept) < KEPT_MAX and spent_s < KEPT_BELOW_S:
            seen.add(kind)
            kept.append(frame)


def attempt(target: Target, frame: bytes) -> tuple[str, Hashable, float]:
    """Let a target read a frame: read, refused or the name of an error, what kind of outcome it is, and CPU seconds."""
    began_s = time.thread_time()
    try:
        kind = target.call(frame)
        outcome = "read"
    except target.refuses as error:
        outcome, kind = "refused", (type(error).__name__, getattr(error, "code", ""), getattr(error, "path", ""))
    except Exception as error:  # noqa: BLE001  this is what is looked for
        outcome = type(error).__name__
        kind = outcome
    return outcome, kind, time.thread_time() - began_s


def result_of(counted: Counted, found: Sequence[Target], wall_s: float) -> dict[str, Any]:
    """Give the result: the sums, and each target's frames."""
    names = [target.name for target in found]
    frames = {
        name: {outcome: count for (of, outcome), count in sorted(counted.frames.items()) if of == name and count}
        | {"slowest_ms": counted.slowest_s[name] * 1e3}
        | {"codes": {code: count for (of, code), count in sorted(counted.codes.items()) if of == name}}
        for name in names
    }
    return {
        "bench": "fuzz",
        "machine": machine(),
        "frames": counted.frames.total() - counted.sum_of("slow"),
        "read": counted.sum_of("read"),
        "refused": counted.sum_of("refused"),
        "unhandled": counted.unhandled,
        "slow": counted.sum_of("slow"),
        "slowest_ms": max(counted.slowest_s.values()) * 1e3,
        "wall_s": wall_s,
        "targets": frames,
    }


NO_OUTCOMES = ("read", "refused", "slowest_ms", "slow", "codes")
COLUMNS = ("target", "read", "refused", "other", "slowest ms")


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row for each target, and the sums."""
    rows = []
    for name, found in result["targets"].items():
        other = sum(count for key, count in found.items() if key not in NO_OUTCOMES)
        rows.append(
            (
                name,
                *(f"{found.get(key, 0):,}" for key in ("read", "refused")),
                f"{other:,}",
                f"{found['slowest_ms']:.1f}",
            )
        )
    sums = (f"{result[key]:,}" for key in ("read", "refused", "unhandled"))
    rows.append(("all", *sums, f"{result['slowest_ms']:.1f}"))
    if doors := result.get("doors"):
        read, other = doors["sent"] - doors["sent_badly"], abs(doors["counted"] - doors["sent_badly"])
        rows.append(("at the doors", f"{read:,}", f"{doors['counted']:,}", f"{other:,}", ""))
    return rows
