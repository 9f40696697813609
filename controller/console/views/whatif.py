"""The what-if: what a station down, a station more or another shift would bring, with the error it is known to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from controller.console.console import Console, VerbRefused
from controller.console.views.forecast import RUNS, SEE_OTHER, runs_in
from controller.console.views.review import number_in
from devices.defects import Step

VERB, MISSING_CHANGE = "whatif", "command.argument"
TYPED = ("station", "from", "step", "count", "shifts", "runs")
COUNTS, SHIFTS, MAX_TEXT = (1, 2, 3, 4), (1, 2, 3), 32
BATCHES_SHOWN = 30


def routes(console: Console) -> list[Route]:
    """Give `/whatif`, the form and what came of it, and `/whatif/make`, which begins it and leads there."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        if not console.may(person, VERB):
            raise HTTPException(403)
        ticket = number_in(request.query_params.get("ticket", "0"))
        found = dict(await console.ask(person, VERB, ticket=ticket, at_once=True)) if ticket else None
        return console.page(request, "whatif.html", person, **await _values(request, person, found, ""))

    async def make(request: Request) -> Response:
        person = await console.person(request)
        typed = _typed(request.query_params)
        try:
            found = await console.ask(person, VERB, **_args(request, typed), at_once=True)
        except VerbRefused as error:
            if not error.refusal.code.startswith(("whatif", "forecast", MISSING_CHANGE)):
                raise
            values = await _values(request, person, None, error.refusal.code)
            return console.page(request, "whatif.html", person, status=error.status, **values)
        asked = {name: text for name, text in typed.items() if text}
        if request.query_params.get("sensitivity"):
            asked = {"runs": typed["runs"]}
        return RedirectResponse(f"/whatif?{urlencode({**asked, 'ticket': found['ticket']})}", SEE_OTHER)

    async def _values(request: Request, person: Any, found: dict[str, Any] | None, wrong: str) -> dict[str, Any]:
        stations = await console.ask(person, "stations")
        return {
            "found": found,
            "batches": _moved(found),
            "wrong": wrong,
            "typed": _typed(request.query_params),
            "stations": [one["station"] for one in stations],
            "steps": [step.value for step in Step],
            "counts": COUNTS,
            "shifts": SHIFTS,
            "runs": RUNS,
            "again": urlencode(request.query_params),
        }

    return [Route("/whatif", page), Route("/whatif/make", make)]


def _typed(sent: Mapping[str, str]) -> dict[str, str]:
    return {name: sent.get(name, "")[:MAX_TEXT] for name in TYPED}


def _args(request: Request, typed: Mapping[str, str]) -> dict[str, Any]:
    """Give the verb's arguments of a form; what is wrong in it the verb says."""
    runs = runs_in(request)
    if request.query_params.get("sensitivity"):
        return {"runs": runs, "sensitivity": True}
    args: dict[str, Any] = {"runs": runs, "shifts": number_in(typed["shifts"] or "0")}
    if typed["station"]:
        args |= {"stations": [f"{typed['station']}=down"], "from": typed["from"]}
    if typed["step"]:
        args["added"] = [f"{typed['step']}={typed['count']}"]
    return args


def _moved(found: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Give the batches that a change moves most."""
    if not found or not found["difference"]:
        return []
    rows = found["difference"]["batches"]
    return sorted(rows, key=lambda one: (-abs(one["hours"]["mean"]), one["batch_id"]))[:BATCHES_SHOWN]
