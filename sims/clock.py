"""The floor's time as one station knows it: told by the controller's welcome, kept with the station's own clock."""

from __future__ import annotations

import math

import trio

EARLY_S = 1e-6  # less than this is not slept: floor seconds since 1970 have steps of 0.2 us as floats


class StationClock:
    """Floor seconds that run at the controller's scale and never run backwards."""

    def __init__(self) -> None:
        self._base_floor_s, self._base_s, self._scale = 0.0, 0.0, 0.0
        self._latest_floor_s = -math.inf
        self._set = trio.Event()

    def set(self, floor_s: float, scale: float, *, anew: bool = False) -> None:
        """Take the controller's word for what time it is now; `anew` also when that is earlier than before.

        Whoever sleeps is woken at the same floor time by the new reckoning.
        """
        self._base_floor_s, self._base_s, self._scale = floor_s, trio.current_time(), scale
        if anew:
            self._latest_floor_s = -math.inf
        woken, self._set = self._set, trio.Event()
        woken.set()

    def now_floor_s(self) -> float:
        """Give the floor's time; 0 before anybody told it."""
        if not self._scale:
            return 0.0
        reckoned = self._base_floor_s + (trio.current_time() - self._base_s) * self._scale
        self._latest_floor_s = max(self._latest_floor_s, reckoned)
        return self._latest_floor_s

    async def sleep_until(self, at_floor_s: float) -> None:
        """Return when the floor's time is `at_floor_s`; cancelled, nothing is left behind."""
        await trio.lowlevel.checkpoint()
        while True:
            due_s = math.inf  # a moment, not a length: a length added to the time it is now would be rounded twice
            if self._scale:
                due_s = self._base_s + (at_floor_s - self._base_floor_s) / self._scale
            if due_s - trio.current_time() <= EARLY_S:
                return
            with trio.move_on_at(due_s):
                await self._set.wait()
