"""A real service in a folder of its own: started, asked, killed and started again by process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from controller import rights
from controller.asking.conversation import Patience
from controller.client import OperatorClient, UpstreamClient
from devices.key_files import new_pair
from devices.key_ring import KeyRing
from devices.peers import OPERATOR
from tests.whole.forked import ForkedCommand

READY_WITHIN_S = 180.0
EVERY_ROLE = rights.ROLES  # of each person here: who may do what is looked at in test_rights_walk.py
PATIENCE = Patience(answer_within_s=5.0, give_up_s=60.0)


def free_port() -> int:
    """Give a loopback port that is free, that no connection gets by itself, and that no other test is given.

    From 32,768 on Linux gives ports to connections: one from there may be taken between this look and its use.
    """
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _ports() -> Iterator[int]:
    """Give the ports of this worker of pytest, of which there are at most eight; two runs begin at two places."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    yield from (10_000 + 2_500 * worker + (os.getpid() + number) % 2_500 for number in count())


_PORTS = _ports()


def with_small_reserve(extra: str) -> str:
    """Give settings with limits of the disk that no machine of a test is below, unless they have their own."""
    if "free_min_mib" in extra:
        return extra
    section = "[storage]\nfree_min_mib = 16\nreserve_mib = 1\n"
    return extra.replace("[storage]\n", section) if "[storage]" in extra else f"{extra}\n{section}"


class Centre:
    """A data folder with settings and keys, and the service on it."""

    def __init__(self, folder: Path, scale: float = 600.0, extra: str = "") -> None:
        self.folder, self.data = folder, folder / "data"
        self.config, self.log = folder / "config.toml", folder / "service.log"
        self.process: ForkedCommand | subprocess.Popen[bytes] | None = None
        doors = {name: f"tcp://127.0.0.1:{free_port()}" for name in ("upstreams", "stations", "operators")}
        self.metrics = f"127.0.0.1:{free_port()}"
        lines = [
            f'[service]\nfolder = "{self.data}"',
            "[sockets]",
            *(f'{name} = "{address}"' for name, address in doors.items()),
            f'[metrics]\nlisten = "{self.metrics}"',
            f'[clock]\nsimulated = true\nscale = {scale}\nepoch = "2026-03-02T08:00"',
            with_small_reserve(extra),
        ]
        self.config.write_text("\n".join(lines), "utf-8")
        self.doors = doors
        KeyRing(self.data / "keys").ensure_server_keys()

    def start(self, *options: str) -> None:
        """Start the service and wait until it says that it is ready."""
        ready = self.data / "endpoints.json"
        ready.unlink(missing_ok=True)
        self.process = ForkedCommand(["serve", "--config", str(self.config), *options], self.log, self.log)
        deadline = time.monotonic() + READY_WITHIN_S
        while not ready.exists():
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.05)
                raise AssertionError(f"exit {code}: {self.log.read_text('utf-8')[-2_000:]}")
            assert time.monotonic() < deadline, "the service did not become ready"

    def stop(self) -> int:
        """Ask the service to stop, and give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        self.process = None
        return code

    def kill(self) -> None:
        """End the service as a power cut would end the process."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(120)
        self.process = None

    def rest(self, seconds: float = 0.2) -> None:
        """Leave the machine to the service and its floor between two looks; no longer than the service lives."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def metrics_page(self) -> str:
        """Give what Prometheus would read now."""
        return urlopen(f"http://{self.metrics}/metrics", timeout=30).read().decode()

    def close(self) -> None:
        """End whatever still runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(120)

    def secret(self, role: str, name: str) -> Path:
        """Give the secret file of a peer, made and allowed at the first call."""
        path = self.folder / "peers" / f"{name}.secret"
        if not path.exists():
            roles = EVERY_ROLE if role == OPERATOR else ()
            KeyRing(self.data / "keys").allow(role, name, new_pair(path.parent, name).public, roles)
        return path

    @property
    def server_public(self) -> Path:
        """Give the service's public key file."""
        return self.data / "keys" / "server.public"

    def upstream(self, name: str = "north") -> UpstreamClient:
        """Give a client of the upstream door."""
        secret = self.secret("upstream", name)
        return UpstreamClient.connect(self.doors["upstreams"], self.server_public, secret, patience=PATIENCE)

    def operator(self, name: str = "ann") -> OperatorClient:
        """Give a client of the operator door."""
        secret = self.secret("operator", name)
        return OperatorClient.connect(self.doors["operators"], self.server_public, secret, patience=PATIENCE)


def run_cli(*args: str) -> tuple[int, str, str]:
    """Run the command line; give exit code, output and errors."""
    with TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        command = ForkedCommand(args, output, errors)
        try:
            code = command.wait(180)
        finally:
            command.kill()
        return code, output.read_text("utf-8"), errors.read_text("utf-8")
