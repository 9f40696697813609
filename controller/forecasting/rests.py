"""Rests of an idle process: the longer its work waited for others', the longer it leaves them alone."""

from __future__ import annotations

import math
import time

from controller.forecasting.idle_process import is_idle

REST, REST_MAX_S = 6.0, 3.0  # times what the work waited for others, before it goes on


def rest_s(took_s: float, worked_s: float) -> float:
    """Give how long an idle process rests after work that took so many seconds and was so many of processor time.

    What it did not work it waited: others want the processors.  The lowest priority alone leaves them most but not all
    of these, since a processor that has something to do takes over nothing that waits for another one.
    """
    return min(REST_MAX_S, REST * max(0.0, took_s - worked_s))


class Rests:
    """The rests of this process between pieces of work: `most_s` in all, and none where it is not idle."""

    def __init__(self, most_s: float = math.inf) -> None:
        self._left_s = most_s
        self._began_s, self._worked_s = time.monotonic(), time.process_time()

    def rest(self) -> None:
        """Rest for the work since the last rest."""
        if is_idle() and self._left_s > 0:
            wanted_s = rest_s(time.monotonic() - self._began_s, time.process_time() - self._worked_s)
            time.sleep(min(wanted_s, self._left_s))
            self._left_s -= wanted_s
            self._began_s, self._worked_s = time.monotonic(), time.process_time()
