"""Commands that start in a tenth of a second: forked from one process that has loaded the house, once for all tests."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LOADED = ("controller.cli", "controller.service", "controller.commandline.audit")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(list(LOADED))


class ForkedCommand:
    """`python -m controller.cli ARGS` in a process of its own, whose output is appended to files; like a `Popen`.

    It costs 0.2 s where a new process takes 2.5 s of computing to load the service.  Those start anew in tests/sims,
    tests/bench and tests/hostile/test_secrets.py.
    """

    def __init__(self, args: Sequence[str], output: Path, errors: Path) -> None:
        self._args = ["cardmill", *args]
        told = (self._args, str(output), str(errors), dict(os.environ))
        self._process = CONTEXT.Process(target=_run, args=told, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Give the exit code, None while it lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Give the exit code once there is one.  Raises: subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._args, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        self.send_signal(signal.SIGKILL)


def _run(args: list[str], output: str, errors: str, environment: dict[str, str]) -> None:
    """Be the command, in the child."""
    for number, path in ((1, output), (2, errors)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = args
    from controller.cli import main

    main()
