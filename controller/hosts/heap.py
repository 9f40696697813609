"""The foreman on a bare heap: events in the order of their times, as fast as they can be handled."""

from __future__ import annotations

import gc
import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count

from controller.core.events import AnyAction, AnyEvent, TimerFired
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.turn import Turn

YOUNG = 70_000  # objects made and not dropped before the garbage collector looks at them

Keep = Callable[[float, AnyEvent, list[AnyMove]], None]
Perform = Callable[[float, AnyAction], None]


class HeapHost:
    """Drives a foreman through virtual time.  `perform` answers actions by pushing events; `keep` sees each turn."""

    def __init__(self, foreman: Foreman, perform: Perform, keep: Keep) -> None:
        self.foreman, self._perform, self._keep = foreman, perform, keep
        self.now_floor_s = 0.0
        self._heap: list[tuple[float, int, AnyEvent]] = []
        self._order = count()
        self._wake_floor_s: float | None = None

    def push(self, at_floor_s: float, event: AnyEvent) -> None:
        """Let an event happen at a time; of those at one time, the first pushed goes first."""
        heapq.heappush(self._heap, (at_floor_s, next(self._order), event))

    def run(self, until_floor_s: float = float("inf")) -> None:
        """Handle everything up to and with a time, timers the foreman asks for included."""
        with seldom_collected():
            self._run(until_floor_s)

    def _run(self, until_floor_s: float) -> None:
        heap, handle, pop = self._heap, self.handle, heapq.heappop
        while True:
            at = heap[0][0] if heap else math.inf
            wake = self._wake_floor_s
            if wake is not None and wake <= at and wake <= until_floor_s:
                handle(TimerFired(), max(wake, self.now_floor_s))
            elif heap and at <= until_floor_s:
                handle(pop(heap)[2], at)
            else:
                return

    def handle(self, event: AnyEvent, at_floor_s: float) -> Turn:
        """Give the foreman one event now, and do what it asks."""
        self.now_floor_s = at_floor_s
        turn = self.foreman.handle(event, at_floor_s)
        self._wake_floor_s = turn.wake_floor_s
        self._keep(at_floor_s, event, turn.moves)
        for action in turn.actions:
            self._perform(at_floor_s, action)
        return turn


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have the garbage collector look a hundred times less often, for as long as this lasts.

    What a floor makes and drops has no cycles and goes without it; looking through all that is open, again and again,
    is what it would do here.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], YOUNG) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def replay(foreman: Foreman, events: Iterable[tuple[float, AnyEvent]], keep: Keep) -> None:
    """Feed recorded events, timers included, with the stamps they had; `keep` sees the moves they lead to again."""
    for at_floor_s, event in events:
        keep(at_floor_s, event, foreman.handle(event, at_floor_s).moves)
