"""The campaign: how far each county is against its plan and the acceptance line, and what it brought."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.campaign.plan import MONTH
from controller.console.console import Console

ROWS = 100  # counties of one page


def routes(console: Console) -> list[Route]:
    """Give `/campaign`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        months = {name: request.query_params.get(name, "") for name in ("from", "to")}
        is_wrong = any(text and not MONTH.fullmatch(text) for text in months.values())
        is_wrong = is_wrong or bool(months["from"] and months["to"] and months["from"] > months["to"])
        asked = {} if is_wrong else {name: text for name, text in months.items() if text}
        found: dict[str, Any] = await console.ask(person, "campaign", **asked)
        units = found["units"]
        at = page_of(request.query_params.get("page", ""), len(units))
        rows = units[(at - 1) * ROWS : at * ROWS]
        most = max([100.0, *(row["completed_percent"] for row in units)])
        return console.page(
            request,
            "campaign.html",
            person,
            found=found,
            rows=rows,
            at=at,
            pages=pages_for(len(units)),
            most=most,
            is_wrong=is_wrong,
        )

    return [Route("/campaign", page)]


def pages_for(rows: int) -> int:
    """Give how many pages so many rows take, one at least."""
    return max(1, -(-rows // ROWS))


def page_of(text: str, rows: int) -> int:
    """Give the page somebody asks for, the nearest there is."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(1, number), pages_for(rows))
