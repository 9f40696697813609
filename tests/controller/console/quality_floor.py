"""A console over a floor whose moves stand in a real ledger: one person of each role at a browser over TLS."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import trio

from controller import rights
from controller.accounts.account import new_account
from controller.config import Config, ConsoleConfig
from controller.console.app import console_app
from controller.console.house import House
from controller.console.serving import serve_console
from controller.core import events as e
from controller.denials import Denials
from controller.desk.desk import Desk
from controller.ledger.journal import Recorded
from controller.ledger.store import open_ledger
from tests.controller.accounts.hall import ANN, CHEAP, open_hall
from tests.controller.console.lobby import HOST, PATIENCE_S, Browser, make_certificate

PEOPLE = {role.replace("_", "-"): frozenset({role}) for role in rights.ROLES} | {"nobody": frozenset()}


@dataclass
class QualityFloor:
    """The floor, the desk over it, and the console."""

    floor: object
    desk: Desk
    ledger: object
    port: int
    tls: ssl.SSLContext
    kept: int = 0

    async def browser(self, name, language="en"):
        """A browser in which somebody is logged in."""
        one = Browser(self.port, self.tls)
        one.says["Accept-Language"] = language
        assert (await one.log_in(name, ANN)).status == 303
        return one


async def until(browser, path, is_there):
    """Load a page until something is on it: long looks come back."""
    with trio.fail_after(PATIENCE_S):
        while True:
            page = await browser.get(path)
            if is_there(page):
                return page
            await trio.sleep(0.05)


def _post_to(floor):
    def post(event):
        turn = floor.host.handle(event, floor.host.now_floor_s)

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)

    return post


@asynccontextmanager
async def open_quality_floor(folder, floor, **settings):
    """Keep what a floor did in a ledger, and serve the whole console on it."""
    certificate, key = make_certificate(folder)
    hall = open_hall(folder / "accounts", empty=True)
    hall.file.change(lambda accounts: accounts.update({one: new_account(CHEAP.hash(ANN)) for one in PEOPLE}))
    async with open_ledger(folder) as ledger, trio.open_nursery() as nursery:
        for at, move in floor.log:
            ledger.put(Recorded(at, e.TimerFired(), [move]))
            await ledger.room()
        await ledger.record(Recorded(floor.log[-1][0], e.TimerFired(), []))
        clock, post = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s, scale=1.0), _post_to(floor)
        desk = Desk(
            ledger, floor.state, floor.report.tally, clock, True, 4_000.0, post,
            roles=lambda name: PEOPLE.get(name, frozenset()), denials=Denials(post), **settings,
        )  # fmt: skip
        house = House(desk, Config(), nursery)
        app = console_app(
            hall.entrance, desk.roles, tls=True, request_s=PATIENCE_S, more=house.routes, home=house.home_of
        )
        config = ConsoleConfig(listen=f"{HOST}:0", certificate=str(certificate), key=str(key))
        [address] = await nursery.start(serve_console, app, config)
        tls = ssl.create_default_context(cafile=str(certificate))
        yield QualityFloor(floor, desk, ledger, int(address.rpartition(":")[2]), tls)
        nursery.cancel_scope.cancel()
