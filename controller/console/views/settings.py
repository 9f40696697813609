"""The settings as they are: each with its unit, its default, and a mark where it was changed."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console


def routes(console: Console) -> list[Route]:
    """Give `/settings`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        rows = await console.ask(person, "settings")
        only = request.query_params.get("changed") == "1"
        shown = [row for row in rows if row["changed"] or not only]
        sections = {name: list(mine) for name, mine in groupby(shown, key=lambda row: row["section"])}
        return console.page(
            request,
            "settings.html",
            person,
            sections=sections,
            only=only,
            changed=sum(row["changed"] for row in rows),
        )

    return [Route("/settings", page)]
