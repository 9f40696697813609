"""Rates the tally keeps: what the last hour brought, and how long a station's loads take by their size."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

DENIED = "denied"  # attempts at what was not theirs who tried
MINUTE_S, WINDOW_MINUTES = 60.0, 60  # what the last hour brought is kept by the minute


@dataclass(slots=True)
class LoadLine:
    """Sums over a station's answered loads, of size u (sheets; pack: cards) and time t: they give its settled pace.

    The pace is the least-squares line `t = a + b x u` with a and b not below 0: a press, whose cycle does not ask how
    many sheets are in it, gets b = 0; a packer, which goes card by card, a = 0.  When all loads had one size the line
    goes through the origin.
    """

    loads: int = 0
    units: int = 0
    took_s: float = 0.0
    unit_s: float = 0.0  # sum of u x t
    square: int = 0  # sum of u x u

    def take(self, units: int, took_s: float) -> None:
        """Count one load."""
        self.loads, self.units, self.took_s = self.loads + 1, self.units + units, self.took_s + took_s
        self.unit_s, self.square = self.unit_s + units * took_s, self.square + units * units

    def load_s(self, units: int) -> float:
        """Give the floor seconds a load of `units` takes; 0 before the first load."""
        if not self.units:
            return 0.0
        spread = self.loads * self.square - self.units * self.units
        if spread <= 0:
            return self.took_s / self.units * units
        slope = (self.loads * self.unit_s - self.units * self.took_s) / spread
        start = (self.took_s - slope * self.units) / self.loads
        if slope < 0:
            return self.took_s / self.loads
        return self.took_s / self.units * units if start < 0 else start + slope * units


@dataclass(slots=True)
class Window:
    """Counts of the last hour, by the minute: never more than `WINDOW_MINUTES` of them."""

    minutes: deque[tuple[int, Counter[str]]] = field(default_factory=deque)

    def add(self, at_floor_s: float, name: str, count: int) -> None:
        """Count something at a time that is not before the last one."""
        minute = int(at_floor_s // MINUTE_S)
        if not self.minutes or self.minutes[-1][0] < minute:
            self.minutes.append((minute, Counter()))
            while self.minutes[0][0] <= minute - WINDOW_MINUTES:
                self.minutes.popleft()
        self.minutes[-1][1][name] += count

    def first_floor_s(self, name: str, now_floor_s: float) -> float | None:
        """Give the first minute of the last hour in which something was counted, None when it was in none."""
        begin = int(now_floor_s // MINUTE_S) - WINDOW_MINUTES
        minutes = (minute for minute, counts in self.minutes if minute > begin and counts[name] > 0)
        return next((minute * MINUTE_S for minute in minutes), None)

    def sums(self, now_floor_s: float) -> Counter[str]:
        """Give the counts of the hour that ends with the minute of a time."""
        begin = int(now_floor_s // MINUTE_S) - WINDOW_MINUTES
        total: Counter[str] = Counter()
        for minute, counts in self.minutes:
            if minute > begin:
                total.update(counts)
        return total
