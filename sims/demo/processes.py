"""A child process of the demo: started with its words in a log, watched, and ended by its own process id."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import trio

TAIL_LINES = 20
LINE_MAX_BYTES = 1 << 20


class ChildEnded(Exception):
    """A process of the demo ended when it should have gone on; `tail` is the end of its log."""

    code = "demo.child"

    def __init__(self, name: str, returncode: int, tail: str) -> None:
        super().__init__(f"the {name} process {ending(returncode)}")
        self.name, self.returncode, self.tail = name, returncode, tail


class Child:
    """One process of the demo; it may be started again after it ended.

    It leads a process group of its own, so that Ctrl-C reaches the demo alone, which then ends its children in order.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, *, speaks: bool = False) -> None:
        """`speaks`: its standard output is read line by line (`lines`) and not logged."""
        self.name, self._command, self._log, self._speaks = name, list(command), log, speaks
        self._process: trio.Process | None = None

    async def start(self) -> None:
        """Start it.  Raises: OSError when it cannot be started at all."""
        with self._log.open("ab") as log:
            self._process = await trio.lowlevel.open_process(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._speaks else log,
                stderr=log,
                process_group=0,
            )

    @property
    def process(self) -> trio.Process:
        """The process, once it was started."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    async def wait(self) -> int:
        """Wait until it ends, and give its exit code (below 0: the signal)."""
        return await self.process.wait()

    def kill(self) -> None:
        """End it at once, like `kill -9`."""
        self.process.send_signal(signal.SIGKILL)

    async def stop(self, patience_s: float) -> int:
        """Ask it to end (SIGTERM), kill it when it does not; give its exit code."""
        if not self.runs:
            return self.process.returncode or 0
        self.process.send_signal(signal.SIGTERM)
        with trio.move_on_after(patience_s):
            return await self.wait()
        self.kill()
        return await self.wait()

    async def lines(self) -> AsyncIterator[bytes]:
        """Give each line it says, until it closes its output."""
        stream, rest = self.process.stdout, b""
        assert stream is not None, f"{self.name} does not speak"
        async for received in stream:
            *whole, rest = (rest + received).split(b"\n")
            for line in whole:
                yield line
            rest = rest[-LINE_MAX_BYTES:]
        if rest:
            yield rest

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Give the end of its log."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text("utf-8", errors="replace").splitlines()[-lines:])

    def ended(self, returncode: int) -> ChildEnded:
        """Give the error that says it ended when it should not have."""
        return ChildEnded(self.name, returncode, self.tail())


def ending(returncode: int) -> str:
    """Say how a process ended."""
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"
