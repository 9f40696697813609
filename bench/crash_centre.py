"""The processes of the crash bench: the real service, killed and started again, and a floor that outlives it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bench
from bench.crash_load import FORGOTTEN
from devices.peers import STATION
from sims.demo.folder import DemoFolder
from sims.floor import DEFAULT_FLOOR

SCALE = 600.0  # floor seconds per real second
READY_WITHIN_S, STOP_WITHIN_S = 180.0, 60.0
POLL_S = 0.005


class CentreFailed(Exception):
    """The service or the floor did not do what it has to; `tail` is the end of its log."""

    code = "crash.centre"

    def __init__(self, sentence: str, tail: str = "") -> None:
        super().__init__(f"{sentence}\n{tail}" if tail else sentence)
        self.tail = tail


class Centre:
    """A data folder with everybody's keys, the service on it, and the stations beside it.  Used in a `with`."""

    def __init__(self, root: Path, seed: int) -> None:
        self.folder = DemoFolder(root)
        self.folder.prepare([spec.name for spec in DEFAULT_FLOOR], SCALE)
        self._seed = seed
        self._service: subprocess.Popen[bytes] | None = None
        self._stations: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0

    def __enter__(self) -> Centre:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._service, self._stations):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def start_stations(self) -> None:
        """Start the floor; it may run before the service does."""
        folder = self.folder
        command = [
            *(sys.executable, "-m", "bench.crash_stations", folder.endpoints["stations"], str(folder.server_public)),
            *(str(folder.peers / STATION), str(self._seed), str(folder.root / FORGOTTEN)),
        ]
        with folder.log("stations").open("ab") as log:
            self._stations = subprocess.Popen(
                command, cwd=Path(bench.__path__[0]).parent, stdout=subprocess.PIPE, stderr=log, process_group=0
            )

    def cut_stations_memory(self) -> None:
        """Let some stations forget their jobs."""
        assert self._stations is not None
        self._stations.send_signal(signal.SIGUSR1)

    def stop_stations(self) -> dict[str, Any]:
        """End the floor and give what matter came out of it.  Raises: CentreFailed."""
        assert self._stations is not None
        self._stations.send_signal(signal.SIGTERM)
        try:
            said, _ = self._stations.communicate(timeout=STOP_WITHIN_S)
            made: dict[str, Any] = json.loads(said)
        except (subprocess.TimeoutExpired, ValueError):
            raise CentreFailed("the stations did not end as told", self._tail("stations")) from None
        return made

    def start(self) -> None:
        """Start the service; it is not ready yet."""
        self.folder.endpoints_file.unlink(missing_ok=True)
        with self.folder.log("service").open("ab") as log:
            self._started_s = time.perf_counter()
            self._service = subprocess.Popen(self.folder.service_command(), stdout=log, stderr=log, process_group=0)

    def wait_ready(self) -> float:
        """Wait until the service serves; give the seconds since its start.  Raises: CentreFailed."""
        assert self._service is not None
        while not self.folder.endpoints_file.exists():
            code = self._service.poll()
            if code is not None:
                raise CentreFailed(f"the service ended with {code} at its start", self._tail("service"))
            if time.perf_counter() - self._started_s > READY_WITHIN_S:
                raise CentreFailed(f"the service was not ready within {READY_WITHIN_S:g} s", self._tail("service"))
            time.sleep(POLL_S)
        return time.perf_counter() - self._started_s

    def kill(self) -> None:
        """End the service with SIGKILL.  Raises: CentreFailed: it had ended by itself."""
        assert self._service is not None
        code = self._service.poll()
        if code is not None:
            raise CentreFailed(f"the service ended by itself with {code}", self._tail("service"))
        self._service.kill()
        self._service.wait()

    def stop(self) -> None:
        """Ask the service to stop.  Raises: CentreFailed: it did not do so cleanly."""
        assert self._service is not None
        self._service.send_signal(signal.SIGTERM)
        try:
            code = self._service.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise CentreFailed("the service did not stop", self._tail("service")) from None
        if code:
            raise CentreFailed(f"the service stopped with {code}", self._tail("service"))

    def _tail(self, name: str) -> str:
        log = self.folder.log(name)
        return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-20:]) if log.exists() else ""
