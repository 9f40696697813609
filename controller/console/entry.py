"""The pages by which people come in, change their password, and leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.accounts.entrance import Answer, Entered, HeldOff
from controller.accounts.errors import AccountError
from controller.console.guard import Guard, NotSignedIn, Person
from controller.console.pages import Pages, see_other

ACCOUNT = "/account"
WRONG, TOO_EARLY, BUSY = 401, 429, 503
TYPED_WRONG = {"accounts.password", "accounts.bad_name", "accounts.not_first"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Log-in, first run, password and log-out."""

    guard: Guard
    pages: Pages
    home: Callable[[Person], str]

    def routes(self) -> list[Route]:
        """Give what is served, by path."""
        return [
            Route("/", self.start),
            Route(ACCOUNT, self.account),
            Route("/login", self.log_in, methods=["GET", "POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/first-run", self.first_run, methods=["GET", "POST"]),
            Route("/password", self.change_password, methods=["GET", "POST"]),
        ]

    async def start(self, request: Request) -> Response:
        """Lead somebody to the page that the roles begin with."""
        person = await self.guard.signed_in(request)
        home = self.home(person)
        return self._own(request, person) if home == ACCOUNT else see_other(home)

    async def account(self, request: Request) -> Response:
        """Say who somebody is, and which roles they have."""
        return self._own(request, await self.guard.signed_in(request))

    def _own(self, request: Request, person: Person) -> Response:
        return self.pages.page(request, "home.html", person, word="", values=(), is_done=False)

    async def log_in(self, request: Request) -> Response:
        """Show the form, or let somebody in."""
        if request.method != "POST":
            return await self._shown(request, "login.html")
        form = await self.guard.anonymous_form(request)
        name, password, code = _texts(form, "name", "password", "code")
        try:
            answer = await self.guard.entrance.log_in(name, password, code, _address(request))
        except AccountError as error:
            return self._form(request, "login.html", status_of(error), error.code)
        return self._answered(request, "login.html", answer, "wrong")

    async def first_run(self, request: Request) -> Response:
        """Show the form, or make the first account of all."""
        if self.guard.entrance.file.read():
            return see_other("/login")
        if request.method != "POST":
            return await self._shown(request, "first_run.html")
        form = await self.guard.anonymous_form(request)
        code, name, password, again = _texts(form, "code", "name", "password", "again")
        if password != again:
            return self._form(request, "first_run.html", 400, "not_same")
        try:
            answer = await self.guard.entrance.begin_first(code, name, password, _address(request))
        except AccountError as error:
            return self._form(request, "first_run.html", status_of(error), error.code)
        return self._answered(request, "first_run.html", answer, "wrong_first")

    async def change_password(self, request: Request) -> Response:
        """Give somebody who is logged in another password."""
        person = await self.guard.signed_in(request)
        if request.method != "POST":
            return see_other(ACCOUNT)
        old, new, again = _texts(person.form, "old", "new", "again")

        def said(status: int, word: str, *values: object) -> Response:
            return self.pages.page(request, "home.html", person, status=status, word=word, values=values, is_done=False)

        if new != again:
            return said(400, "not_same")
        try:
            answer = await self.guard.entrance.change_password(person.name, old, new, _address(request))
        except AccountError as error:
            return said(status_of(error), error.code)
        if isinstance(answer, Entered):
            return self._in(answer)
        return said(*_saying(answer, "wrong"))

    async def log_out(self, request: Request) -> Response:
        """End somebody's session."""
        await self.guard.signed_in(request)
        self.guard.entrance.sessions.end(request.cookies[self.guard.cookies.session])
        response = see_other("/login")
        self.guard.cookies.drop(response, self.guard.cookies.session)
        return response

    async def _shown(self, request: Request, template: str) -> Response:
        try:
            await self.guard.signed_in(request)
        except NotSignedIn:
            return self._form(request, template, 200, "")
        return see_other("/")

    def _answered(self, request: Request, template: str, answer: Answer, wrong: str) -> Response:
        if isinstance(answer, Entered):
            self.guard.entrance.sessions.end(request.cookies.get(self.guard.cookies.session, ""))
            return self._in(answer)
        status, word, *values = _saying(answer, wrong)
        return self._form(request, template, status, word, *values)

    def _in(self, answer: Entered) -> Response:
        """Send somebody in with a new session; whatever number the browser had before is worth nothing."""
        response = see_other("/")
        self.guard.cookies.set(response, self.guard.cookies.session, answer.token)
        self.guard.cookies.drop(response, self.guard.cookies.form)
        return response

    def _form(self, request: Request, template: str, status: int, word: str, *values: object) -> Response:
        token = self.guard.form_token(request)
        is_first = not self.guard.entrance.file.read()
        response = self.pages.page(
            request, template, status=status, token=token, word=word, values=values, is_first=is_first
        )
        self.guard.cookies.set(response, self.guard.cookies.form, token)
        if status == TOO_EARLY:
            response.headers["Retry-After"] = str(values[0])
        return response


def status_of(error: AccountError) -> int:
    """Give the status of an answer that an error of accounts made."""
    return 400 if error.code in TYPED_WRONG else BUSY


def _saying(answer: Answer, wrong: str) -> tuple[Any, ...]:
    """Give status, word and its values."""
    return (TOO_EARLY, "wait", math.ceil(answer.wait_s)) if isinstance(answer, HeldOff) else (WRONG, wrong)


def _texts(form: Mapping[str, str], *names: str) -> list[str]:
    return [form.get(name, "") for name in names]


def _address(request: Request) -> str:
    """Give from where somebody asks: the peer itself, for a header that names another could be anybody's."""
    return request.client.host if request.client else ""
