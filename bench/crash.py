"""Is anything acknowledged lost, or anything made twice, when the service is killed or the power is cut?

Kills: the real service under load, with its stations and an upstream as real peers, is ended with SIGKILL at random
moments (at work, at its start, while it recovers) and started again; after each the ledger is compared with what
upstream and operators were answered, at the end with the matter on the floor too.  Power cuts: every write and sync of
the real ledger and vault is recorded under strace, and their files are rebuilt as a cut at a random moment leaves them.
`synchronous = FULL` must lose nothing; the same recording with NORMAL must, or the test could not see it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from shutil import which
from typing import Any

from bench.crash_centre import CentreFailed
from bench.crash_cuts import FULL, NORMAL, Cuts, cut_power
from bench.crash_kills import Killed, kill_often, print_progress
from bench.crash_trace import TraceError
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from devices.keys import LinkError

SHORT_ARGS: list[str] = ["--kills", "5", "--cuts", "300", "--turns", "200"]
LONG_ARGS: list[str] = ["--kills", "200", "--cuts", "10000"]

CUTS_A_RECORDING = 500
NORMAL_SHARE = 0.1  # as many cuts again of the setting that is not durable, at least NORMAL_LEAST
NORMAL_LEAST = 40
COLUMNS = ("figure", "value", "wanted")
ADDED_UP = ("kills", "acknowledged", "lost", "duplicates", "faults")


def main(argv: Sequence[str]) -> int:
    """Do both and print the figures; exit code 1 when something was lost, made twice or does not add up."""
    options = Options("crash", "Kill the real service under load, and cut the power of its ledger.")
    options.add_argument("--kills", type=whole_number(0, 100_000), default=20, help="of the service (20; 0: none)")
    options.add_argument("--cuts", type=whole_number(0, 1_000_000), default=1_000, help="of the power (1,000; 0: none)")
    options.add_argument("--turns", type=whole_number(20, 5_000), default=400, help="events a recording (400)")
    options.add_argument("--seed", type=whole_number(0, 2**31), default=1, help="of all that is drawn (1)")
    options.add_argument("--processes", type=whole_number(1, 64), default=2, help="that cut power (2)")
    options.add_argument("--cumulate", type=Path, metavar="FILE", help="add the kills to those of earlier runs there")
    chosen = options.parse_args(argv)
    if chosen.cuts and which("strace") is None:
        options.error("power cuts need strace: install it, or ask for --cuts 0")
    try:
        earlier = read_record(chosen.cumulate)
        full, normal = all_cuts(chosen.seed, chosen.cuts, chosen.turns, chosen.processes)
        tell = print_progress(chosen.kills)
        killed = kill_often(chosen.seed, chosen.kills, tell) if chosen.kills else Killed()
        result = result_of(killed, full, normal, earlier)
        if chosen.cumulate and chosen.kills:
            chosen.cumulate.write_text(json.dumps(result["cumulated"]) + "\n", "utf-8")
    except (CentreFailed, TraceError, RuntimeError, LinkError, OSError, ValueError) as error:
        print(f"python -m bench crash: {error}", file=sys.stderr)
        return 1
    show(f"Crashes: {killed.kills} kills, {full.cuts} power cuts", COLUMNS, rows_of(result), chosen.json)
    for sentence in result["examples"]:
        print(f"does not hold: {sentence}", file=sys.stderr)
    return write_json(result, chosen.json) or int(not is_good(result))


def all_cuts(seed: int, cuts: int, turns: int, processes: int) -> tuple[Cuts, Cuts]:
    """Cut the power of enough recordings, each with a seed of its own; give what FULL and what NORMAL showed."""
    if not cuts:
        return Cuts(), Cuts()
    normal_cuts = max(NORMAL_LEAST, round(cuts * NORMAL_SHARE))
    parts = [(FULL, size) for size in _parts(cuts)] + [(NORMAL, size) for size in _parts(normal_cuts)]
    found = {FULL: Cuts(), NORMAL: Cuts()}
    with ProcessPoolExecutor(processes) as pool:
        waiting = {
            pool.submit(cut_power, seed * 1_000 + number, turns, size, mode): mode
            for number, (mode, size) in enumerate(parts)
        }
        for number, done in enumerate(as_completed(waiting), 1):
            found[waiting[done]].add(done.result())
            print(f"\r{number} of {len(parts)} recordings cut", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found[FULL], found[NORMAL]


def result_of(killed: Killed, full: Cuts, normal: Cuts, earlier: Mapping[str, int]) -> dict[str, Any]:
    """Give the figures of one run, and those added up with earlier runs."""
    counts = {kind: killed.counts.get(kind, 0) for kind in ("lost", "duplicates", "faults")}
    restart_s, spread_s = median_and_spread(killed.restarts_s) if len(killed.restarts_s) > 1 else (0.0, 0.0)
    once = {"kills": killed.kills, "acknowledged": killed.acknowledged, **counts}
    cumulated = {name: earlier.get(name, 0) + once[name] for name in ADDED_UP}
    return {
        "bench": "crash",
        "machine": machine(),
        **once,
        "kills_cumulated": cumulated["kills"],
        "cumulated": cumulated,
        "killed": dict(killed.by_phase),
        "power_cuts_of_stations": killed.power_cuts_of_stations,
        "cards": killed.cards,
        "dispatched": killed.dispatched,
        "moves": killed.moves,
        "audits": killed.audits,
        "s_per_kill": killed.kills_s / killed.kills if killed.kills else 0.0,
        "restart_s": restart_s,
        "restart_most_s": max(killed.restarts_s, default=0.0),
        "kills_wall_s": killed.wall_s,
        "power_cuts": full.cuts,
        "power_cut_lost": full.lost,
        "power_cut_checkpoints": full.checkpoints,
        "normal_cuts": normal.cuts,
        "normal_lost": normal.lost,
        "spread": {"restart_s": spread_s},
        "examples": [one for kind in killed.found.values() for one in kind] + full.examples,
    }


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether nothing was lost, doubled or wrong, and the test can see a loss."""
    wrong = sum(result[name] for name in ("lost", "duplicates", "faults", "power_cut_lost"))
    blind = result["power_cuts"] and not (result["normal_lost"] and result["power_cut_checkpoints"])
    return not wrong and not blind and not (result["kills"] and not result["dispatched"])


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The table's rows."""
    return [
        ("kills", f"{result['kills']:,}", ""),
        *((f"kills, {phase}", f"{count:,}", "") for phase, count in result["killed"].items()),
        ("kills, all runs", f"{result['kills_cumulated']:,}", ""),
        ("things acknowledged", f"{result['acknowledged']:,}", ""),
        ("lost", str(result["lost"]), "0"),
        ("duplicates", str(result["duplicates"]), "0"),
        ("sums that do not hold", str(result["faults"]), "0"),
        ("cards received, dispatched", f"{result['cards']:,}, {result['dispatched']:,}", ""),
        ("seconds a kill", f"{result['s_per_kill']:.2f}", ""),
        ("restart, median s (most)", f"{result['restart_s']:.2f} ({result['restart_most_s']:.2f})", ""),
        ("power cuts", f"{result['power_cuts']:,}", ""),
        ("power cuts that lost, FULL", str(result["power_cut_lost"]), "0"),
        ("power cuts that lost, NORMAL", f"{result['normal_lost']:,} of {result['normal_cuts']:,}", "> 0"),
    ]


def read_record(file: Path | None) -> dict[str, int]:
    """Give the sums of earlier runs; none where there is no file.  Raises: ValueError, OSError: it is no such file."""
    if file is None or not file.exists():
        return {}
    kept = json.loads(file.read_text("utf-8"))
    if not isinstance(kept, dict) or not all(type(kept.get(name)) is int for name in ADDED_UP):
        raise ValueError(f"{file} does not hold the sums of earlier runs: name another file")
    return {name: kept[name] for name in ADDED_UP}


def _parts(cuts: int) -> list[int]:
    """Share cuts out over recordings: at least two, so that more than one process has work."""
    count = max(2, -(-cuts // CUTS_A_RECORDING))
    return [cuts // count + (number < cuts % count) for number in range(count)]
