"""Stock: where every blank is, which serials lie where, what runs out first, and what has no closing event yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller import rights
from controller.console.console import Console
from controller.console.live import View
from controller.console.pages import Pages
from controller.core.stock import VAULT
from controller.core.supply import forecast
from controller.desk.desk import Desk
from controller.desk.looking import stock_books
from controller.desk.rights import roles_of
from controller.desk.stock import shift_row, supply_rows

RANGES_SHOWN, ENDS_SHOWN, ONLY_SHOWN = 200, 20, 200
STOCK_ACTS = ("receive", "issue", "return", "sample", "lost", "lost_blank", "destroy", "destroy_returned")


def view(pages: Pages, desk: Desk) -> View:
    """Give balances, serials and what runs out as those see them who may see sums."""
    return View("stock", lambda language: _now(pages, desk, language, sees=True), lambda name: allows(desk, name))


def blind_view(pages: Pages, desk: Desk) -> View:
    """Give the same to who counts blind: no sum and no serial is in it."""
    return View("supplies", lambda language: _now(pages, desk, language, sees=False), lambda name: allows(desk, name))


def allows(desk: Desk, reader: str) -> Callable[[str], bool]:
    """Say which slots of the stock somebody is given: `load`, or `act` and its verb."""
    roles = roles_of(desk, reader)

    def is_given(slot: str) -> bool:
        verb, _, act = slot.partition(" ")
        return rights.may(roles, verb, act)

    return is_given


def _now(pages: Pages, desk: Desk, language: str, *, sees: bool) -> str:
    """Render what moves with the floor.

    Open ends are not in it: they are found among all blanks that wait, which is too much for once a second.
    """
    found = forecast(desk.state, desk.tally.inputs, desk.clock.now_floor_s(), sees)
    values = {"shift": shift_row(desk), "supplies": supply_rows(desk), "forecast": asdict(found), "vault": VAULT}
    return pages.fragment("stock_now.html", language, **values, books=_books(desk) if sees else None)


def _books(desk: Desk) -> dict[str, Any]:
    stock = stock_books(desk)
    return {
        "accounts": stock["accounts"],
        "received": stock["received"],
        "held": sum(stock["accounts"].values()),
        "is_closed": stock["balanced"],
        "ranges": stock["ranges"][:RANGES_SHOWN],
        "ranges_total": len(stock["ranges"]),
    }


def routes(console: Console) -> list[Route]:
    """Give `/stock`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "supplies")
        ends = await console.ask(person, "open_ends")
        kinds = ends["counts"]
        only = request.query_params.get("kind", "")
        only = only if only in kinds else ""
        rows = [row for row in ends["rows"] if only in ("", row["kind"])]
        live = "stock" if console.may(person, "stock") else "stock-blind"
        return console.page(
            request,
            "stock.html",
            person,
            live=live,
            now=console.live.markup(live, console.pages.language_of(request), person.name),
            counts=kinds,
            only=only,
            ends=rows[: ONLY_SHOWN if only else ENDS_SHOWN],
            ends_total=kinds[only] if only else sum(kinds.values()),
            acts=[act for act in STOCK_ACTS if console.may(person, "act", act)],
        )

    return [Route("/stock", page)]
