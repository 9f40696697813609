"""What may grow in a service that runs for years, and how much: the judge of a soak, with the reason of each bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.soak_slopes import Point, Slope, slope_of

TIMES_FROM_CARDS = 20_000  # with fewer the machine's other work decides about times
MIB_YEAR = "a year of a province is 450 times 10,000 cards"


@dataclass(frozen=True, slots=True)
class Limit:
    """Above what a slope is a leak: its lower bound is over `per_unit`, and it made at least `least` of a life."""

    unit: str
    per_unit: float  # per 10,000 cards; of the level where `is_share`
    least: float  # of the unit, or of the level
    why: str
    is_share: bool = False
    from_cards: int = 0

    def is_leak(self, slope: Slope, cards: float) -> bool:
        """Say whether a slope over so many cards is one."""
        scale = abs(slope.level) if self.is_share else 1.0
        steep = slope.low > self.per_unit * scale and math.isfinite(slope.low)
        return steep and slope.grown >= self.least * scale and cards >= self.from_cards


def _time(why: str, least: float = 0.5) -> Limit:
    return Limit("ms", 0.05, least, why, is_share=True, from_cards=TIMES_FROM_CARDS)


LIMITS: Mapping[str, Limit] = {
    "memory_mib": Limit("MiB", 2.0, 48.0, f"{MIB_YEAR}: more would need a restart within it"),
    "handles": Limit("", 1.0, 6.0, "a process may open 1,024; all that are open have an owner from the start on"),
    "threads": Limit("", 1.0, 4.0, "those of the worker pool come with load and go again"),
    "tasks": Limit("", 4.0, 32.0, "a task more or less for a load under way; a lost one stays"),
    "wal_mib": Limit("MiB", 8.0, 64.0, "each log is taken over at 16 MiB, and a reader can hold it for one page only"),
    "disk_bytes_per_card": Limit("B", 0.05, 0.25, "a card adds rows, and rewrites none of others", is_share=True),
    "cpu_ms_per_card": _time("the work of a card does not depend on how many were made before", 0.25),
    "turn_ms": _time("the foreman looks at what is open, never at what was"),
    "commit_ms": _time("a group's pages lie at the end of each table, and in the upper levels of its indexes"),
    "question_p50_ms": _time("what a good peer waits for an answer of one row"),
    "question_p95_ms": _time("the tail is other tasks of the loop, and these do not grow", 1.0),
    "chunk_p50_ms": _time("what an upstream waits until 40 applications are durable"),
    "chunk_p95_ms": _time("the tail is other tasks of the loop, and these do not grow", 1.0),
}
SHOWN = {"rss_mib": "MiB", "pss_mib": "MiB", "stations_mib": "MiB", "scrape_ms": "ms", "cards_per_s": ""}  # not judged


def judged(series: Mapping[str, Sequence[Sequence[Point]]], cards: float) -> dict[str, dict[str, Any]]:
    """Give the slope of each figure, by name, and whether it is a leak; `series` are its points, life by life."""
    found = {}
    for name in (*LIMITS, *SHOWN):
        slope = slope_of(series.get(name, []))
        if slope is None:
            continue
        limit = LIMITS.get(name)
        found[name] = {
            "level": slope.level,
            "per_10k_cards": slope.middle,
            "at_least": slope.low if math.isfinite(slope.low) else None,
            "at_most": slope.high if math.isfinite(slope.high) else None,
            "grown": slope.grown,
            "points": slope.points,
            "limit": limit and limit.per_unit * (abs(slope.level) if limit.is_share else 1.0),
            "is_leak": limit is not None and limit.is_leak(slope, cards),
        }
    return found
