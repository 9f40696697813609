"""Times and ratios counted in bins of equal width in logarithm: bounded, and the same whatever the order."""

from __future__ import annotations

from math import floor, log2

import msgspec

BINS_MAX = 512  # of one count: what lies further out is counted in the outermost


class Bins(msgspec.Struct):
    """Positive values in bins; bin `i` holds 2**(i / per_octave) up to 2**((i + 1) / per_octave)."""

    per_octave: int = 4
    counts: dict[int, int] = msgspec.field(default_factory=dict)
    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count one value; one of 0 or below counts as 0.001."""
        self.count += 1
        self.total += value
        place = floor(log2(max(value, 0.001)) * self.per_octave)
        place = max(-BINS_MAX // 2, min(BINS_MAX // 2 - 1, place))
        self.counts[place] = self.counts.get(place, 0) + 1

    def add_all(self, other: Bins) -> None:
        """Count what another one of the same width has counted."""
        self.count, self.total = self.count + other.count, self.total + other.total
        for place, count in other.counts.items():
            self.counts[place] = self.counts.get(place, 0) + count

    def mean(self) -> float:
        """Give the mean of what was counted, 0 before anything was."""
        return self.total / self.count if self.count else 0.0
