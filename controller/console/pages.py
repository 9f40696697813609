"""How a page is made: its template, the words of its reader's language, and what every page shows."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from controller.console.guard import LANGUAGE_S, Cookies, Person
from controller.console.words import language_of, other_than, say_in

STYLE = files("controller.console").joinpath("console.css").read_bytes()


class Pages:
    """Fills templates; what stands in a value is text, never markup."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies
        self._templates = Environment(
            loader=PackageLoader("controller.console"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def page(
        self, request: Request, template: str, person: Person | None = None, *, status: int = 200, **values: Any
    ) -> Response:
        """Give one page, in the language of whoever asks."""
        language = language_of(request, self._cookies.language)
        text = self._templates.get_template(template).render(
            say=say_in(language), language=language, other_language=other_than(language), person=person, **values
        )
        response = HTMLResponse(text, status)
        if request.query_params.get("lang") == language:
            self._cookies.set(response, self._cookies.language, language, LANGUAGE_S)
        return response

    def refusal(self, request: Request, status: int, word: str = "", *values: object) -> Response:
        """Give a page that says no."""
        said = word or f"refused_{status if status in (400, 403, 404, 405, 413) else 400}"
        return self.page(request, "refused.html", status=status, word=said, values=values)


async def style(request: Request) -> Response:
    """Give the style sheet."""
    return Response(STYLE, media_type="text/css")
