"""The search box: whatever number somebody has of an application, batch, card or blank leads to its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.application import BATCH_DIGITS
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.pages import see_other

NOT_FOUND = 404
TYPED_MAX = 64


def routes(console: Console) -> list[Route]:
    """Give `/find`."""

    async def find(request: Request) -> Response:
        person = await console.person(request)
        typed = "".join(request.query_params.get("q", "").split())[:TYPED_MAX]
        if len(typed) >= BATCH_DIGITS and typed[:BATCH_DIGITS].isdigit() and console.may(person, "batch"):
            return see_other(f"/batches/{quote(typed, safe='')}")
        found = await _found(console, person, typed)
        if len(found) == 1 or (found and all(one["by"] == "acceptance_number" for one in found)):
            return see_other(f"/cards/{found[0]['card']}")  # the newest of an application's
        why = {} if found else await _why(console, person, typed)
        status = 200 if found or why else NOT_FOUND
        return console.page(request, "find.html", person, status=status, typed=typed, found=found, why=why)

    return [Route("/find", find)]


async def _found(console: Console, person: Person, typed: str) -> list[dict[str, Any]]:
    if not (typed.isascii() and typed.isdigit()):
        return []
    answered = await console.ask(person, "trace", find=typed)
    return list(answered["found"])


async def _why(console: Console, person: Person, typed: str) -> dict[str, Any]:
    """Give why a thing that has no page is where it is: an application that the checks refused, say, or a station."""
    try:
        return dict(await console.ask(person, "why", thing=typed)) if typed else {}
    except VerbRefused:
        return {}
