"""The console's application: its routes, what is said when they refuse, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from controller.accounts.entrance import Entrance
from controller.accounts.errors import AccountError
from controller.console.bounds import REQUEST_S, Bounds
from controller.console.console import VerbRefused
from controller.console.entry import ACCOUNT, Entry, status_of
from controller.console.forms import SAFE_METHODS, PageRefused
from controller.console.guard import Guard, NotSignedIn, Person, cookies
from controller.console.pages import Pages, see_other
from controller.console.refused_pages import NO_SESSION, RefusedPages
from controller.console.static_files import static_routes
from controller.console.strict_headers import StrictHeaders
from controller.known_hosts import KnownHosts
from controller.refusals import Note, not_counted

log = structlog.get_logger()

More = Callable[[Guard, Pages], Collection[Route]]


def console_app(
    entrance: Entrance,
    roles_of: Callable[[str], Collection[str]],
    *,
    tls: bool,
    request_s: float = REQUEST_S,
    more: More = lambda guard, pages: (),
    home: Callable[[Person], str] = lambda person: ACCOUNT,
    refused: Note = not_counted,
) -> ASGIApp:
    """Give the console as ASGI.

    `more` gives further pages, each of which asks `guard.signed_in` first; `home` the one somebody begins with.
    `refused` is called with a code for each request that is answered with no.
    """
    guard = Guard(entrance, cookies(tls), roles_of)
    pages = Pages(guard.cookies)
    routes = [*Entry(guard, pages, home).routes(), *static_routes(), *more(guard, pages)]

    async def to_log_in(request: Request, error: Exception) -> Response:
        response = see_other("/login")
        if guard.cookies.session in request.cookies or request.method not in SAFE_METHODS:
            refused(NO_SESSION)  # who only has not logged in yet is shown where
        if guard.cookies.session in request.cookies:
            guard.cookies.drop(response, guard.cookies.session)
        return response

    async def said_no(request: Request, error: Exception) -> Response:
        assert isinstance(error, PageRefused | HTTPException)
        status = getattr(error, "status", 0) or getattr(error, "status_code", 400)
        response = pages.refusal(request, status, person=await guard.known(request))
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    async def unreadable(request: Request, error: Exception) -> Response:
        assert isinstance(error, AccountError)
        log.error("accounts cannot be used", code=error.code)
        return pages.refusal(request, status_of(error), "accounts.unavailable")

    async def verb_refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, VerbRefused)
        return pages.page(request, "no.html", await guard.known(request), status=error.status, refusal=error.refusal)

    handlers = {
        VerbRefused: verb_refused,
        NotSignedIn: to_log_in,
        PageRefused: said_no,
        HTTPException: said_no,
        AccountError: unreadable,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # such a redirect would be built from the Host that the peer named
    bounded = Bounds(app, request_s=request_s)
    return StrictHeaders(RefusedPages(bounded if tls else KnownHosts(bounded), refused), tls=tls)
