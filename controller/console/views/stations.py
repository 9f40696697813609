"""The stations: every one in a table, and one on a page of its own, with what can be done about it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console


def routes(console: Console) -> list[Route]:
    """Give `/stations` and `/stations/<name>`."""

    async def all_of_them(request: Request) -> Response:
        person = await console.person(request)
        return console.page(request, "stations.html", person, stations=await console.ask(person, "stations"))

    async def one(request: Request) -> Response:
        person = await console.person(request)
        name = request.path_params["station"]
        found = [row for row in await console.ask(person, "stations") if row["station"] == name]
        if not found:
            raise HTTPException(404)
        return console.page(request, "station.html", person, station=found[0])

    return [Route("/stations", all_of_them), Route("/stations/{station:str}", one)]
