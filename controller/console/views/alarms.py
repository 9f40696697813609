"""The alarms: everything that is wrong now, the gravest first, and who takes care of it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.andon.words import row_of
from controller.console.console import Console
from controller.console.live import View
from controller.console.pages import Pages
from controller.desk.andon import standing_alarms
from controller.desk.desk import Desk

PLACES = {  # codes of alarms, by the first word, to the page where one sees more and does something
    "station": "/stations/{}",
    "batch": "/batches/{}",
    "card": "/review",
    "reject": "/stock",
    "return": "/stock",
    "shift": "/stock",
    "stock": "/stock",
    "input": "/stock",
    "consignment": "/packing",
    "pile": "/packing",
}


def rows(desk: Desk, language: str) -> list[dict[str, Any]]:
    """Give the alarms that stand now with their sentences in one language, and where to go."""
    now = desk.clock.now_floor_s()
    found = []
    for alarm in standing_alarms(desk):
        row = row_of(alarm, now)
        said = {"cause": row[f"cause_{language}"], "what_to_do": row[f"to_do_{language}"]}
        found.append({**row, **said, "place": place_of(desk, alarm.code, alarm.subject)})
    return found


def place_of(desk: Desk, code: str, subject: str) -> str:
    """Give the page where one sees more of an alarm, empty where there is none."""
    kind = code.partition(".")[0]
    place = PLACES.get(kind, "")
    if "{}" not in place:
        return place
    if kind == "batch":  # the alarm names it as the core does, people and pages by upstream's number
        batch = desk.state.batches.get(int(subject)) if subject.isdecimal() else None
        subject = batch.batch_number if batch else ""
    return place.format(subject) if subject else ""


def view(pages: Pages, desk: Desk) -> View:
    """Give the list as everybody sees it."""
    return View("alarms", lambda language: pages.fragment("alarms_now.html", language, alarms=rows(desk, language)))


def routes(console: Console) -> list[Route]:
    """Give `/alarms`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "alarms")
        now = console.live.markup("alarms", console.pages.language_of(request))
        return console.page(request, "alarms.html", person, now=now)

    return [Route("/alarms", page)]
