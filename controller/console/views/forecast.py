"""The forecast: when batches will be finished, what runs out first, and how often what was said before held."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from controller.console.console import Console
from controller.console.views.review import number_in
from controller.forecasting.settings import RUNS_MAX, RUNS_MIN

SEE_OTHER = 303
RUNS = (100, 200, 500, 1_000)
BATCHES_SHOWN, UNITS_SHOWN, STARVING_SHOWN, SCORED_SHOWN = 100, 200, 10, 20


def routes(console: Console) -> list[Route]:
    """Give `/forecast` and `/forecast/make`, which begins one and leads to its page."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        ticket, batch = number_in(request.query_params.get("ticket", "0")), request.query_params.get("batch", "")
        asked = {**({"ticket": ticket, "at_once": True} if ticket else {}), **({"batch": batch} if batch else {})}
        found = await console.ask(person, "forecast", **asked)
        return console.page(
            request,
            "forecast.html",
            person,
            found=found,
            batch=batch,
            batches=found["batches"][:BATCHES_SHOWN],
            units=found["units"][:UNITS_SHOWN] if batch else [],
            starving=found["starving"][:STARVING_SHOWN],
            scored=found["scored"][:SCORED_SHOWN],
            runs=RUNS,
            again=urlencode(request.query_params),
            nothing_open=request.query_params.get("nothing") == "1",
        )

    async def make(request: Request) -> Response:
        person = await console.person(request)
        runs = runs_in(request)
        found = await console.ask(person, "forecast", runs=runs, at_once=True)
        where = {"ticket": found["ticket"]} if found["ticket"] else {"nothing": 1}
        return RedirectResponse(f"/forecast?{urlencode(where)}", SEE_OTHER)

    return [Route("/forecast", page), Route("/forecast/make", make)]


def runs_in(request: Request) -> int:
    """Give the runs somebody asks for.  Raises: HTTPException."""
    text = request.query_params.get("runs", str(RUNS[1]))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and RUNS_MIN <= int(text) <= RUNS_MAX):
        raise HTTPException(400)
    return int(text)
