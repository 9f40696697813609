"""A demo with a console, as a process of its own: where it is, how one gets in, its service's process, and its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from controller.accounts.account import Account, new_account
from controller.accounts.account_file import AccountFile
from controller.accounts.passwords import usual_hasher
from controller.asking.conversation import Patience
from controller.client import OperatorClient
from controller.core import stock
from devices.key_ring import SERVER
from devices.peers import OPERATOR
from sims.demo.folder import OBSERVER

OPEN_WITHIN_S, END_WITHIN_S, LOOK_EVERY_S = 300.0, 90.0, 0.2
QUIET_WITHIN_S = 600.0
TAIL_CHARS = 2_000
MADE = (stock.Account.GOOD, stock.Account.QUARANTINED, stock.Account.BUNDLE, stock.Account.DISPATCHED)
Look = Callable[..., Any]  # a reading verb; gives its answer
PATIENCE = Patience(answer_within_s=20.0, give_up_s=60.0)
INVITATION = re.compile(
    r"The console is at (?P<address>http\S+)/first-run\s+one-time code: (?P<code>\S+)"
    r".*?accounts add (?P<second>\S+) --data (?P<data>[^\n]+)\n",
    re.DOTALL,
)


class DemoNotOpen(Exception):
    """The demo did not open its console, or ended while somebody was in it; the end of what it said stands here."""

    code = "tour.demo"

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what}; it said last:\n{said[-TAIL_CHARS:]}")


class OpenDemo:
    """`cardmill-sim demo --console` while somebody looks around in it.  Ends by its own process id, and leaves nobody.

    `folder` takes its log and results; `address` is the console's origin, `code` makes the first account, `data` is the
    service's data folder.
    """

    def __init__(self, folder: Path, *, cards: int = 600, seed: int = 1, scale: float = 120.0) -> None:
        self._log = folder / "demo.log"
        self._command = [
            *(sys.executable, "-m", "sims.cli", "demo", "--console", "--out", str(folder)),
            *("--cards", str(cards), "--seed", str(seed), "--scale", repr(scale)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.address, self.code, self.data = "", "", Path()

    def __enter__(self) -> Self:
        """Start it, and wait until its console is open.  Raises: DemoNotOpen."""
        with self._log.open("wb") as log:  # a group of its own: Ctrl-C is for whoever looks around, who then ends it
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, process_group=0)  # noqa: S603
        try:
            self._wait_until_open()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def said(self) -> str:
        """What it said until now."""
        return self._log.read_text("utf-8", errors="replace")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Its process, once it was started."""
        assert self._process is not None, "the demo was never started"
        return self._process

    def rest(self) -> None:
        """Leave the machine to the demo between two looks.  Raises: DemoNotOpen: it has ended."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(LOOK_EVERY_S)
            raise DemoNotOpen(f"the demo ended with exit code {code}", self.said)

    def _wait_until_open(self) -> None:
        deadline_s = time.monotonic() + OPEN_WITHIN_S
        while (found := INVITATION.search(self.said)) is None:
            self.rest()
            if time.monotonic() > deadline_s:
                raise DemoNotOpen(f"the demo did not open its console within {OPEN_WITHIN_S:g} s", self.said)
        self.address, self.code, self.data = found["address"], found["code"], Path(found["data"].strip())

    def service(self) -> psutil.Process:
        """Give the service's process.  Raises: DemoNotOpen: there is none."""
        for child in psutil.Process(self.process.pid).children():
            if "controller.cli" in child.cmdline():
                return child
        raise DemoNotOpen("the demo has no service", self.said)

    def operator(self, name: str) -> OperatorClient:
        """Give the line of one of the demo's people to the service."""
        endpoint = json.loads((self.data / "endpoints.json").read_text("utf-8"))["operators"]
        secret = self.data.parent / "peers" / OPERATOR / f"{name}.secret"
        public = self.data / "keys" / f"{SERVER}.public"
        return OperatorClient.connect(endpoint, public, secret, patience=PATIENCE)

    def wait_until_made(self, cards: int, within_s: float = QUIET_WITHIN_S) -> dict[str, int]:
        """Wait until so many cards are made; give the accounts of stock.  Raises: DemoNotOpen."""
        return self._wait_for(lambda look: made(look("stock")["accounts"]) >= cards, within_s)

    def wait_until_quiet(self, within_s: float = QUIET_WITHIN_S) -> dict[str, int]:
        """Wait until all cards are made, but for those that people hold; give the accounts.  Raises: DemoNotOpen."""

        def is_quiet(look: Look) -> bool:
            accounts = look("stock")["accounts"]
            return bool(made(accounts) and not accounts["sheet"] and not look("remakes")["remakes_open"])

        return self._wait_for(is_quiet, within_s)

    def wait_until_late(self, within_s: float = QUIET_WITHIN_S) -> dict[str, int]:
        """Wait until a batch is late, which one is some floor hours after the start.  Raises: DemoNotOpen."""
        return self._wait_for(lambda look: bool(look("batches", only="late")["rows"]), within_s)

    def _wait_for(self, holds: Callable[[Look], bool], within_s: float) -> dict[str, int]:
        deadline_s = time.monotonic() + within_s
        with self.operator(OBSERVER) as observer:
            while not holds(observer.command):
                self.rest()
                if time.monotonic() > deadline_s:
                    raise DemoNotOpen(f"the floor did not come so far within {within_s:g} s", self.said)
            return dict(observer.command("stock")["accounts"])

    def add_account(self, name: str, password: str) -> None:
        """Make an account for one of the demo's people, as `cardmill accounts add` does."""
        made = new_account(usual_hasher().hash(password))

        def decide(accounts: dict[str, Account]) -> None:
            accounts[name] = made

        AccountFile(self.data).change(decide)

    def lock_account(self, name: str) -> None:
        """End somebody's log-ins at once, as `cardmill accounts lock` does."""
        AccountFile(self.data).change_one(name, lambda one: one.with_lock(True))

    def end(self) -> None:
        """End it and all it started: asked first, then killed."""
        if self.process.poll() is not None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True)
        for child in children:  # a service that a test had stopped could not end
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(END_WITHIN_S)
        for left in (self.process, *(one for one in children if one.is_running())):
            with suppress(psutil.NoSuchProcess):
                left.kill()
        self.process.wait(END_WITHIN_S)


def made(accounts: Mapping[str, int]) -> int:
    """Give how many cards came out good, packed and sent ones among them."""
    return sum(accounts[one] for one in MADE)
