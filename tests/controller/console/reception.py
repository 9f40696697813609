"""The whole console on a centre in one process: real ledger and vault, a floor of perfect stations, real TLS."""

from __future__ import annotations

import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from controller import rights
from controller.accounts.account import new_account
from controller.clock import FloorClock
from controller.config import Config, ConsoleConfig
from controller.console.app import console_app
from controller.console.house import House
from controller.console.serving import serve_console
from controller.denials import Denials
from controller.desk.desk import Desk
from tests.controller.accounts.hall import ANN, CHEAP, open_hall
from tests.controller.console.lobby import HOST, PATIENCE_S, Browser, make_certificate
from tests.controller.correcting import Upstreams, doors

PEOPLE = {  # each with the same password, and these roles alone
    "ann": {rights.SUPERVISOR},
    "bob": {rights.SUPERVISOR},
    "olga": {rights.OPERATOR},
    "kim": {rights.STOCK_KEEPER},
    "quin": {rights.QUALITY},
    "aud": {rights.AUDITOR},
    "ada": {rights.ADMINISTRATOR},
    "none": set(),
}


@dataclass
class Reception:
    """The console, the centre behind it, and the desk between them."""

    centre: Upstreams
    desk: Desk
    port: int
    tls: ssl.SSLContext

    async def browser(self, name="ann", language="en"):
        """A browser in which somebody is logged in."""
        one = Visitor(self.port, self.tls)
        one.says["Accept-Language"] = language
        assert (await one.log_in(name, ANN)).status == 303
        return one

    async def ask(self, verb, who="ann", **args):
        """What the verb itself answers."""
        answer = await self.centre.operator(verb, who, **args)
        assert hasattr(answer, "result"), answer
        return answer.result


@dataclass
class Visitor(Browser):
    """Somebody at a browser, who counts what it takes: each link followed and each button pressed."""

    actions: int = 0

    async def follow(self, page, words):
        """Follow the link that has these words."""
        self.actions += 1
        return await self.there(await self.get(link_of(page, words)))

    async def press(self, page, words, **typed):
        """Press the button that has these words, in its form, with what is typed into the form's fields."""
        self.actions += 1
        path, method, fields = form_of(page, words)
        fields |= typed
        if method == "get":
            query = "&".join(f"{name}={value}" for name, value in fields.items())
            return await self.there(await self.get(f"{path}?{query}"))
        return await self.there(await self.post(path, fields))

    async def there(self, page):
        """Where an answer leads."""
        for _ in range(5):
            if page.status != 303:
                return page
            page = await self.get(page.header("location"))
        raise AssertionError("it leads from one page to another for ever")


def main_of(page):
    """What stands in a page's main part, without its markup."""
    inside = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", "<main" + inside).split())


def link_of(page, words):
    """Give where the first link with these words leads."""
    for path, inside in re.findall(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', page.text, re.S):
        if words in re.sub(r"<[^>]*>", "", inside):
            return path.replace("&amp;", "&")
    raise AssertionError(f"no link says {words!r}: {main_of(page)}")


def form_of(page, words):
    """Give path, method and fields of the first form with a button of these words."""
    for head, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", page.text, re.S):
        for button, said in re.findall(r"<button\b([^>]*)>(.*?)</button>", inside, re.S):
            if words in re.sub(r"<[^>]*>", "", said):
                path, method = re.search(r'action="([^"]*)"', head)[1], re.search(r'method="([^"]*)"', head)[1]
                return path, method, _fields(inside) | _named(button)
    raise AssertionError(f"no button says {words!r}: {main_of(page)}")


def _fields(inside):
    found = {}
    for one in re.findall(r"<input\b([^>]*)>", inside):
        if 'type="checkbox"' not in one or " checked" in one:
            found |= _named(one)
    for name, options in re.findall(r'<select\b[^>]*name="([^"]*)"[^>]*>(.*?)</select>', inside, re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)
        found[name] = chosen[0]
    return found


def _named(tag):
    name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
    return {name[1]: value[1] if value else ""} if name else {}


@dataclass
class LaterClock:
    """The floor's clock, so many seconds ahead."""

    clock: FloorClock
    ahead_s: float

    def now_floor_s(self):
        return self.clock.now_floor_s() + self.ahead_s


@asynccontextmanager
async def open_reception(folder, *args, later_s=0.0, **rest):
    """Open a centre as `correcting.doors` does, and the whole console on it, for which it is `later_s` later."""
    certificate, key = make_certificate(folder)
    hall = open_hall(folder / "accounts", empty=True)
    hall.file.change(lambda accounts: accounts.update({one: new_account(CHEAP.hash(ANN)) for one in PEOPLE}))
    async with doors(folder, *args, **rest) as centre, trio.open_nursery() as nursery:
        made = centre.centre
        desk = Desk(
            made.ledger, centre.state, made.tally, LaterClock(made.clock, later_s), True, 4_000.0, made.host.post,
            returns=made.returns, vault=made.vault, roles=lambda name: frozenset(PEOPLE.get(name, ())),
            denials=Denials(made.host.post),
        )  # fmt: skip
        house = House(desk, Config(), nursery)
        app = console_app(
            hall.entrance, desk.roles, tls=True, request_s=PATIENCE_S, more=house.routes, home=house.home_of
        )
        config = ConsoleConfig(listen=f"{HOST}:0", certificate=str(certificate), key=str(key))
        [address] = await nursery.start(partial(serve_console, silent_s=PATIENCE_S), app, config)
        tls = ssl.create_default_context(cafile=str(certificate))
        yield Reception(centre, desk, int(address.rpartition(":")[2]), tls)
        nursery.cancel_scope.cancel()
