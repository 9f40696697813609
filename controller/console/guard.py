"""The guard: who is asking, by which cookie, and whether a page of ours sent them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from controller.accounts.entrance import Entrance
from controller.accounts.errors import AccountError
from controller.console.forms import (
    CSRF_FIELD,
    CSRF_HEADER,
    SAFE_METHODS,
    read_form,
    require_same_origin,
    require_token,
)

LANGUAGE_S = 31_536_000  # a year


class NotSignedIn(Exception):
    """Nobody is known to ask: answered by sending them to the log-in."""

    code = "console.not_signed_in"


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and what they may do."""

    name: str
    roles: frozenset[str]
    csrf: str = field(repr=False)  # every form and every fetch that changes something brings it back
    form: Mapping[str, str] = field(default_factory=dict, repr=False)  # what an unsafe request brought


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names of the cookies, and how they are set."""

    session: str
    form: str
    language: str
    is_secure: bool

    def set(self, response: Response, name: str, value: str, longest_s: int | None = None) -> None:
        """Set one for this host alone; without `longest_s` the browser forgets it when it is closed."""
        response.set_cookie(
            name, value, max_age=longest_s, path="/", secure=self.is_secure, httponly=True, samesite="strict"
        )

    def drop(self, response: Response, name: str) -> None:
        """Have the browser forget one."""
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="strict")


def cookies(tls: bool) -> Cookies:
    """Give the cookies; without TLS, on loopback alone, a browser takes no `__Host-` cookie everywhere."""
    prefix = "__Host-cardmill-" if tls else "cardmill-"
    return Cookies(f"{prefix}session", f"{prefix}form", f"{prefix}language", tls)


@dataclass(frozen=True, slots=True)
class Guard:
    """What every page asks before it does anything.

    `roles_of` gives the roles of a name, from the one home of rights.
    """

    entrance: Entrance
    cookies: Cookies
    roles_of: Callable[[str], Collection[str]]

    async def signed_in(self, request: Request) -> Person:
        """Give who asks; of an unsafe request also its form, whose token and origin are right.

        Raises: NotSignedIn.  PageRefused 400 or 403.  AccountError: the accounts cannot be read.
        """
        token = request.cookies.get(self.cookies.session, "")
        session = self.entrance.session_of(token) if token else None
        if session is None:
            raise NotSignedIn(request.url.path)
        form: Mapping[str, str] = {}
        if request.method not in SAFE_METHODS:
            require_same_origin(request)
            sent = request.headers.get(CSRF_HEADER)
            if sent is None:
                form = await read_form(request)
                sent = form.get(CSRF_FIELD)
            require_token(sent, session.csrf)
        person = Person(session.name, frozenset(self.roles_of(session.name)), session.csrf, form)
        request.state.person = person
        return person

    async def known(self, request: Request) -> Person | None:
        """Give who asks, None where nobody is known to: for pages that say no, which keep the menu."""
        found: Person | None = getattr(request.state, "person", None)
        if found is None and request.method in SAFE_METHODS:
            with suppress(NotSignedIn, AccountError):
                found = await self.signed_in(request)
        return found

    async def anonymous_form(self, request: Request) -> Mapping[str, str]:
        """Give a form of somebody who is not logged in: the token in it is that of a cookie of ours.

        Raises: PageRefused 400 or 403.
        """
        require_same_origin(request)
        form = await read_form(request)
        require_token(form.get(CSRF_FIELD), request.cookies.get(self.cookies.form))
        return form

    def form_token(self, request: Request) -> str:
        """Give the token of this browser's forms before anybody is logged in."""
        found = request.cookies.get(self.cookies.form, "")
        return found if len(found) == 43 and found.isascii() else secrets.token_urlsafe(32)
