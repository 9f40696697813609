"""The floor: its line as a drawing, with what every station does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.clock import floor_text
from controller.console.console import Console
from controller.console.live import View
from controller.console.pages import Pages
from controller.core.state import SILENT
from controller.core.tally import Tally
from controller.desk.desk import Desk
from controller.desk.looking import counts_of, last_hour, station_rows, step_row
from devices.defects import Step


def view(pages: Pages, desk: Desk) -> View:
    """Give the floor as everybody sees it."""

    def make(language: str) -> str:
        return pages.fragment("floor_now.html", language, **now_of(desk))

    return View("stations", make)


def now_of(desk: Desk) -> dict[str, object]:
    """Give what the drawing shows, at one moment."""
    tally: Tally = desk.tally
    now = desk.clock.now_floor_s()
    stations = station_rows(desk)
    steps = {step.value: step_row(desk, step) for step in Step}
    return {
        "floor_time": floor_text(now),
        "steps": steps,
        "stations": {step: [one for one in stations if one["step"] == step] for step in steps},
        "last_hour": last_hour(tally, now),
        "counts": counts_of(tally),
        "silent": SILENT,
    }


def routes(console: Console) -> list[Route]:
    """Give `/floor`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "stations")  # the right, and that what is shown is durable
        now = console.live.markup("floor", console.pages.language_of(request))
        return console.page(request, "floor.html", person, now=now)

    return [Route("/floor", page)]
