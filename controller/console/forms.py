"""What a form brings: named texts, and proof that a page of this console sent it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

FIELDS_MAX = 64
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD"})
FORM = "application/x-www-form-urlencoded"


class PageRefused(Exception):
    """A request that is answered with a page saying no."""

    code = "console.refused"

    def __init__(self, status: int) -> None:
        super().__init__(f"{self.code}: {status}")
        self.status = status


async def read_form(request: Request) -> Mapping[str, str]:
    """Give the fields of a form, each once.  Raises: PageRefused 400: it is no form of ours."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise PageRefused(400)
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict",
                          max_num_fields=FIELDS_MAX)  # fmt: skip
    except ValueError:  # a UnicodeDecodeError is one too
        raise PageRefused(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PageRefused(400)
    return fields


def require_same_origin(request: Request) -> None:
    """Make sure that a page of this console sent the request.  Raises: PageRefused 403.

    A browser under our `Referrer-Policy: no-referrer` sends `Origin: null` with a form of ours, so there only its own
    word Sec-Fetch-Site tells; one that does not know that word has to name the origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    is_ours = origin == own if site is None else site == "same-origin" and origin in (own, "null", None)
    if not is_ours:
        raise PageRefused(403)


def require_token(sent: str | None, expected: str | None) -> None:
    """Make sure that what was sent is the token of the session or of the form.  Raises: PageRefused 403."""
    if not sent or not expected or not hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode()):
        raise PageRefused(403)
