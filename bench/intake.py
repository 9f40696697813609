"""How fast does intake take applications to a durable receipt, and how near is that to the floor of the job?

5,000 good applications with portraits of 17 KB, in 20 batches, over CURVE to the real service on two processors: the
reference client sends its window of chunks without waiting for verdicts, and the time ends when the receipts of all
batches are durable.  Portrait encoding is left out by giving the service encoders that never end a job; making the
applications is left out too.  Stalls are those of the service's loop, of a rhythm of 5 ms that does not wait for it.

The floor, in the same run and one after another in one thread: the same JPEGs decoded by simplejpeg in the colour and
scale our own check uses, the same chunks over raw pyzmq with CURVE, and every row that the service stored inserted by
raw sqlite3.  It is done several times; what is told is the round whose ratio is in the middle, with the ratios of all.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

import bench
from bench.batches import Batch
from bench.intake_floor import curve_s, decode_s, rows_s
from bench.intake_load import BATCHES, Brought, batches_of, bring
from bench.result import Options, machine, show, whole_number, write_json
from sims.demo.folder import DemoFolder

SHORT_ARGS: list[str] = ["--n", "600", "--rounds", "1"]
LONG_ARGS: list[str] = ["--n", "5000", "--rounds", "9"]
PROCESSORS = 2
MOST_OVER_FLOOR, MOST_STALL_MS, MOST_GROWTH_MIB = 1.6, 20.0, 16.0
JUDGED_FROM = 5_000  # with fewer, the start and the last verdicts weigh too much
READY_WITHIN_S, STOP_WITHIN_S = 180.0, 60.0
MIB = 1 << 20


def main(argv: Sequence[str]) -> int:
    """Measure, print the table; exit code 1 when something is worse than wanted."""
    options = Options("intake", "Intake over CURVE to the durable receipt, beside the floor of the job.")
    options.add_argument("--n", type=whole_number(BATCHES, 100_000), default=5_000, help="applications (5,000)")
    options.add_argument("--rounds", type=whole_number(1, 99), default=5, help="each with a service of its own (5)")
    options.add_argument("--folder", type=Path, help="where the data folder is made: on the disk to be measured")
    chosen = options.parse_args(argv)
    _keep_to_two_processors()
    load = round(os.getloadavg()[0], 2)  # what else the machine has to do: the ratio means little above 0.5
    _say(f"making {chosen.n:,} applications")
    batches = batches_of(chosen.n)
    rounds = []
    for number in range(1, chosen.rounds + 1):
        _say(f"round {number} of {chosen.rounds}")
        rounds.append(_round(batches, chosen.n, chosen.folder))
    result = {"bench": "intake", "machine": machine() | {"load": load}, **middle_of(rounds)}
    show(f"Intake of {chosen.n:,} applications", ("figure", "value", "wanted"), rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def middle_of(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give all figures of the round whose wall over floor is in the middle, and that of every round."""
    ratios = [one["wall_over_floor"] for one in rounds]
    middle = rounds[ratios.index(statistics.median_low(ratios))]
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return middle | {"rounds": {"wall_over_floor": ratios}, "spread": {"wall_over_floor": high - low}}


def _round(batches: Sequence[Batch], count: int, where: Path | None) -> dict[str, Any]:
    """Bring the batches to a fresh service, then do the floor of the job; give the figures."""
    with TemporaryDirectory(dir=where) as place:
        root = Path(place) / "centre"
        root.mkdir()
        folder = DemoFolder(root)
        folder.prepare([], 1.0)
        brought, beats = measure(folder, batches)
        cpu_s = time.process_time()
        floor = {"decode_s": decode_s(batches), "curve_s": curve_s(batches), "rows_s": rows_s(folder.data, Path(place))}
        floor["cpu_s"] = time.process_time() - cpu_s
    return figures(brought, beats, floor, count)


def measure(folder: DemoFolder, batches: Sequence[Batch]) -> tuple[Brought, list[float]]:
    """Bring the batches to a service of this folder; give how that went, and how late its beats were meanwhile, in s.

    Raises: RuntimeError: the service did not start, or did not stop as told.
    """
    beats_file = folder.root / "beats.json"
    command = [sys.executable, "-m", "bench.intake_service", str(folder.config), str(beats_file)]
    with folder.log("service").open("wb") as log:
        service = subprocess.Popen(command, cwd=Path(bench.__path__[0]).parent, stdout=log, stderr=log, process_group=0)
    try:
        _wait_ready(folder, service)
        brought = bring(folder, batches, psutil.Process(service.pid))
        service.send_signal(signal.SIGTERM)
        if service.wait(STOP_WITHIN_S):
            raise RuntimeError(f"the service stopped with {service.returncode}: see {folder.log('service').name}")
    finally:
        if service.poll() is None:
            service.kill()
            service.wait()
    beats = json.loads(beats_file.read_text("ascii"))
    return brought, [late_s for due_s, late_s in beats if brought.began_s <= due_s <= brought.ended_s]


