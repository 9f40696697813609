"""Rights: which role may ask for what, propose and agree to what, and whose keys may connect."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller import rights
from controller.console.console import Console
from controller.wire import READING

KEYS_SHOWN = 200


def routes(console: Console) -> list[Route]:
    """Give `/rights`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        table = await console.ask(person, "rights")
        keys = await console.ask(person, "keys") if console.may(person, "keys") else []
        return console.page(
            request,
            "rights.html",
            person,
            table=table,
            looking=[row for row in table["verbs"] if row["verb"] in READING],
            doing=[row for row in table["verbs"] if row["verb"] not in READING],
            roles=rights.ROLES,
            keys=keys[:KEYS_SHOWN],
            keys_total=len(keys),
            sees_keys=console.may(person, "keys"),
        )

    return [Route("/rights", page)]
