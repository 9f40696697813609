"""How anything is done in the console: what is asked for, what it will change, yes, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.actions import ACTIONS, CHOICE, NUMBER, Action, Asked
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.once import Once
from controller.console.pages import see_other
from controller.console.previews import preview_of

DIGITS_MAX = 16
MISSING = "wrong.missing"
ASK = "ask"  # in a link: show the form, though all that must be typed is there
NOTHING: Mapping[str, Any] = {
    "wrong": {},
    "nonce": "",
    "preview": None,
    "back": "/",
    "word": "",
    "refusal": None,
    "result": None,
}
Typed = dict[str, str | int]


@dataclass(slots=True)
class Acting:
    """The pages `/do/<action>`: GET asks, POST shows what it will change, a second POST does it, once."""

    console: Console
    once: Once = field(default_factory=Once)

    def routes(self) -> list[Route]:
        """Give the route of all actions."""
        return [Route("/do/{action:str}", self.act, methods=["GET", "POST"])]

    async def act(self, request: Request) -> Response:
        """Ask, show, or do."""
        person = await self.console.person(request)
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404)
        if not self.console.may(person, action.verb, action.act):
            raise HTTPException(403)
        sent = person.form if request.method == "POST" else request.query_params
        typed, wrong = read(action, sent)
        if wrong and request.method == "POST":
            return self._page(request, person, action, "ask", 400, typed=_as_sent(action, sent), wrong=wrong)
        if wrong or (request.method != "POST" and ASK in sent):
            # a link may bring some of what is asked: the rest is not wrong, but not typed yet
            wrong = {name: word for name, word in wrong.items() if word != MISSING}
            return self._page(request, person, action, "ask", typed=_as_sent(action, sent), wrong=wrong)
        if request.method != "POST" or "nonce" not in person.form:
            preview = await preview_of(self.console, person, action, typed)
            return self._page(request, person, action, "show", typed=typed, nonce=Once.nonce(), preview=preview)
        return await self._do(request, person, action, typed)

    async def _do(self, request: Request, person: Person, action: Action, typed: Typed) -> Response:
        """Do it, unless this confirmation was used: a page that is loaded again does nothing again."""
        nonce = person.form["nonce"]
        back = action.back.format(**{name: quote(str(value), safe="") for name, value in typed.items()})
        if not self.once.take(nonce):
            word = self.once.word_of(nonce)
            return self._page(request, person, action, "done", 409, typed=typed, back=back, word=word)
        try:
            result = await self.console.ask(person, action.verb, **action.args(typed))
        except VerbRefused as error:
            self.once.give_back(nonce)
            said = error.refusal
            return self._page(request, person, action, "done", error.status, typed=typed, back=back, refusal=said)
        self.once.is_done(nonce)
        if action.goes_on:
            return see_other(back)
        return self._page(request, person, action, "done", typed=typed, back=back, result=result)

    def _page(
        self, request: Request, person: Person, action: Action, stage: str, status: int = 200, **values: object
    ) -> Response:
        shown = {"action": action, "stage": stage, **NOTHING, **values}
        return self.console.page(request, "action.html", person, status=status, **shown)


def read(action: Action, sent: Mapping[str, str]) -> tuple[Typed, dict[str, str]]:
    """Give what was typed, and by name a word for each thing that will not do."""
    typed: Typed = {}
    wrong: dict[str, str] = {}
    for one in action.asked:
        text = sent.get(one.name, "").strip()
        if not text:
            if not one.is_optional:
                wrong[one.name] = MISSING
        elif word := _unfit(one, text):
            wrong[one.name] = word
        else:
            typed[one.name] = int(text) if one.kind == NUMBER else text
    return typed, wrong


def _unfit(one: Asked, text: str) -> str:
    if one.kind == NUMBER:
        return "" if text.isascii() and text.isdigit() and len(text) < DIGITS_MAX else "wrong.number"
    if one.kind == CHOICE and text not in one.choices:
        return "wrong.choice"
    return "" if len(text) <= one.longest and text.isprintable() else "wrong.text"


def _as_sent(action: Action, sent: Mapping[str, str]) -> dict[str, str]:
    return {one.name: sent.get(one.name, "")[: one.longest] for one in action.asked}
