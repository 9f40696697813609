"""A real Cardmill service on loopback, in a fresh folder, for one run of the kit: started, then stopped by its id."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from devices.key_files import new_pair, read_pair, read_public
from devices.key_ring import KeyRing
from devices.keys import KeyPair
from devices.peers import UPSTREAM
from sims.conformance.errors import NoAnswer
from sims.conformance.line import Target
from sims.conformance.signatures import signer_keys
from sims.demo.folder import UPSTREAM_NAME, DemoFolder

OTHER_NAME = "south"
SCALE = 1.0
FAST = "messages_per_s = 1000000\nburst_messages = 1000000\n"  # no peer of a bench is told to be slow
READY_WITHIN_S, STOP_WITHIN_S, POLL_S = 180.0, 60.0, 0.05
TAIL_LINES = 5
METRICS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class OwnService:
    """A service that runs: its folder with everybody's keys, its upstream door, and two upstreams."""

    home: DemoFolder
    target: Target
    keys: KeyPair
    other: KeyPair

    def metrics_page(self) -> str:
        """Give what Prometheus would read now."""
        address = json.loads(self.home.endpoints_file.read_text("utf-8"))["metrics"]
        with urlopen(f"{address}/metrics", timeout=METRICS_WITHIN_S) as page:  # noqa: S310  our own loopback address
            return str(page.read(), "utf-8")


@contextmanager
def own_service(stations: Sequence[str] = ()) -> Iterator[OwnService]:
    """Give a service that runs; `stations` have keys too.  Raises: NoAnswer: it did not become ready; OSError."""
    with TemporaryDirectory(prefix="cardmill-conformance-") as folder:
        home = DemoFolder(Path(folder))
        home.prepare(stations, SCALE)
        settings = home.config.read_text("utf-8")
        home.config.write_text(settings.replace("[sockets]\n", f"[sockets]\n{FAST}", 1), "utf-8")
        other = new_pair(home.peers / UPSTREAM, OTHER_NAME)
        KeyRing(home.data / "keys").allow(UPSTREAM, OTHER_NAME, other.public)
        with home.log("service").open("wb") as log:
            process = subprocess.Popen(home.service_command(), stdout=log, stderr=log, process_group=0)  # noqa: S603
        try:
            _wait_ready(home, process)
            signers = signer_keys(home.receipts_public)
            target = Target(home.endpoints["upstreams"], read_public(home.server_public), signers)
            yield OwnService(home, target, read_pair(home.peers / UPSTREAM, UPSTREAM_NAME), other)
        finally:
            _stop(process)


def _wait_ready(home: DemoFolder, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    while not home.endpoints_file.exists():
        if process.poll() is not None or time.monotonic() > until_s:
            tail = home.log("service").read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:]
            raise NoAnswer("the service that was started did not become ready: " + " ".join(tail))
        time.sleep(POLL_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process: asked first, killed when it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
