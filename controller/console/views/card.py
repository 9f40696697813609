"""One card: its story, where it is now and why, and a look at the person's data, which is recorded."""

from __future__ import annotations

from functools import partial
from typing import Any

import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.application import ACCEPTANCE_DIGITS
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.portraits import FACE_FIELDS, Pictures, pictures_of
from controller.desk.desk import MAX_REASON

FIELDS_OF = {"portrait": (), "face": FACE_FIELDS}  # what a look shows besides the portrait
HOLD_CODES = ("wrong_data", "quality_doubt", "asked_by_police", "stock_doubt", "other")


def routes(console: Console) -> list[Route]:
    """Give `/cards/<card>`: GET shows no personal field, POST looks."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        told = await _told(console, person, request.path_params["card"])
        if request.method != "POST":
            return console.page(request, "card.html", person, **told, **NO_LOOK)
        what = person.form.get("what", "portrait")
        if what not in FIELDS_OF:
            raise HTTPException(400)
        try:
            seen = await looked(console, person, told["card"]["card"], FIELDS_OF[what])
        except VerbRefused as error:
            reason = person.form.get("reason", "")[:MAX_REASON]
            values = {**NO_LOOK, "refusal": error.refusal, "reason": reason}
            return console.page(request, "card.html", person, status=error.status, **told, **values)
        return console.page(request, "card.html", person, **told, **{**NO_LOOK, **seen})

    return [Route("/cards/{card:str}", page, methods=["GET", "POST"])]


NO_LOOK: dict[str, Any] = {"seen": None, "pictures": None, "refusal": None, "reason": ""}


async def looked(console: Console, person: Person, card: int, fields: tuple[str, ...]) -> dict[str, Any]:
    """Look at fields and portrait of a card, and give both with its pictures.  Raises: VerbRefused."""
    args = {"card": card, "reason": person.form.get("reason", ""), "fields": list(fields)}
    seen = await console.ask(person, "look", **args, portrait=True, chip=True)
    return {"seen": seen, "pictures": await pictured(console, seen)}


async def pictured(console: Console, seen: dict[str, Any]) -> Pictures | None:
    """Give the pictures of a look, None when the portrait was not looked at."""
    if not seen["portrait"]:
        return None
    flatten = console.config.portraits.flatten_background
    make = partial(pictures_of, seen["card"], seen["shown"], seen["portrait"], seen.get("chip", b""), flatten=flatten)
    return await trio.to_thread.run_sync(make)


async def _told(console: Console, person: Person, thing: str) -> dict[str, Any]:
    """Give a card's story and why it is where it is.  Raises: VerbRefused; HTTPException 404: this is no number."""
    if not (thing.isascii() and thing.isdigit() and len(thing) <= ACCEPTANCE_DIGITS):
        raise HTTPException(404)
    card = await console.ask(person, "trace", card=thing)
    why = card["past"] or await _why(console, person, card["card"])
    lain = [one for one in card["happened"] if one["sheet_id"]]
    because = why["facts"].get("because", "") if why else ""
    return {
        "card": card,
        "why": why,
        "last_sheet": lain[-1] if lain else None,
        "is_held": because == "held_by",
        "is_batch_held": because == "batch_held_by",
        "is_final": card["state"] in ("refused", "cancelled", "refused_late", "dispatched"),
        "hold_codes": HOLD_CODES,
        "stations": {one["station"] for one in card["happened"] if one["station"]},
    }


async def _why(console: Console, person: Person, card: int) -> dict[str, Any] | None:
    """Give why a card that is not over is where it is; None when it is over in this moment."""
    try:
        return dict(await console.ask(person, "why", thing=f"card {card}"))
    except VerbRefused:
        return None
