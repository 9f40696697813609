"""Packing: piles that wait for people, and what left for which police station, what arrived and what did not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console

ROWS_SHOWN, PILES_SHOWN, CARDS_SHOWN = 200, 50, 20


def routes(console: Console) -> list[Route]:
    """Give `/packing`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        only = request.query_params.get("uncounted") == "1"
        rows = await console.ask(person, "consignments", **({"uncounted": True} if only else {}))
        piles = await console.ask(person, "piles")
        return console.page(
            request,
            "packing.html",
            person,
            rows=rows[:ROWS_SHOWN],
            total=len(rows),
            only=only,
            piles=piles[:PILES_SHOWN],
            piles_total=len(piles),
            cards_shown=CARDS_SHOWN,
        )

    return [Route("/packing", page)]
