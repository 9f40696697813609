"""An idle process: it works when nothing else wants to, and never outlives the one it works for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

from controller.upkeep.core_dumps import forbid_core_dumps

PR_SET_PDEATHSIG = 1  # prctl(2)
LOWEST = 19  # nice(2)


class Orphaned(Exception):
    """The process this one works for is gone."""

    code = "forecast.orphaned"


IDLE, LOW = "idle", "low"  # and normal


def belong_to(parent: int) -> None:
    """Let this process be killed when `parent` ends, and dump no core.

    Call it in each process anew: a fork forgets whose end is its own.  `parent` must have made it in its main thread.
    Raises: Orphaned: that one ended before.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise Orphaned(f"{Orphaned.code}: process {parent} is gone")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's affair, which ends this process then
    forbid_core_dumps()


def become_idle(priority: str = IDLE) -> None:
    """Let this process, and those it forks, work when nothing else wants to; `low`: after all others, but surely."""
    if priority in (IDLE, LOW):
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
    if priority != IDLE:
        return
    with suppress(AttributeError, OSError):  # not everywhere, and containers may forbid it: nice is what is left then
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def is_idle() -> bool:
    """Say whether this process works only when nothing else wants to."""
    try:
        return os.sched_getscheduler(0) == os.SCHED_IDLE
    except (AttributeError, OSError):
        return False


def limit_memory(most_bytes: int) -> None:
    """Let each allocation beyond so many bytes of this process's own data fail as a MemoryError."""
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
