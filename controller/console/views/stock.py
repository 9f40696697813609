"""Stock: where every blank is, which serials lie where, what runs out first, and what has no closing event yet."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console
from controller.core.stock import VAULT

RANGES_SHOWN, ENDS_SHOWN, ONLY_SHOWN = 200, 20, 200
STOCK_ACTS = ("receive", "issue", "return", "sample", "lost", "lost_blank", "destroy", "destroy_returned")


def routes(console: Console) -> list[Route]:
    """Give `/stock`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        ends = await console.ask(person, "open_ends")
        kinds = ends["counts"]
        only = request.query_params.get("kind", "")
        only = only if only in kinds else ""
        rows = [row for row in ends["rows"] if only in ("", row["kind"])]
        return console.page(
            request,
            "stock.html",
            person,
            shift=await console.ask(person, "shift"),
            supplies=await console.ask(person, "supplies"),
            forecast=await console.ask(person, "forecast"),
            counts=kinds,
            only=only,
            ends=rows[: ONLY_SHOWN if only else ENDS_SHOWN],
            ends_total=kinds[only] if only else sum(kinds.values()),
            books=await _books(console, person),
            acts=[act for act in STOCK_ACTS if console.may(person, "act", act)],
            vault=VAULT,
        )

    return [Route("/stock", page)]


async def _books(console: Console, person: Any) -> dict[str, Any] | None:
    """Give the sums and serials for those who may see them; who counts blind gets none."""
    if not console.may(person, "stock"):
        return None
    stock = await console.ask(person, "stock")
    held = sum(stock["accounts"].values())
    return {
        "accounts": stock["accounts"],
        "received": stock["received"],
        "held": held,
        "is_closed": stock["balanced"],
        "ranges": stock["ranges"][:RANGES_SHOWN],
        "ranges_total": len(stock["ranges"]),
    }