def figures(brought: Brought, beats: Sequence[float], floor: dict[str, float], count: int) -> dict[str, Any]:
    """Give the result's figures; `beats` are the seconds by which each was late."""
    floor_s = floor["decode_s"] + floor["curve_s"] + floor["rows_s"]
    rss = rss_after_batches(brought)
    return {
        "n": count,
        "accepted": brought.accepted,
        "wall_s": brought.wall_s,
        "records_per_s": count / brought.wall_s,
        "cpu_ms_per_record": brought.cpu_s / count * 1e3,
        "stall_p99_ms": percentile(beats, 99) * 1e3,
        "stall_max_ms": max(beats) * 1e3,
        "rss_peak_mib": max(size for _, size in brought.rss_bytes) / MIB,
        "rss_growth_mib": statistics.mean(rss[-5:]) - statistics.mean(rss[-10:-5]),
        "rss_mib": rss,
        "chunk_ms": {"median": statistics.median(brought.chunk_s) * 1e3, "p99": percentile(brought.chunk_s, 99) * 1e3},
        "floor": floor | {"wall_s": floor_s},
        "wall_over_floor": brought.wall_s / floor_s,
        "cpu_over_floor": (brought.cpu_s + brought.client_cpu_s) / floor["cpu_s"],
    }


def rss_after_batches(brought: Brought) -> list[float]:
    """Give the service's memory in MiB as each twentieth of the chunks was stored: the largest since the last."""
    ends = brought.chunk_ended_s
    marks = [brought.began_s, *(ends[(number + 1) * len(ends) // BATCHES - 1] for number in range(BATCHES))]
    found = []
    for begin_s, end_s in pairwise(marks):
        some = [size for at_s, size in brought.rss_bytes if begin_s <= at_s <= end_s]
        nearest = min(brought.rss_bytes, key=lambda one: abs(one[0] - end_s))[1]
        found.append(max(some, default=nearest) / MIB)
    return found


def percentile(values: Sequence[float], percent: int) -> float:
    """Give the value that so many percent do not exceed; at least one value."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def is_good(result: dict[str, Any]) -> bool:
    """Say whether everything was accepted, and all is as wanted where the run is long enough to say it."""
    if result["accepted"] != result["n"] or result["n"] < JUDGED_FROM:
        return bool(result["accepted"] == result["n"])
    return bool(
        result["wall_over_floor"] <= MOST_OVER_FLOOR
        and result["stall_p99_ms"] <= MOST_STALL_MS
        and result["rss_growth_mib"] <= MOST_GROWTH_MIB
    )


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    floor, chunk = result["floor"], result["chunk_ms"]
    parts = f"{floor['decode_s']:.2f} / {floor['curve_s']:.2f} / {floor['rows_s']:.2f}"
    growth = f"{result['rss_growth_mib']:.1f}"
    ratios = result["rounds"]["wall_over_floor"]
    return [
        ("accepted, receipts read", f"{result['accepted']:,}", f"{result['n']:,}"),
        ("records/s", f"{result['records_per_s']:,.0f}", ""),
        ("service CPU, ms a record", f"{result['cpu_ms_per_record']:.2f}", ""),
        ("chunk to its answer, ms, median / p99", f"{chunk['median']:.0f} / {chunk['p99']:.0f}", ""),
        ("loop stall p99, ms", f"{result['stall_p99_ms']:.1f}", f"<= {MOST_STALL_MS:.0f}"),
        ("loop stall, longest, ms", f"{result['stall_max_ms']:.0f}", ""),
        ("memory peak, MiB", f"{result['rss_peak_mib']:.0f}", ""),
        ("memory, batches 16-20 over 11-15, MiB", growth, f"<= {MOST_GROWTH_MIB:.0f}"),
        ("floor: decode / CURVE / rows, s", parts, ""),
        ("wall / floor, s", f"{result['wall_s']:.2f} / {floor['wall_s']:.2f}", ""),
        ("CPU, service and client over floor", f"{result['cpu_over_floor']:.2f}", ""),
        ("wall over floor, the middle round", f"{result['wall_over_floor']:.2f}", f"<= {MOST_OVER_FLOOR}"),
        ("wall over floor, least / most", f"{min(ratios):.2f} / {max(ratios):.2f}", ""),
    ]


def _keep_to_two_processors() -> None:
    """Leave this process and what it starts two processors, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])


def _wait_ready(folder: DemoFolder, service: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    while not folder.endpoints_file.exists():
        if service.poll() is not None or time.monotonic() > until_s:
            said = folder.log("service").read_text("utf-8", errors="replace")[-2_000:]
            raise RuntimeError(f"the service is not ready:\n{said}")
        time.sleep(0.02)


def _say(what: str) -> None:
    print(f"intake: {what} …", file=sys.stderr, flush=True)
