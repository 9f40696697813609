"""Core dumps: a crash of the service must leave no image of its memory, in which keys and people lie."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path

PR_SET_DUMPABLE = 4  # prctl(2)
LIMIT_NAME = "Max core file size"  # in /proc/PID/limits


def forbid_core_dumps() -> None:
    """Let this process leave no core dump, whatever it dies of; nothing can allow them again.

    The limit stops files.  A pipe set as `kernel.core_pattern` ignores the limit, so on Linux the process is made
    undumpable too, which also keeps other programs of its account out of its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def may_dump(pid: int) -> bool | None:
    """Say whether a process may leave a core file; None where nobody can say."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    row = next((line for line in lines if line.startswith(LIMIT_NAME)), None)
    return None if row is None else row.removeprefix(LIMIT_NAME).split()[:2] != ["0", "0"]
