"""What the console says, in English and Chinese, and in which of the two it speaks to somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po
from starlette.requests import Request

LANGUAGES = ("zh", "en")
Say = Callable[..., str]


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Give what every key says in a language: all `.po` files of its folder together, in which no key stands twice."""
    said: dict[str, str] = {}
    for page in sorted(files("controller.console").joinpath("locale", language).iterdir(), key=lambda one: one.name):
        if page.name.endswith(".po"):
            with page.open("rb") as lines:
                words = {str(one.id): str(one.string) for one in read_po(lines, language, abort_invalid=True) if one.id}
            assert not said.keys() & words.keys(), f"{page.name}: {sorted(said.keys() & words.keys())}"
            said |= words
    return said


def say_in(language: str) -> Say:
    """Give what says a key in one language, its `{}` filled with values; Raises: KeyError: nobody wrote it."""
    words = catalogue(language)
    return lambda key, /, *values, **named: words[key].format(*values, **named)  # a value may be named `key` too


def said_or(say: Say, key: str, otherwise: str) -> str:
    """Give what a key says, or another text where it is not of the console's own: a code of the service, say."""
    try:
        return say(key)
    except KeyError:
        return otherwise


def other_than(language: str) -> str:
    """Give the other language."""
    return LANGUAGES[1 - LANGUAGES.index(language)]


def language_of(request: Request, cookie: str) -> str:
    """Give the language somebody chose, or the first of the two that the browser names, or Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(cookie)):
        if chosen in LANGUAGES:
            return chosen
    wanted = []
    for at, part in enumerate(request.headers.get("accept-language", "")[:200].split(",")):
        tag, _, rest = part.partition(";")
        wanted.append((-_weight(rest), at, tag.strip().lower().partition("-")[0]))
    return next((tag for weight, _, tag in sorted(wanted) if weight and tag in LANGUAGES), LANGUAGES[0])


def _weight(rest: str) -> float:
    try:
        return float(rest.strip().removeprefix("q=")) if rest else 1.0
    except ValueError:
        return 0.0
