"""The audit: where the chain stands, who did what and when, refused attempts and looks, a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.audit.groups import GROUPS, PEOPLE
from controller.console.console import Console
from devices.peers import NAME

ROWS = 100


def routes(console: Console) -> list[Route]:
    """Give `/audit`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        sent = request.query_params
        asked, wrong = read(sent)
        found = await console.ask(person, "audit", limit=ROWS, **asked)
        older = {name: sent[name] for name in ("by", "group") if sent.get(name)} | {"before": found["older"]}
        return console.page(
            request,
            "audit.html",
            person,
            found=found,
            groups=tuple(GROUPS),
            group=asked["group"],
            by=sent.get("by", "")[:32],
            until=sent.get("until", "")[:19],
            wrong=wrong,
            older=urlencode(older) if found["older"] else "",
            is_first="before" not in asked,
        )

    return [Route("/audit", page)]


def read(sent: Any) -> tuple[dict[str, Any], list[str]]:
    """Give the arguments of the verb that a link or form asks for, and the names of what will not do."""
    asked: dict[str, Any] = {"group": sent.get("group") if sent.get("group") in GROUPS else PEOPLE}
    wrong, by, until, before = [], sent.get("by", ""), sent.get("until", ""), sent.get("before", "")
    if by and NAME.fullmatch(by):
        asked["by"] = by
    elif by:
        wrong.append("by")
    if before.isascii() and before.isdigit() and len(before) < 16:
        asked["before"] = int(before)
    elif until:
        try:
            asked["until_floor_s"] = datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            wrong.append("until")
    if asked.get("until_floor_s", 0.0) < 0:
        asked.pop("until_floor_s")
        wrong.append("until")
    return asked, wrong
