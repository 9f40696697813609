"""The centre of the soak: service and stations as processes, each killed and started again, and their people."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import bench
from bench.batches import county_batches
from bench.crash_centre import Centre, CentreFailed
from bench.pipeline_audience import PASSWORD, Session, signed_in
from bench.pipeline_centre import Repeated, floor, floor_table
from bench.soak_asker import Asker
from bench.soak_feed import Feed
from bench.soak_staff import Receivers, Searchers
from controller.asking.conversation import Patience
from controller.client import UpstreamClient
from devices.key_files import new_pair
from devices.key_ring import KeyRing
from devices.peers import UPSTREAM
from sims.conformance.service import FAST
from sims.demo.folder import EPOCH, KEEPERS, OBSERVER, SUPERVISORS, UPSTREAM_NAME, DemoFolder, free_ports
from sims.demo.staff import StockKeepers

ASKER_NAME = "south"
TODAY = EPOCH[:10].replace("-", "")
ORDERED_CARDS = 20_000  # by the keepers at first; they order more when the vault runs low
PATIENCE = Patience(answer_within_s=2.0, give_up_s=600.0)  # longer than any restart
STAFF_REST_S, FEED_REST_S = 1.0, 0.3
PAGE_WITHIN_S = 60.0


class SoakCentre(Centre):
    """A centre with a console whose stations can be killed too: with them goes all that lay on the floor."""

    def __init__(self, root: Path, seed: int) -> None:
        super().__init__(root, seed)
        folder = self.folder
        other = new_pair(folder.peers / UPSTREAM, ASKER_NAME)
        KeyRing(folder.data / "keys").allow(UPSTREAM, ASKER_NAME, other.public)
        text = folder.config.read_text("utf-8").replace("[sockets]\n", f"[sockets]\n{FAST}", 1)
        [port] = free_ports(1)
        folder.config.write_text(f'{text}\n[console]\nlisten = "127.0.0.1:{port}"\ninsecure = true\n', "utf-8")
        self._floor_file = root / "floor.toml"
        self._floor_file.write_text("\n".join(map(floor_table, floor())), "utf-8")
        self._began, self._has_account = False, False

    def __enter__(self) -> Self:
        return self

    @property
    def service_pid(self) -> int:
        """Give the service's process.  Raises: CentreFailed: it ended by itself."""
        return self._pid_of(self._service, "service")

    @property
    def stations_pid(self) -> int:
        """Give the stations' process.  Raises: CentreFailed: it ended by itself."""
        return self._pid_of(self._stations, "stations")

    def start_stations(self) -> None:
        """Start the floor; all but the first time its stations remember nothing."""
        command = [*self.folder.stations_command(self._seed), "--floor", str(self._floor_file)]
        command += ["--lost-memory"] if self._began else []
        self._began = True
        with self.folder.log("stations").open("ab") as log:
            place = Path(bench.__path__[0]).parent
            self._stations = subprocess.Popen(command, cwd=place, stdout=log, stderr=log, process_group=0)

    def kill_stations(self) -> None:
        """End the floor with SIGKILL.  Raises: CentreFailed: it had ended by itself."""
        self.stations_pid  # noqa: B018  it is required to run
        assert self._stations is not None
        self._stations.kill()
        self._stations.wait()

    def addresses(self) -> dict[str, Any]:
        """Give where the service listens, which has to be ready."""
        found: dict[str, Any] = json.loads(self.folder.endpoints_file.read_text("utf-8"))
        return found

    def page(self) -> str:
        """Give what Prometheus would read now."""
        address = self.addresses()["metrics"]
        with urlopen(f"{address}/metrics", timeout=PAGE_WITHIN_S) as page:  # noqa: S310  our own loopback
            return str(page.read(), "utf-8")

    def session(self) -> Session:
        """Sign somebody in at the console: a restart ended every session.  Raises: RuntimeError."""
        address = self.addresses()["console"]
        if not self._has_account:
            self._has_account = True
            return signed_in(address, self.folder.data, OBSERVER)
        session = Session(address)
        _, page = session.ask("GET", "/login")
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        form = {"csrf": token[1] if token else "", "name": OBSERVER, "password": PASSWORD, "code": ""}
        status, _ = session.ask("POST", "/login", form)
        if status != 303:
            raise RuntimeError(f"nobody could log in at the console again: {status}")
        return session

    def _pid_of(self, process: subprocess.Popen[bytes] | None, name: str) -> int:
        assert process is not None
        if process.poll() is not None:
            raise CentreFailed(f"the {name} ended by themselves with {process.returncode}", self._tail(name))
        return process.pid


class People:
    """Whoever works there: keepers, supervisors, police stations, an upstream that sends and one that asks."""

    def __init__(self, feed: Feed, keepers: StockKeepers, asker: Asker, tasks: list[Repeated]) -> None:
        self.feed, self.keepers, self.asker = feed, keepers, asker
        self._tasks = tasks

    def stop(self) -> None:
        """Let all but the asking upstream go home."""
        for task in self._tasks:
            task.stop()

    def require(self) -> None:
        """Raises: CentreFailed: one of them gave up, or the upstream was told nonsense."""
        for task in self._tasks:
            if not task.is_alive():
                raise CentreFailed(f"the thread of the {task.name} ended by itself")
        if self.feed.faults:
            raise CentreFailed(self.feed.faults[0])


@contextmanager
def people_of(
    folder: DemoFolder, sender: str = UPSTREAM_NAME, today: str = TODAY, cards_per_s: float = math.inf
) -> Iterator[People]:
    """Let everybody work, through every restart of the service, which has to run; `sender` brings the batches.

    It brings no more than `cards_per_s`; without that, as many as the centre takes.
    """
    with ExitStack() as stack:
        secret = folder.peers / UPSTREAM / f"{sender}.secret"
        line = UpstreamClient.connect(folder.endpoints["upstreams"], folder.server_public, secret, patience=PATIENCE)
        feed = Feed(stack.enter_context(line), county_batches(today), cards_per_s)
        k1, k2, s1, s2 = (stack.enter_context(folder.person(name)) for name in (*KEEPERS, *SUPERVISORS))
        keepers = StockKeepers(k1, k2, ORDERED_CARDS)
        supervisors = Searchers(s1, s2)
        s3 = stack.enter_context(folder.person(SUPERVISORS[0]))  # a line of its own
        asker = Asker(folder, ASKER_NAME if sender != ASKER_NAME else UPSTREAM_NAME, today)
        stack.callback(asker.stop)
        tasks = [
            Repeated("keepers", keepers.look, STAFF_REST_S),
            Repeated("supervisors", supervisors.look, STAFF_REST_S),
            Repeated("receivers", Receivers(s3).look, FEED_REST_S),
            Repeated("feed", feed.look, FEED_REST_S),
        ]
        for task in tasks:
            task.start()
            stack.callback(task.stop)
        stack.callback(feed.ending.set)  # first of all: its look goes on as long as there is something to bring
        yield People(feed, keepers, asker, tasks)
