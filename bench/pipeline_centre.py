"""The centre of the pipeline bench: service and stations as processes, people at their desks, a busy upstream."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import bench
from bench.batches import BATCH_CARDS, Batch, county_batches
from controller.asking.conversation import ClientError
from controller.client import UpstreamClient
from devices.defects import Step
from devices.peers import UPSTREAM
from sims.conformance.service import FAST
from sims.demo.folder import EPOCH, KEEPERS, SUPERVISORS, UPSTREAM_NAME, DemoFolder, free_ports
from sims.demo.staff import StockKeepers, Supervisors
from sims.floor import DEFAULT_FLOOR, StationSpec

SCALE = 600.0  # floor seconds a second: the slowest step of this floor could make some 570 cards a second
AHEAD_BATCHES = 8  # so many are sent before the first of them is closed
CLOSED = ("closed", "refused")
READY_WITHIN_S, STOP_WITHIN_S, LOOK_S = 600.0, 60.0, 0.5  # the first start may compile kernels
NEVER_S = 1e9


def floor() -> tuple[StationSpec, ...]:
    """Give the usual floor, but nobody breaks down, and presses take small loads: what comes out comes evenly."""
    steady = (replace(one, mtbf_s=NEVER_S, roll_sheets=0) for one in DEFAULT_FLOOR)
    return tuple(replace(one, load_max=6, load_s=300.0) if one.step == Step.LAMINATE else one for one in steady)


def batches_of(count: int, seed: int = 1) -> list[Batch]:
    """Give at least `count` applications in batches of one county each."""
    return list(islice(county_batches(EPOCH[:10].replace("-", ""), seed), -(-count // BATCH_CARDS)))


@dataclass(slots=True)
class Centre:
    """A centre that works."""

    folder: DemoFolder
    service: subprocess.Popen[bytes]
    stations: subprocess.Popen[bytes]
    feed: Feed

    @property
    def endpoints(self) -> dict[str, Any]:
        """Where the service listens; the console and the metrics too."""
        found: dict[str, Any] = json.loads(self.folder.endpoints_file.read_text("utf-8"))
        return found

    def page(self) -> str:
        """Give what Prometheus would read now."""
        with urlopen(f"{self.endpoints['metrics']}/metrics", timeout=60) as page:  # noqa: S310  our own loopback
            return str(page.read(), "utf-8")

    def require_work(self) -> None:
        """Raises: RuntimeError: a process ended, or the upstream gave up or has nothing more to send."""
        for name, process in (("service", self.service), ("stations", self.stations)):
            if process.poll() is not None:
                raise RuntimeError(f"the {name} ended: {_tail(self.folder, name)}")
        if self.feed.trouble:
            raise RuntimeError(self.feed.trouble)


class Repeated(threading.Thread):
    """Somebody who looks again and again, until told to stop."""

    def __init__(self, name: str, look: Callable[[], None], rest_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self._look, self._rest_s, self._over = look, rest_s, threading.Event()

    def run(self) -> None:
        """Look until stopped; a question that was not answered costs this look alone."""
        while not self._over.wait(self._rest_s):
            with suppress(ClientError):
                self._look()

    def stop(self) -> None:
        """Stop, and wait for the last look to end."""
        self._over.set()
        self.join()


class Feed:
    """An upstream that keeps batches open: one that is closed is followed by another."""

    def __init__(self, client: UpstreamClient, batches: Sequence[Batch]) -> None:
        self._client, self._left = client, deque(batches)
        self._open: deque[Batch] = deque()
        self.trouble = ""

    def look(self) -> None:
        """Forget what is closed, send what is missing.  Raises: ClientError."""
        for batch in list(self._open):
            if self._client.status(batch.batch_number).state in CLOSED:
                self._open.remove(batch)
        while len(self._open) < AHEAD_BATCHES:
            if not self._left:
                self.trouble = "the applications that were made beforehand are used up: say more with --rate-max"
                return
            batch = self._left[0]
            self._client.submit_batch(batch.batch_number, batch.due, batch.applications)
            self._open.append(self._left.popleft())


@contextmanager
def working_centre(root: Path, batches: Sequence[Batch], cards: int) -> Iterator[Centre]:
    """Give a centre that works at these batches.  Raises: RuntimeError: a process did not start, or ended badly."""
    folder = DemoFolder(root)
    folder.prepare([spec.name for spec in floor()], SCALE)
    _set_up(folder)
    floor_file = root / "floor.toml"
    floor_file.write_text("\n".join(map(floor_table, floor())), "utf-8")
    stations = [*folder.stations_command(1), "--floor", str(floor_file)]
    with ExitStack() as stack:
        service = stack.enter_context(_process(folder, "service", folder.service_command()))
        _wait_ready(folder, service)
        machines = stack.enter_context(_process(folder, "stations", stations))
        secret = folder.peers / UPSTREAM / f"{UPSTREAM_NAME}.secret"
        line = stack.enter_context(UpstreamClient.connect(folder.endpoints["upstreams"], folder.server_public, secret))
        k1, k2, s1, s2 = (stack.enter_context(folder.person(name)) for name in (*KEEPERS, *SUPERVISORS))
        feed = Feed(line, batches)
        tasks = [
            Repeated("keepers", StockKeepers(k1, k2, cards).look, 1.0),
            Repeated("supervisors", Supervisors(s1, s2, decided=lambda what: None).look, 1.0),
            Repeated("feed", feed.look, LOOK_S),
        ]
        for task in tasks:
            task.start()
            stack.callback(task.stop)
        yield Centre(folder, service, machines, feed)


def _set_up(folder: DemoFolder) -> None:
    """Let the service have a console, and peers that are never told to be slow."""
    text = folder.config.read_text("utf-8").replace("[sockets]\n", f"[sockets]\n{FAST}", 1)
    [port] = free_ports(1)
    folder.config.write_text(f'{text}\n[console]\nlisten = "127.0.0.1:{port}"\ninsecure = true\n', "utf-8")


def floor_table(spec: StationSpec) -> str:
    """Give a station as `cardmill-sim stations --floor` reads it."""
    names = ("name", "step", "load_max", "load_s", "unit_s", "mtbf_s", "roll_sheets")
    rows = (f"{name} = {json.dumps(getattr(spec, name))}" for name in names)
    return "\n".join(("[[station]]", *rows, ""))


@contextmanager
def _process(folder: DemoFolder, name: str, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with folder.log(name).open("wb") as log:
        place = Path(bench.__path__[0]).parent
        process = subprocess.Popen(command, cwd=place, stdout=log, stderr=log, process_group=0)
    try:
        yield process
        process.terminate()
        if process.wait(STOP_WITHIN_S):
            raise RuntimeError(f"the {name} stopped with {process.returncode}: {_tail(folder, name)}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _tail(folder: DemoFolder, name: str) -> str:
    return folder.log(name).read_text("utf-8", errors="replace")[-1_500:]


def _wait_ready(folder: DemoFolder, service: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    while not folder.endpoints_file.exists():
        if service.poll() is not None or time.monotonic() > until_s:
            raise RuntimeError(f"the service is not ready: {_tail(folder, 'service')}")
        time.sleep(0.05)
