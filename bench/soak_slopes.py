"""Whether a series rises with the cards made: the Theil-Sen slope with its bounds, over the lives of a process."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BLOCKS_MAX = 12  # of a life: points close to each other are no proof of each other
Z = 2.326  # of one in a hundred
UNIT_CARDS = 10_000

Point = tuple[float, float]
"""Cards made since the ledger began, and a value."""


@dataclass(frozen=True, slots=True)
class Slope:
    """How much a value rises per UNIT_CARDS cards; `low` and `high` are passed by chance once in a hundred each."""

    middle: float
    low: float
    high: float
    level: float  # the median of the values
    span: float  # UNIT_CARDS of the longest life: over so many the value was watched
    points: int

    @property
    def grown(self) -> float:
        """Give by how much the value rose over the longest life."""
        return self.middle * self.span


def slope_of(lives: Sequence[Sequence[Point]]) -> Slope | None:
    """Give the median of the slopes between any two blocks of the same life; None with fewer than two blocks.

    A restart moves the level and is no slope, so blocks of two lives are never compared.  With too few blocks to be
    sure of anything the bounds are infinite.

    Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968), section 3: the bounds
    are order statistics of the pairwise slopes, as far from the middle as Kendall's S varies; the variances of lives
    add up, as those of seasons do in R. M. Hirsch et al., "Techniques of trend analysis" (1982).
    """
    blocked = [list(blocks_of(life)) for life in lives]
    slopes = sorted(slope for life in blocked for slope in _pairs(life))
    if not slopes:
        return None
    variance = sum(len(life) * (len(life) - 1) * (2 * len(life) + 5) / 18 for life in blocked)
    first = math.floor((len(slopes) - Z * math.sqrt(variance)) / 2)
    values = [value for life in blocked for _, value in life]
    return Slope(
        statistics.median(slopes),
        slopes[first] if first >= 0 else -math.inf,
        slopes[-1 - first] if first >= 0 else math.inf,
        statistics.median(values),
        max(life[-1][0] - life[0][0] for life in blocked if life) / UNIT_CARDS,
        len(values),
    )


def blocks_of(life: Sequence[Point], most: int = BLOCKS_MAX) -> Iterator[Point]:
    """Cut a life into blocks of as many points each, at most so many blocks; give the medians of each."""
    count = min(most, len(life))
    for number in range(count):
        block = life[number * len(life) // count : (number + 1) * len(life) // count]
        yield statistics.median(cards for cards, _ in block), statistics.median(value for _, value in block)


def _pairs(life: Sequence[Point]) -> Iterator[float]:
    for number, (cards, value) in enumerate(life):
        for later_cards, later in life[number + 1 :]:
            if later_cards > cards:
                yield (later - value) * UNIT_CARDS / (later_cards - cards)
