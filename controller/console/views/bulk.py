"""One act about many cards: choose them, see how many it changes, say yes, watch it, and read what failed and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.bulk import CARDS_MAX, Ask, Bulk, Choice, Stopped
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.pages import see_other
from controller.console.views.review import number_in
from controller.core.cards import FINAL
from controller.core.review_folds import SHARED_NUMBER
from controller.desk.quality import CODE

NOT_ANY_MORE = 409
FAILED_ROWS = 200
BATCH_PAGE, REVIEW_PAGE = 500, 1_000
VERBS = {  # what can be done about many: the verb, the name of its word, and further arguments
    "hold": ("hold_card", "code", {}),
    "release": ("release_card", "", {}),
    "express": ("express", "reason", {}),
    "accept": ("decide", "reason", {"decision": "release"}),
    "refuse": ("decide", "reason", {"decision": "refuse"}),
}
OF_REVIEW = ("accept", "refuse")
NOT_IMPOSED = ("accepted", "ready")


def routes(console: Console) -> list[Route]:
    """Give `/bulk` (what is chosen), `/bulk/<number>/begin` (yes) and `/bulk/<number>` (how far it is)."""
    bulk = Bulk()
    console.nursery.start_soon(bulk.run)

    async def choose(request: Request) -> Response:
        person = await console.person(request)
        do, word = person.form.get("do", ""), person.form.get("word", "")
        if do not in VERBS:
            raise HTTPException(400)
        verb, name, fixed = VERBS[do]
        if not console.may(person, verb):
            raise HTTPException(403)
        back, cards = await _chosen(console, person, do)
        args = {**fixed, **({name: word} if name else {})}
        wrong = "bulk.wrong_word" if name and not CODE.fullmatch(word) else "" if cards else "bulk.none_fits"
        number = "" if wrong else bulk.keep(Choice(person.name, do, args, tuple(cards), back))
        values = {"do": do, "word": word if name else "", "cards": cards, "back": back, "wrong": wrong}
        return console.page(request, "bulk.html", person, status=400 if wrong else 200, **values, number=number)

    async def begin(request: Request) -> Response:
        person = await console.person(request)
        number = request.path_params["number"]
        run = bulk.begin(number, person.name, lambda choice: _ask(console, person, choice))
        if run is None and bulk.run_of(number, person.name) is None:
            return console.pages.refusal(request, NOT_ANY_MORE, "bulk.not_any_more")
        return see_other(f"/bulk/{number}")

    async def watch(request: Request) -> Response:
        person = await console.person(request)
        run = bulk.run_of(request.path_params["number"], person.name)
        if run is None:
            raise HTTPException(404)
        after = number_in(request.query_params.get("after", "0"))
        rows = run.failed[after : after + FAILED_ROWS]
        more = after + FAILED_ROWS if len(run.failed) > after + FAILED_ROWS else 0
        return console.page(request, "bulk_run.html", person, run=run, rows=rows, more=more)

    return [
        Route("/bulk", choose, methods=["POST"]),
        Route("/bulk/{number:str}", watch),
        Route("/bulk/{number:str}/begin", begin, methods=["POST"]),
    ]


def _ask(console: Console, person: Person, choice: Choice) -> Ask:
    verb = VERBS[choice.verb][0]

    async def portion(cards: list[int]) -> dict[str, Any]:
        try:
            return dict(await console.ask(person, verb, cards=cards, **choice.args))
        except VerbRefused as error:
            raise Stopped(error.refusal.code) from None

    return portion


async def _chosen(console: Console, person: Person, do: str) -> tuple[str, list[int]]:
    """Give where the choice was made, and the cards in it that the act fits."""
    form = person.form
    if do in OF_REVIEW:
        code = form.get("code", "")
        pages = _review_pages(console, person, code)
        back = f"/review?code={quote(code, safe='')}" if code else "/review"
    else:
        number, state = form.get("batch_number", ""), form.get("state", "")
        pages = _batch_pages(console, person, number, state)
        back = f"/batches/{quote(number, safe='')}"
    cards: list[int] = []
    async for page in pages:
        cards += [row["card"] for row in page if _fits(do, row)]
    return back, cards[:CARDS_MAX]


async def _batch_pages(
    console: Console, person: Person, number: str, state: str
) -> AsyncIterator[list[dict[str, Any]]]:
    after, asked = 0, {"batch_number": number, "limit": BATCH_PAGE, **({"state": state} if state else {})}
    while True:
        found = await console.ask(person, "batch", after=after, **asked)
        yield found["cards"]
        after = found["after"]
        if not after:
            return


async def _review_pages(console: Console, person: Person, code: str) -> AsyncIterator[list[dict[str, Any]]]:
    after, seen = 0, 0
    while seen < CARDS_MAX:
        asked = {"after": after, "limit": REVIEW_PAGE, **({"code": code} if code else {})}
        rows = await console.ask(person, "review", **asked)
        yield rows
        if len(rows) < REVIEW_PAGE:
            return
        after, seen = rows[-1]["card"], seen + len(rows)


def _fits(do: str, row: dict[str, Any]) -> bool:
    """Say whether an act can be done about a card as it is now; what changes meanwhile fails with its code."""
    if do in OF_REVIEW:
        return row["state"] == "held" and SHARED_NUMBER not in row["codes"]
    if do == "release":
        return bool(row["hold"])
    if do == "express":
        return row["state"] in NOT_IMPOSED and not row["express"]
    return row["state"] not in FINAL and not row["hold"]
