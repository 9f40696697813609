"""The what-if: what a station down, a station more or another shift would bring, with the error it is known to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from controller.console.console import Console, VerbRefused
from controller.console.views.forecast import RUNS, runs_in
from controller.console.views.review import number_in
from devices.defects import Step

SEE_OTHER, MAX_TEXT = 303, 32
TYPED = ("station", "from", "until", "step", "count", "shifts", "runs")
COUNTS, SHIFTS = (1, 2, 3, 4), (1, 2, 3)
BATCHES_SHOWN = 30
FORGOTTEN = "forecast.forgotten"


def routes(console: Console) -> list[Route]:
    """Give `/whatif`, the form and what came of it, and `/whatif/make`, which begins it and leads there."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        ticket = number_in(request.query_params.get("ticket", "0"))
        typed = {name: request.query_params.get(name, "")[:MAX_TEXT] for name in TYPED}
        stations = await console.ask(person, "stations")
        found: dict[str, Any] | None = None
        if ticket:
            found = dict(await console.ask(person, "whatif", ticket=ticket, at_once=True))
        else:
            await console.ask(person, "settings") if False else None
        return console.page(
            request,
            "whatif.html",
            person,
            found=found,
            typed=typed,
            stations=[one["station"] for one in stations],
            steps=[step.value for step in Step],
            counts=COUNTS,
            shifts=SHIFTS,
            runs=RUNS,
            again=urlencode(request.query_params),
            batches=_moved(found),
            wrong="",
        )

    return [Route("/whatif", page)]
