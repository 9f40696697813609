"""How a page is made: its template, the words of its reader's language, and what every page shows."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from controller.clock import floor_text
from controller.console.coded import coded
from controller.console.figures import age, count, told
from controller.console.guard import LANGUAGE_S, Cookies, Person
from controller.console.menu import menu_of
from controller.console.refusal_words import refused_in
from controller.console.words import language_of, other_than, said_or, say_in

SEE_OTHER = 303


def see_other(path: str) -> RedirectResponse:
    """Send the browser on to a page of the console, which it gets: what was sent is not sent again."""
    return RedirectResponse(path, SEE_OTHER)


class Pages:
    """Fills templates; what stands in a value is text, never markup."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies
        self._templates = Environment(
            loader=PackageLoader("controller.console"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"count": count, "clock": floor_text, "age": age, "coded": coded, "told": told}

    def page(
        self, request: Request, template: str, person: Person | None = None, *, status: int = 200, **values: Any
    ) -> Response:
        """Give one page, in the language of whoever asks."""
        language = self.language_of(request)
        around: dict[str, Any] = {
            "other_language": other_than(language),
            "other_query": urlencode({**request.query_params, "lang": other_than(language)}),
            "path": request.url.path,
            "person": person,
            "menu": menu_of(person.roles) if person else (),
            "finds": False,
            "badges": {},
            "insecure": False,
        }
        response = HTMLResponse(self.fragment(template, language, **{**around, **values}), status)
        if request.query_params.get("lang") == language:
            self._cookies.set(response, self._cookies.language, language, LANGUAGE_S)
        return response

    def fragment(self, template: str, language: str, **values: Any) -> str:
        """Give markup of a template in one language."""
        say = say_in(language)
        spoken = {"say": say, "said_or": partial(said_or, say), "refusal_of": partial(refused_in, say)}
        return self._templates.get_template(template).render(**spoken, language=language, **values)

    def language_of(self, request: Request) -> str:
        """Give the language of whoever asks."""
        return language_of(request, self._cookies.language)

    def refusal(
        self, request: Request, status: int, word: str = "", *values: object, person: Person | None = None
    ) -> Response:
        """Give a page that says no; to somebody who is known with the menu."""
        said = word or f"refused_{status if status in (400, 403, 404, 405, 413) else 400}"
        return self.page(request, "refused.html", person, status=status, word=said, values=values)
