"""The agenda: errands of people at times, in their order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Errand = Callable[[float], None]


class Agenda:
    """What people set out to do; of errands at one time the first noted goes first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Errand]] = []
        self._order = count()

    def note(self, at_floor_s: float, errand: Errand) -> None:
        """Note an errand."""
        heapq.heappush(self._heap, (at_floor_s, next(self._order), errand))

    def next_floor_s(self) -> float:
        """Give when the next one is due, `inf` when there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def go(self) -> None:
        """Do the next one."""
        at_floor_s, _, errand = heapq.heappop(self._heap)
        errand(at_floor_s)
