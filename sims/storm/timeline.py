"""Simulated time on a bare heap: what is to happen, in order, as fast as it can be done."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

SCALE = 120.0  # floor seconds of one link second


class Timeline:
    """One clock for everything that is simulated; of two things at one time the first entered goes first."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.happened = 0
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._entered = 0

    @property
    def now_floor_s(self) -> float:
        """The floor's time."""
        return self.now_s * SCALE

    def after(self, delay_s: float, do: Callable[..., object], *args: Any) -> None:
        """Let something happen in so many link seconds."""
        self._entered += 1
        heapq.heappush(self._heap, (self.now_s + delay_s, self._entered, do, args))

    def close(self) -> None:
        """Forget what was still to happen."""
        self._heap.clear()

    def run(self, until_s: float, is_over: Callable[[], bool]) -> bool:
        """Go on until `is_over`, or up to a time; say whether it was over."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_s:
            self.now_s, _, do, args = pop(heap)
            self.happened += 1
            do(*args)
            if is_over():
                return True
        return False


class FloorTime:
    """The floor clock that `LiveHost` asks."""

    scale = SCALE

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now_floor_s(self) -> float:
        """Give the floor's time."""
        return self._timeline.now_s * SCALE

    def real_s_until(self, floor_s: float) -> float:
        """Give the link seconds until a floor time, 0 when it has come."""
        return max(0.0, floor_s / SCALE - self._timeline.now_s)
