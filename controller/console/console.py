"""What every page of the console looks at and acts through, in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller import rights
from controller.commands import answer_certified
from controller.config import Config
from controller.console.badges import badges_of
from controller.console.guard import Guard, Person
from controller.console.live import Live
from controller.console.menu import menu_of
from controller.console.pages import Pages
from controller.desk.desk import Desk
from controller.desk.rights import roles_of
from controller.wire import Busy, Command, Done, Refusal

STATUS_OF_REFUSAL = {rights.MISSING: 403, "trace.unknown": 404, "batch.unknown": 404, "forecast.forgotten": 404}
CONFLICT, LATER = 409, 503


class VerbRefused(Exception):
    """The service said no, with a code and a sentence that says what to do."""

    code = "console.verb_refused"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal

    @property
    def status(self) -> int:
        """Give the status of the page that says so."""
        return STATUS_OF_REFUSAL.get(self.refusal.code, CONFLICT)


@dataclass(frozen=True, slots=True)
class Console:
    """What pages are made from.  A page asks `person` first, and does everything by `ask`: rights stand there."""

    guard: Guard
    pages: Pages
    desk: Desk
    config: Config
    live: Live
    nursery: trio.Nursery  # of what goes on after an answer

    async def person(self, request: Request) -> Person:
        """Give who asks.  Raises: NotSignedIn, PageRefused: see `Guard.signed_in`."""
        person = await self.guard.signed_in(request)
        # looked at before the page asks for anything: what it shows is durable when that is answered
        request.state.badges = badges_of(self.desk, person.name)
        return person

    def roles(self, person: Person) -> frozenset[str]:
        """Give somebody's roles now, with those taken in an emergency."""
        return roles_of(self.desk, person.name)

    def may(self, person: Person, verb: str, act: str = "") -> bool:
        """Say whether somebody may ask for a verb: what one may not do is not shown."""
        return rights.may(self.roles(person), verb, act)

    async def ask(self, person: Person, verb: str, /, **args: Any) -> Any:
        """Do what somebody asks as if by their key, and give the result.  Raises: VerbRefused."""
        said = await answer_certified(self.desk, person.name, Command(verb=verb, args=args))
        if isinstance(said, Done):
            return said.result
        if isinstance(said, Busy):
            said = Refusal(code="busy", text=f"the centre is busy: try again in {said.retry_after_s:g} s")
        assert isinstance(said, Refusal)
        raise VerbRefused(said)

    def page(self, request: Request, template: str, person: Person, *, status: int = 200, **values: Any) -> Response:
        """Give one page for somebody, with the menu of what the roles may see."""
        roles = self.roles(person)  # once: they are looked up in files, and a page of 200 cards asks for each
        around = {
            "may": partial(rights.may, roles),
            "menu": menu_of(roles),
            "finds": rights.may(roles, "trace") or rights.may(roles, "batch"),
            "badges": getattr(request.state, "badges", {}),
            "insecure": self.desk.insecure,
        }
        return self.pages.page(request, template, person, status=status, **{**around, **values})


Room = Callable[[Console], Collection[Route]]  # what a file of `views` gives: its pages


def all_routes(console: Console, rooms: Iterable[Room]) -> list[Route]:
    """Give the routes of all rooms."""
    return [route for room in rooms for route in room(console)]
