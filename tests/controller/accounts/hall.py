"""An entrance hall whose clock stands still until a test moves it, with cheap hashes and two people."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pyotp
import structlog
from argon2 import PasswordHasher

from controller.accounts.account import new_account
from controller.accounts.account_file import AccountFile
from controller.accounts.entrance import Entrance
from controller.accounts.first_run import FirstRun
from controller.accounts.passwords import Passwords
from controller.accounts.sessions import Sessions

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANN, BOB = "correct horse battery", "staple of the printer"
HERE, THERE = "192.0.2.7", "198.51.100.9"
IDLE_S, LONGEST_S = 900.0, 36_000.0
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class Clock:
    """Both clocks, which a test moves by hand."""

    at_s: float = 1_000.0

    def __call__(self) -> float:
        return self.at_s

    def wall_s(self) -> float:
        return 1_700_000_000.0 + self.at_s


@dataclass
class Hall:
    """An entrance, with what it noted."""

    file: AccountFile
    entrance: Entrance
    clock: Clock
    noted: list[tuple[str, str, str]] = field(default_factory=list)

    async def log_in(self, name="ann", password=ANN, code="", address=HERE):
        return await self.entrance.log_in(name, password, code, address)

    def whats(self):
        return [what for what, _, _ in self.noted]

    def code(self, steps=0):
        """The second factor's digits, so many steps from now."""
        return pyotp.TOTP(SECRET).generate_otp(int(self.clock.wall_s() // 30) + steps)

    def put(self, name, change):
        self.file.change_one(name, change)


def watch_logs(monkeypatch, *modules):
    """Give what these modules log from now on, at any level, as the service writes it: one JSON object a line."""
    written = io.StringIO()
    for module in modules:
        lines = structlog.wrap_logger(structlog.PrintLogger(written), processors=[structlog.processors.JSONRenderer()])
        monkeypatch.setattr(module, "log", lines)
    return written


def open_hall(folder, *, empty=False, clock=None):
    """Open the hall on a data folder: ann and bob have accounts, unless it is empty or there are some."""
    file, clock = AccountFile(folder), clock or Clock()
    if not empty and not file.read():
        people = {"ann": new_account(CHEAP.hash(ANN)), "bob": new_account(CHEAP.hash(BOB))}
        file.change(lambda accounts: accounts.update(people))
    noted = []
    entrance = Entrance(
        file,
        Passwords(CHEAP),
        Sessions(IDLE_S, LONGEST_S),
        FirstRun(),
        lambda *act: noted.append(act),
        clock,
        clock.wall_s,
    )
    return Hall(file, entrance, clock, noted)
