"""A console over a floor of keepers: its ledger in memory, served over TLS, and people who click what they see."""

from __future__ import annotations

import html
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller import rights
from controller.accounts.account import new_account
from controller.campaign.plan import load_plan
from controller.config import CampaignConfig, Config, ConsoleConfig
from controller.console.app import console_app
from controller.console.house import House
from controller.console.serving import serve_console
from controller.core import events as e
from controller.core.tally import Tally
from controller.denials import Denials
from controller.desk.desk import Desk
from controller.desk.rights import roles_of
from controller.evidence.signing import Signer
from controller.forecasting.forecasts import Forecasts
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from tests.controller.accounts.hall import CHEAP, open_hall
from tests.controller.console.lobby import HOST, PATIENCE_S, Browser, make_certificate
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk as Pages

PASSWORD = "correct horse battery"
PEOPLE = {role.replace("_", "-"): frozenset({role}) for role in rights.ROLES} | {
    "nobody": frozenset(),
    "all": rights.STAFF,
}
PASSWORD_HASH = CHEAP.hash(PASSWORD)


class FloorDesk:
    """The operators' desk of a floor whose moves come into a ledger in memory."""

    def __init__(self, floor: RoughFloor, config: Config | None = None, people: Mapping[str, frozenset[str]] = PEOPLE):
        self.floor, self.pages, self.tally, self._kept = floor, Pages(), Tally(), 0
        ledger = SimpleNamespace(reader=Reader(self.pages.engine), reading=self.pages.engine, write=self._write)
        clock = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s, scale=1.0)
        self.desk = Desk(
            ledger, floor.state, self.tally, clock, True, 4_000.0, self._post,
            config=config or Config(),
            plan=load_plan(CampaignConfig()),
            roles=lambda name: people.get(name, frozenset()),
            denials=Denials(self._post),
            signer=Signer(Ed25519PrivateKey.generate(), "cardmill"),
        )  # fmt: skip
        self.keep()

    def keep(self) -> None:
        """Let the ledger have what moved since."""
        fresh = self.floor.log[self._kept :]
        self._kept = len(self.floor.log)
        for at, move in fresh:
            self.tally.fold(at, move)
        self.pages.keep([Recorded(at, e.TimerFired(), [move]) for at, move in fresh])

    async def _write(self, change: object) -> None:
        self.keep()

    def _post(self, event: e.AnyEvent) -> SimpleNamespace:
        turn = self.floor.host.handle(event, self.floor.host.now_floor_s)
        self.keep()

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)


@dataclass
class Visitor:
    """Somebody at a browser, who follows links that stand on the page and sends forms that stand there."""

    browser: Browser
    page: object = None
    actions: int = 0
    seen: list[str] = field(default_factory=list)

    async def get(self, path, **headers):
        return await self.browser.get(path, **headers)

    async def start(self):
        """Open the page that the role begins with; what it takes to come there is not counted."""
        first = await self.browser.get("/")
        self.page = await self.browser.get(first.header("location")) if first.status == 303 else first
        self.actions, self.seen = 0, []
        return self.page

    async def follow(self, href):
        """Click the first link that begins so."""
        links = [html.unescape(one) for one in re.findall(r'href="([^"]+)"', self.page.text)]
        found = [one for one in links if one.startswith(href)]
        assert found, f"no link {href} among {links}"
        return self._went(found[0], await self.browser.get(found[0]))

    async def send(self, **fields):
        """Send the page's own form, with these fields typed in."""
        forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', self.page.text, re.S)
        [(action, inner)] = [one for one in forms if one[0] != "/logout"]
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inner))
        asked = set(re.findall(r'<(?:input|select)[^>]* name="([^"]+)"', inner))
        assert set(fields) <= asked, f"{set(fields)} are not all asked for: {asked}"
        sent = {name: html.unescape(value) for name, value in hidden.items()} | fields
        return self._went(action, await self.browser.post(action, sent))

    def _went(self, where, page):
        self.actions += 1
        self.seen.append(unquote(where))
        self.page = page
        return page


@dataclass
class FloorConsole:
    """A served console, and the desk behind it."""

    behind: FloorDesk
    port: int
    tls: ssl.SSLContext

    async def visitor(self, name):
        """Let somebody log in with a browser of their own."""
        browser = Browser(self.port, self.tls)
        assert (await browser.log_in(name, PASSWORD)).status == 303
        return Visitor(browser)


@asynccontextmanager
async def open_floor_console(
    folder: Path,
    floor: RoughFloor,
    config: Config | None = None,
    forecasting: Callable[[Desk], Forecasts] | None = None,
) -> AsyncIterator[FloorConsole]:
    """Serve the whole console, with one person for each role, one with none and one with all."""
    certificate, key = make_certificate(folder)
    hall, behind = open_hall(folder / "data", empty=True), FloorDesk(floor, config)
    if forecasting:
        behind.desk = replace(behind.desk, forecasts=forecasting(behind.desk))
    people = {name: new_account(PASSWORD_HASH) for name in (*PEOPLE, "second-keeper")}
    hall.file.change(lambda accounts: accounts.update(people))
    listens = ConsoleConfig(listen=f"{HOST}:0", certificate=str(certificate), key=str(key))
    async with trio.open_nursery() as nursery:
        house = House(behind.desk, behind.desk.config, nursery)
        app = console_app(
            hall.entrance,
            lambda name: roles_of(behind.desk, name),
            tls=True,
            request_s=PATIENCE_S,
            more=house.routes,
            home=house.home_of,
        )
        [address] = await nursery.start(serve_console, app, listens)
        yield FloorConsole(behind, int(address.rpartition(":")[2]), ssl.create_default_context(cafile=str(certificate)))
        nursery.cancel_scope.cancel()
