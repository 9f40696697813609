"""How often the kernel lets the service interrupt others, and be interrupted: the fewer turns, the more work a turn."""

from __future__ import annotations

import os
from contextlib import suppress


def take_long_turns() -> None:
    """Let this thread, and those it starts from now on, wait for the end of another's turn instead of breaking it.

    It matters only where every core is busy: what came in meanwhile is then read in one pass of the loop, not in five
    (decision 0036).  Any process may ask for it; where the system does not know it, all stays as it is, and
    so it does where whoever started the service gave it another policy.
    """
    with suppress(AttributeError, OSError):  # not everywhere, and containers may forbid it
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
