"""The end of a shift, step by step: count every place without being told its number, then propose to close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.acting import DIGITS_MAX
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.once import Once
from controller.core.stock import COUNTED_PLACES, SPOILED

FIELD = "at."  # before a place's name: the field of its count
ACT = "close_shift"


def routes(console: Console) -> list[Route]:
    """Give `/stock/shift`: GET asks for counts, POST shows them, a second POST records them and proposes to close."""
    once = Once()

    async def page(request: Request) -> Response:
        person = await console.person(request)
        shift = await console.ask(person, "shift")
        if request.method != "POST":
            return _shown(console, request, person, shift, "ask")
        counts, wrong = read_counts(person.form, [*shift["counted"], *shift["not_counted"]])
        if wrong:
            typed = {place: person.form.get(FIELD + place, "")[:DIGITS_MAX] for place in wrong} | counts
            return _shown(console, request, person, shift, "ask", 400, typed=typed, wrong=wrong)
        if "nonce" not in person.form:
            return _shown(console, request, person, shift, "show", typed=counts, nonce=once.nonce())
        if not once.take(person.form["nonce"]):
            return _shown(console, request, person, shift, "done", 409, word=once.word_of(person.form["nonce"]))
        said = await _close(console, person, counts)
        once.is_done(person.form["nonce"])
        return _shown(console, request, person, await console.ask(person, "shift"), "done", typed=counts, **said)

    return [Route("/stock/shift", page, methods=["GET", "POST"])]


async def _close(console: Console, person: Person, counts: Mapping[str, int]) -> dict[str, Any]:
    """Record the counts, then propose to close when each was taken; give what was refused, and the act's number."""
    refused = {}
    for place, counted in counts.items():
        try:
            await console.ask(person, "count", place=place, counted=counted)
        except VerbRefused as error:
            refused[place] = error.refusal
    if refused or not console.may(person, "act", ACT):
        return {"refused": refused}
    try:
        return {"act_id": (await console.ask(person, "act", verb=ACT, args={}))["act_id"]}
    except VerbRefused as error:
        return {"refused": {"": error.refusal}}


def read_counts(form: Mapping[str, str], places: list[str]) -> tuple[dict[str, int], list[str]]:
    """Give what was counted by place, and the places whose count is no number; an empty field is no count."""
    typed = {place: form.get(FIELD + place, "").strip() for place in places}
    good = {place: text.isascii() and text.isdigit() and len(text) < DIGITS_MAX for place, text in typed.items()}
    counts = {place: int(text) for place, text in typed.items() if good[place]}
    return counts, [place for place, text in typed.items() if text and not good[place]]


def _shown(
    console: Console, request: Request, person: Person, shift: Any, stage: str, status: int = 200, **values: Any
) -> Response:
    around = {
        "typed": {},
        "wrong": [],
        "nonce": "",
        "word": "",
        "refused": {},
        "act_id": 0,
        "may_count": console.may(person, "count"),
        "may_close": console.may(person, "act", ACT),
    }
    around |= {"places": COUNTED_PLACES, "spoiled": SPOILED, "field": FIELD}
    return console.page(request, "shift.html", person, status=status, shift=shift, stage=stage, **{**around, **values})
