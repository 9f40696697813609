"""The review desk: what waits for a person, one look at it, one decision, and the next one opens."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.pages import see_other
from controller.console.views.card import pictured
from controller.core.review_folds import SHARED_NUMBER
from controller.desk.desk import MAX_REASON
from controller.desk.review import NAMES

ROWS = 50
CARD_DIGITS = 15
COMPARED = ("name", "sex", "ethnic", "birth", "address", "identity_number", "authority", "reason")
PORTRAIT, FIELD = "portrait", "field."


def routes(console: Console) -> list[Route]:
    """Give `/review`, `/review/<card>` (POST looks) and `/review/after/<card>`, which leads to the next one."""

    async def queue(request: Request) -> Response:
        person = await console.person(request)
        after, code = number_in(request.query_params.get("after", "0")), request.query_params.get("code", "")[:64]
        rows = await console.ask(person, "review", after=after, limit=ROWS + 1, **({"code": code} if code else {}))
        more = urlencode({"after": rows[ROWS - 1]["card"], "code": code}) if len(rows) > ROWS else ""
        codes = sorted({one for row in rows for one in row["codes"]} | ({code} if code else set()))
        values: dict[str, Any] = {
            "rows": rows[:ROWS],
            "more": more,
            "code": code,
            "codes": codes,
            "is_first": not after,
        }
        return console.page(request, "review.html", person, **values, decided=_decided(request))

    async def one(request: Request) -> Response:
        person = await console.person(request)
        row = await _row(console, person, number_in(request.path_params["card"]))
        if row is None:
            return see_other(f"/review/after/{number_in(request.path_params['card'])}")
        case: dict[str, Any] = {"row": row, "decided": _decided(request), "fields": (*NAMES, PORTRAIT), "prefix": FIELD}
        if request.method != "POST":
            return console.page(request, "review_card.html", person, **case, **NOT_SEEN)
        try:
            seen = await _looked(console, person, row)
        except VerbRefused as error:
            sides = {**NOT_SEEN, "refusal": error.refusal, "reason": person.form.get("reason", "")[:MAX_REASON]}
            return console.page(request, "review_card.html", person, status=error.status, **case, **sides)
        return console.page(request, "review_card.html", person, **case, **{**NOT_SEEN, "sides": seen})

    async def after(request: Request) -> Response:
        person = await console.person(request)
        done = number_in(request.path_params["card"])
        rows = await console.ask(person, "review", after=done, limit=1)
        rows = rows or await console.ask(person, "review", after=0, limit=1)
        there = f"/review/{rows[0]['card']}" if rows and rows[0]["card"] != done else "/review"
        return see_other(f"{there}?decided={done}")

    return [
        Route("/review", queue),
        Route("/review/after/{card:str}", after),
        Route("/review/{card:str}", one, methods=["GET", "POST"]),
    ]


NOT_SEEN: dict[str, Any] = {"sides": (), "refusal": None, "reason": ""}


def number_in(text: str) -> int:
    """Give the number that a path or query names.  Raises: HTTPException 404."""
    if not (text.isascii() and text.isdigit() and len(text) <= CARD_DIGITS):
        raise HTTPException(404)
    return int(text)


def _decided(request: Request) -> str:
    told = request.query_params.get("decided", "")
    return told if told.isascii() and told.isdigit() and len(told) <= CARD_DIGITS else ""


async def _row(console: Console, person: Person, card: int) -> dict[str, Any] | None:
    """Give the row of a card that waits, None for one that does not."""
    rows = await console.ask(person, "review", after=max(0, card - 1), limit=1)
    return rows[0] if rows and rows[0]["card"] == card else None


async def _looked(console: Console, person: Person, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Look at what is doubtful and what was asked for besides; of a shared number at the other person's too.

    Each is a look of its own in the record.
    """
    ticked = [name for name in (*NAMES, PORTRAIT) if f"{FIELD}{name}" in person.form]
    is_shared = SHARED_NUMBER in row["codes"]
    wanted = list(dict.fromkeys([*(name for name in row["fields"] if name), *ticked, *(COMPARED if is_shared else ())]))
    own = await _look(console, person, row["card"], wanted, is_shared or PORTRAIT in wanted)
    sides = [own]
    rivals = [rival for rival in own["seen"]["rivals"] if not rival["same_person"]] or own["seen"]["rivals"]
    if is_shared and rivals:
        chosen = person.form.get("rival", str(rivals[0]["card"]))
        rival = next((one for one in rivals if str(one["card"]) == chosen), rivals[0])
        sides.append(await _look(console, person, rival["card"], wanted, True))
    return sides


async def _look(console: Console, person: Person, card: int, fields: list[str], portrait: bool) -> dict[str, Any]:
    args = {"card": card, "reason": person.form.get("reason", ""), "fields": fields, "portrait": portrait}
    seen = await console.ask(person, "look", **args, chip=True)
    return {"seen": seen, "pictures": await pictured(console, seen)}
