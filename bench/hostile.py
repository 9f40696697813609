"""How much longer does a good upstream wait for its answer while others attack the same service?

One service on loopback, started for this.  For each attack (`bench.hostile_attacks`) windows without and with it, by
turns: the good upstream asks for its receipts again and again, one question after the other, and each answer is timed.
The attacker is another process on the same machine, so what it takes of the processors is in the figures too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

import bench
from bench.hostile_attacks import ATTACKS
from bench.hostile_place import Place
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from controller.client import UpstreamClient
from sims.conformance.service import OTHER_NAME, OwnService, own_service
from sims.demo.folder import KEEPERS, UPSTREAM_NAME

SHORT_ARGS: list[str] = ["--pairs", "1", "--window-ms", "500"]
LONG_ARGS: list[str] = ["--pairs", "6", "--window-ms", "3000"]

STATION_NAME = "liar"
WORST = 2.0  # times the median without the attack
JUDGED_FROM_PAIRS = 3  # with fewer the machine's other work decides
ATTACKER_WITHIN_S = 300.0
COLUMNS = ("attack", "median ms", "with", "x", "p95 ms", "with", "x")


def main(argv: Sequence[str]) -> int:
    """Attack by turns and print the figures; exit code 1 when an attack got through, or a median more than doubled."""
    options = Options("hostile", "A good peer's answers with and without each attack, in pairs.")
    options.add_argument("--pairs", type=whole_number(1, 100), default=3, help="windows without and with (3)")
    options.add_argument("--window-ms", type=whole_number(100, 60_000), default=2_000, help="of each (2,000)")
    options.add_argument("--only", choices=sorted(ATTACKS), action="append", help="one attack, or several")
    chosen = options.parse_args(argv)
    rows = {}
    with own_service([STATION_NAME]) as service:
        place = place_of(service)
        process = _service_process(service)
        for name in [one for one in ATTACKS if one in (chosen.only or ATTACKS)]:
            rows[name] = _row(service, place, name, chosen.pairs, chosen.window_ms / 1_000, process)
            print(f"{name}: done", file=sys.stderr, flush=True)
    result = {
        "bench": "hostile",
        "machine": machine(),
        "pairs": chosen.pairs,
        "attacks": {name: row["figures"] for name, row in rows.items()},
        "spread": {"attacks": {name: row["spread"] for name, row in rows.items()}},
    }
    title = f"A good peer's answers, {chosen.pairs} pairs of {chosen.window_ms} ms an attack"
    show(title, COLUMNS, [_shown(name, row["figures"]) for name, row in rows.items()], chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def place_of(service: OwnService) -> Place:
    """Give the service's doors, and the keys that the attacker got hold of."""
    home = service.home
    metrics = json.loads(home.endpoints_file.read_text("utf-8"))["metrics"]
    peers = (("upstream", UPSTREAM_NAME), ("upstream", OTHER_NAME), ("station", STATION_NAME), ("operator", KEEPERS[0]))
    secrets = [str(home.peers / role / f"{name}.secret") for role, name in peers]
    return Place({**home.endpoints, "metrics": metrics}, str(home.server_public), *secrets)


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether every attack was stopped, and where there are enough pairs whether no median more than doubled."""
    rows = result["attacks"].values()
    slow = result["pairs"] >= JUDGED_FROM_PAIRS and any(one["median_ratio"] > WORST for one in rows)
    return not slow and not any(one["got_through"] for one in rows)


def _row(
    service: OwnService, place: Place, name: str, pairs: int, window_s: float, process: psutil.Process
) -> dict[str, Any]:
    without, during, ratios, rounds, got_through = [], [], [], 0, 0
    before_bytes = process.memory_info().rss
    with good_peer(service, place) as peer:
        for _ in range(pairs):
            quiet = answer_times(peer, window_s)
            with attacker(place, name) as attack:
                loud = answer_times(peer, window_s)
            said = json.loads(attack.said)
            rounds, got_through = rounds + said["rounds"], got_through + bool(said["got_through"])
            if said["got_through"]:
                print(f"{name}: {said['got_through']}", file=sys.stderr, flush=True)
            without += quiet
            during += loud
            ratios.append(statistics.median(loud) / statistics.median(quiet))
    grown = max(0, process.memory_info().rss - before_bytes)
    figures = figures_of(without, during) | {"rounds": rounds, "got_through": got_through, "grown_bytes": grown}
    spread = median_and_spread(ratios)[1] if len(ratios) > 1 else 0.0
    return {"figures": figures, "spread": {"median_ratio": spread}}


def figures_of(without: Sequence[float], during: Sequence[float]) -> dict[str, float]:
    """Give median and 95th percentile in ms of answers without and during an attack, and how many times longer."""
    found: dict[str, float] = {"answers_without": len(without), "answers_during": len(during)}
    for what, place in (("median", 9), ("p95", 18)):
        quiet, loud = (1_000 * statistics.quantiles(one, n=20, method="inclusive")[place] for one in (without, during))
        found |= {f"{what}_without_ms": quiet, f"{what}_during_ms": loud, f"{what}_ratio": loud / quiet}
    return found


def answer_times(peer: UpstreamClient, window_s: float) -> list[float]:
    """Give the seconds of each answer in a window, of which there are at least two."""
    until_s = time.perf_counter() + window_s
    taken: list[float] = []
    while len(taken) < 2 or time.perf_counter() < until_s:
        started_s = time.perf_counter()
        peer.receipts(0)
        taken.append(time.perf_counter() - started_s)
    return taken


@contextmanager
def good_peer(service: OwnService, place: Place) -> Iterator[UpstreamClient]:
    """Give an upstream that is connected and was answered."""
    with UpstreamClient.connect(
        service.home.endpoints["upstreams"], Path(place.server_public), Path(place.owner_secret)
    ) as peer:
        peer.hello()
        yield peer


class Attacker:
    """A process that attacks, and what it said at its end."""

    def __init__(self) -> None:
        self.said = ""


@contextmanager
def attacker(place: Place, name: str) -> Iterator[Attacker]:
    """Attack meanwhile; the last round is let to its end."""
    command = [sys.executable, "-m", "bench.hostile_attacker", name]
    end = Attacker()
    process = subprocess.Popen(
        command, cwd=Path(bench.__path__[0]).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(place.to_json() + "\n")
        process.stdin.flush()
        process.stdout.readline()
        yield end
        end.said, _ = process.communicate(timeout=ATTACKER_WITHIN_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _service_process(service: OwnService) -> psutil.Process:
    """Give the process that serves."""
    config = str(service.home.config)
    return next(one for one in psutil.Process().children() if config in one.cmdline())


def _shown(name: str, row: Mapping[str, float]) -> tuple[str, ...]:
    times = [
        text
        for what in ("median", "p95")
        for text in (
            f"{row[f'{what}_without_ms']:.2f}",
            f"{row[f'{what}_during_ms']:.2f}",
            f"{row[f'{what}_ratio']:.2f}",
        )
    ]
    return name, *times
