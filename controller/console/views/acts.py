"""Acts of two people: what waits for a second person, by whom, how long yet, and what it will change."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.badges import may_agree, may_withdraw
from controller.console.console import Console
from controller.console.live import View
from controller.console.pages import Pages
from controller.desk.desk import Desk
from controller.desk.looking import act_rows
from controller.desk.rights import roles_of

ACTS_SHOWN = 200


def view(pages: Pages, desk: Desk) -> View:
    """Give what waits as everybody sees it; its buttons are slots for those who may press them."""

    def make(language: str) -> str:
        rows = sorted(act_rows(desk), key=lambda row: float(row["left_s"]))  # what ends first comes first
        return pages.fragment("acts_now.html", language, acts=rows[:ACTS_SHOWN], total=len(rows))

    return View("acts", make, lambda reader: allows(desk, reader))


def allows(desk: Desk, reader: str) -> Callable[[str], bool]:
    """Say which slots of the acts somebody is given: `agree`, `own`, `neither` or `withdraw`, and the act's number."""
    roles, open_acts = roles_of(desk, reader), desk.state.acts

    def is_given(slot: str) -> bool:
        what, _, number = slot.partition(" ")
        act = open_acts.get(int(number))
        if act is None:  # it ended since this was rendered
            return False
        asked = (roles, reader, act.verb, act.by)
        if what == "withdraw":
            return may_withdraw(*asked)
        if what == "own":
            return act.by == reader
        return may_agree(*asked) if what == "agree" else act.by != reader and not may_agree(*asked)

    return is_given


def routes(console: Console) -> list[Route]:
    """Give `/acts`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "acts")  # the right, and that what is shown is durable
        now = console.live.markup("acts", console.pages.language_of(request), person.name)
        return console.page(request, "acts.html", person, now=now)

    return [Route("/acts", page)]
