"""The demo's own folder: keys of everybody, one config.toml, free ports, the logs, and how each process is called."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from controller import rights
from controller.asking.conversation import Patience
from controller.client import OperatorClient
from controller.evidence.signing import PUBLIC_NAME
from controller.posts import OFFICE
from devices.defects import Step
from devices.key_files import new_pair
from devices.key_ring import SERVER, KeyRing
from devices.peers import OPERATOR, STATION, UPSTREAM
from sims.demo.options import DemoOptions

EPOCH = "2026-03-02T08:00"  # floor time at which every demo begins: a Monday, the morning shift
CONSOLE_EPOCH = "2026-03-02T22:00"  # with a console: what is due that day is late a minute later
CONSOLE_IDLE_S = 7_200  # of a log-in: somebody who looks around reads more than they click
UPSTREAM_NAME = "north"
KEEPERS = ("keeper-1", "keeper-2")
SUPERVISORS = ("supervisor-1", "supervisor-2")
OBSERVER = "observer"  # only looks: for the screen
VISITORS = ("visitor-1", "visitor-2")  # with a console: whoever looks around, and a second person
# they may do all, for every verb has another role than the operator's too; an operator may not destroy spoiled blanks
VISITORS_MAY = tuple(role for role in rights.ROLES if role != rights.OPERATOR)
PEOPLE = {  # what each may do; the second keeper is in charge of the shift too, and agrees to its close
    **dict.fromkeys(SUPERVISORS, (rights.SUPERVISOR,)),
    KEEPERS[0]: (rights.STOCK_KEEPER,),
    KEEPERS[1]: (rights.STOCK_KEEPER, rights.SUPERVISOR),
    OBSERVER: (rights.AUDITOR,),
}
CERTIFIED_UNTIL = "2028-12-31"
PATIENCE = Patience(answer_within_s=3.0, give_up_s=6.0)  # a look is repeated anyway; the end must not wait long
FREE_MIN_MIB, RESERVE_MIB = 128, 8  # a demo writes some 100 MiB, and does not fill anybody's disk with a reserve
ROLES = ("upstreams", "stations", "operators")


class DemoFolder:
    """Everything one demo needs on disk, under `root`."""

    def __init__(self, root: Path, *, has_console: bool = False) -> None:
        self.root, self.has_console = root, has_console
        self.data, self.peers, self.results = root / "floor", root / "peers", root / "upstream"
        self.config, self.posts = root / "config.toml", root / "posts.csv"
        self.endpoints: dict[str, str] = {}

    def prepare(self, stations: Sequence[str], scale: float) -> None:
        """Make the folders, the keys of all peers and the settings.  Raises: KeyFileError, OSError."""
        for folder in (self.data, self.peers, self.results):
            folder.mkdir()
        ring = KeyRing(self.data / "keys")
        ring.ensure_server_keys()
        people = {**PEOPLE, **(dict.fromkeys(VISITORS, VISITORS_MAY) if self.has_console else {})}
        for role, names in ((UPSTREAM, [UPSTREAM_NAME]), (STATION, stations), (OPERATOR, people)):
            for name in names:
                roles = people[name] if role == OPERATOR else ()
                ring.allow(role, name, new_pair(self.peers / role, name).public, roles)
        *ports, metrics, console = free_ports(len(ROLES) + 2)
        self.endpoints = {role: f"tcp://127.0.0.1:{port}" for role, port in zip(ROLES, ports, strict=True)}
        self.posts.write_text(posts_table(), "utf-8")
        self.config.write_text(self._settings(scale, metrics, console), "utf-8")

    def _settings(self, scale: float, metrics_port: int, console_port: int) -> str:
        sockets = "\n".join(f'{role} = "{endpoint}"' for role, endpoint in self.endpoints.items())
        epoch, console = EPOCH, ""
        if self.has_console:
            epoch = CONSOLE_EPOCH
            console = f'\n[console]\nlisten = "127.0.0.1:{console_port}"\ninsecure = true\nidle_s = {CONSOLE_IDLE_S}\n'
        return (
            f"[service]\nfolder = {json.dumps(str(self.data))}\n\n"
            f"[sockets]\n{sockets}\n\n"
            f'[metrics]\nlisten = "127.0.0.1:{metrics_port}"\n\n'
            f'[clock]\nsimulated = true\nscale = {scale!r}\nepoch = "{epoch}"\n\n'
            f"[storage]\nfree_min_mib = {FREE_MIN_MIB}\nreserve_mib = {RESERVE_MIB}\n\n"
            f"[posts]\ntable = {json.dumps(str(self.posts))}\n{console}"
        )

    @property
    def server_public(self) -> Path:
        """Where the service's public key lies."""
        return self.data / "keys" / f"{SERVER}.public"

    @property
    def receipts_public(self) -> Path:
        """Where the service's first start puts the public key of its receipts."""
        return self.data / "keys" / PUBLIC_NAME

    @property
    def first_run_file(self) -> Path:
        """Where the service puts the code for the first account of the console."""
        return self.data / "first-run.code"

    @property
    def endpoints_file(self) -> Path:
        """What the service writes once it serves; a new run writes it anew."""
        return self.data / "endpoints.json"

    def log(self, name: str) -> Path:
        """Give where a process's words go."""
        return self.root / f"{name}.log"

    def service_command(self) -> list[str]:
        """Give how the service is started."""
        return [sys.executable, "-m", "controller.cli", "serve", "--config", str(self.config)]

    def stations_command(self, seed: int) -> list[str]:
        """Give how the simulated stations are started."""
        return [
            *(sys.executable, "-m", "sims.cli", "stations"),
            *("--endpoint", self.endpoints["stations"], "--server-key", str(self.server_public)),
            *("--secrets", str(self.peers / STATION), "--seed", str(seed)),
        ]

    def upstream_command(self, options: DemoOptions) -> list[str]:
        """Give how the upstream is started."""
        return [
            *(sys.executable, "-m", "sims.cli", "upstream"),
            *("--endpoint", self.endpoints["upstreams"], "--server-key", str(self.server_public)),
            *("--secret", str(self.peers / UPSTREAM / f"{UPSTREAM_NAME}.secret"), "--out", str(self.results)),
            *("--cards", str(options.cards), "--seed", str(options.seed)),
            *("--bad-share", repr(options.bad_share), "--hold-share", repr(options.hold_share)),
            *("--receipts-key", str(self.receipts_public)),
            *(["--first-due-today"] if self.has_console else []),
        ]

    def person(self, name: str) -> OperatorClient:
        """Give an operator's line to the service, which need not run yet.  Raises: ClientError."""
        secret = self.peers / OPERATOR / f"{name}.secret"
        return OperatorClient.connect(self.endpoints["operators"], self.server_public, secret, patience=PATIENCE)


def posts_table() -> str:
    """Give the certificates of the demo's people: all but the observer decide, supervisors and visitors inspect."""
    rows = [f"{name},{OFFICE},{CERTIFIED_UNTIL}" for name in (*KEEPERS, *SUPERVISORS, *VISITORS)]
    rows += [f"{name},{Step.INSPECT.value},{CERTIFIED_UNTIL}" for name in (*SUPERVISORS, *VISITORS)]
    return "\n".join(["name,post,valid_until", *rows, ""])


def free_ports(count: int) -> list[int]:
    """Give loopback ports that nobody listens on now; all are held until the last is found, so no two are equal."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
