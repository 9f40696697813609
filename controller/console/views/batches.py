"""The batches: which are late and why, how far each is, and one with all of its applications."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.views.card import HOLD_CODES
from controller.console.views.review import number_in
from controller.core.cards import State

ROWS, CARDS = 50, 200
ONLY = ("late", "open", "held", "closed", "all")


def routes(console: Console) -> list[Route]:
    """Give `/batches` and `/batches/<number>`."""

    async def batches(request: Request) -> Response:
        person = await console.person(request)
        only, after = request.query_params.get("only", ""), number_in(request.query_params.get("after", "0"))
        if only and only not in ONLY:
            raise HTTPException(404)
        found = await _found(console, person, only or "late", after)
        if not only and not found["rows"]:
            only, found = "open", await _found(console, person, "open", after)
        only = only or "late"
        more = urlencode({"only": only, "after": found["after"]}) if found["after"] else ""
        values = {"rows": found["rows"], "only": only, "tabs": ONLY, "more": more, "is_first": not after}
        return console.page(request, "batches.html", person, **values)

    async def batch(request: Request) -> Response:
        person = await console.person(request)
        number, after = request.path_params["number"], number_in(request.query_params.get("after", "0"))
        state = request.query_params.get("state", "")
        if state and state not in list(State):
            raise HTTPException(404)
        asked = {"batch_number": number, "after": after, "limit": CARDS, **({"state": state} if state else {})}
        found = await console.ask(person, "batch", **asked)
        more = urlencode({"state": state, "after": found["after"]}) if found["after"] else ""
        values = {"batch": found, "why": await _why(console, person, found), "more": more, "state": state}
        return console.page(
            request, "batch.html", person, **values, hold_codes=HOLD_CODES, after=after, states=list(State)
        )

    return [Route("/batches", batches), Route("/batches/{number:str}", batch)]


async def _found(console: Console, person: Person, only: str, after: int) -> dict[str, Any]:
    named = {} if only == "all" else {"only": only}
    return dict(await console.ask(person, "batches", **named, after=after, limit=ROWS))


async def _why(console: Console, person: Person, batch: dict[str, Any]) -> dict[str, Any]:
    """Give the sentences that say what a batch waits for, as its row has them when it is late."""
    told = {name: batch[name] for name in ("sentence_en", "sentence_zh")}
    if told["sentence_en"]:
        return told
    try:
        return dict(await console.ask(person, "why", thing=batch["batch_number"]))
    except VerbRefused:
        return told
