"""What a soak looks at again and again: memory, handles, threads, tasks, files, and what a card and an answer cost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.pipeline import TICKS_PER_S, samples
from bench.result import quantile
from bench.soak_centre import People, SoakCentre
from bench.soak_slopes import Point
from devices.defects import Step

MIB = 2**20
WAL_ENDING = "-wal"
DISK_CARDS = 1_000  # files grow by leaps: between so many cards a leap more or less does not matter
COUNTED = ("turn", "commit")  # histograms of the service, in seconds


@dataclass(slots=True)
class Series:
    """Every figure's points, life by life, without those of the time in which a process warms up."""

    lives: dict[str, list[list[Point]]] = field(default_factory=dict)

    def add(self, life: int, cards: float, values: dict[str, float]) -> None:
        """Take one sample of a life, counted from 0."""
        for name, value in values.items():
            rows = self.lives.setdefault(name, [])
            while len(rows) <= life:
                rows.append([])
            rows[life].append((cards, value))

    def values(self, name: str) -> list[float]:
        """Give all values of a figure."""
        return [value for life in self.lives.get(name, []) for _, value in life]


@dataclass(frozen=True, slots=True)
class Counts:
    """What only ever rises, at a moment."""

    at_s: float
    cards: float  # positions worked on, by the steps of the route
    disk_bytes: float
    cpu_s: float
    seconds: dict[str, float]  # by COUNTED
    events: dict[str, float]


class Probe:
    """Looks at a life of the service; the first look only gives what the next is compared with."""

    def __init__(self, centre: SoakCentre, people: People) -> None:
        self._centre, self._people = centre, people
        self._before: Counts | None = None
        self._disk_before: Counts | None = None

    def look(self) -> tuple[float, dict[str, float]]:
        """Give the cards made since the ledger began, and the figures."""
        began_s = time.perf_counter()
        page = self._centre.page()
        scrape_ms = (time.perf_counter() - began_s) * 1e3
        pid = self._centre.service_pid
        found = memory_of(pid) | {"scrape_ms": scrape_ms, "wal_mib": wal_bytes(self._centre.folder.data) / MIB}
        found["stations_mib"] = memory_of(self._centre.stations_pid)["memory_mib"]
        found |= {"handles": handles_of(pid), "threads": threads_of(pid)}
        [(_, _, found["tasks"])] = samples(page, "cardmill_tasks")
        found |= quantiles("question", self._people.asker.answers_s())
        chunks = self._people.feed.chunks_s
        found |= quantiles("chunk", [chunks.popleft() for _ in range(len(chunks))])
        now = counts_of(page, pid, self._centre.folder.data)
        if self._before:
            found |= rates(self._before, now)
        if self._disk_before is None or now.cards - self._disk_before.cards >= DISK_CARDS:
            found |= disk_rate(self._disk_before, now)
            self._disk_before = now
        self._before = now
        return now.cards, found


def counts_of(page: str, pid: int, data: Path) -> Counts:
    """Read what only ever rises."""
    steps = samples(page, "cardmill_positions_total")
    seconds, events = (
        {name: sum(value for _, _, value in samples(page, f"cardmill_{name}_seconds_{what}")) for name in COUNTED}
        for what in ("sum", "count")
    )
    times = stat_of(pid)
    disk_bytes = sum(size for name, size in _sizes(data) if not name.endswith(WAL_ENDING))
    cards = sum(value for _, _, value in steps) / len(Step)
    return Counts(time.monotonic(), cards, disk_bytes, (int(times[11]) + int(times[12])) / TICKS_PER_S, seconds, events)


def rates(before: Counts, now: Counts) -> dict[str, float]:
    """Give what a card and an event cost between two moments; nothing where there were none."""
    found = {}
    cards = now.cards - before.cards
    if cards > 0:
        found["cards_per_s"] = cards / (now.at_s - before.at_s)
        found["cpu_ms_per_card"] = 1e3 * (now.cpu_s - before.cpu_s) / cards
    for name in COUNTED:
        events = now.events[name] - before.events[name]
        if events > 0:
            found[f"{name}_ms"] = 1e3 * (now.seconds[name] - before.seconds[name]) / events
    return found


def disk_rate(before: Counts | None, now: Counts) -> dict[str, float]:
    """Give the bytes of disk that a card took between two moments."""
    if before is None or now.cards <= before.cards:
        return {}
    return {"disk_bytes_per_card": (now.disk_bytes - before.disk_bytes) / (now.cards - before.cards)}


def quantiles(name: str, taken_s: Sequence[float]) -> dict[str, float]:
    """Give median and 95th percentile in ms; nothing of fewer than two."""
    if len(taken_s) < 2:
        return {}
    return {f"{name}_p{percent}_ms": 1e3 * quantile(taken_s, percent / 100) for percent in (50, 95)}


def memory_of(pid: int) -> dict[str, float]:
    """Give MiB of a process: all that is in memory, its share of it, and what is its alone and no file's.

    The last is `memory_mib`: pages of files come and go with what else the machine does.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    kib = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    return {"rss_mib": kib["Rss"] / 1024, "pss_mib": kib["Pss"] / 1024, "memory_mib": kib["Anonymous"] / 1024}


def handles_of(pid: int) -> int:
    """Give the open files and sockets of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads_of(pid: int) -> int:
    """Give the threads of a process."""
    return int(stat_of(pid)[17])


def stat_of(pid: int) -> list[str]:
    """Give the fields of /proc/PID/stat after the name: the first is the state."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()


def wal_bytes(data: Path) -> float:
    """Give the bytes of the write-ahead logs of a data folder."""
    return sum(size for name, size in _sizes(data) if name.endswith(WAL_ENDING))


def _sizes(data: Path) -> Iterable[tuple[str, int]]:
    for path in data.iterdir():
        try:
            if path.is_file():
                yield path.name, path.stat().st_size
        except OSError:
            continue  # it went away meanwhile
