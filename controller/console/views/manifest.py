"""A consignment's manifest: boxes and police stations as a page, the bytes of its file, and their signature."""

from __future__ import annotations

from json import dumps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console, VerbRefused
from controller.console.guard import Person

BAD_ARGUMENT = "command.argument"
UNITS_SHOWN = 200
NUMBER_MAX = 2**53


def routes(console: Console) -> list[Route]:
    """Give `/packing/<consignment>`, its file, and the signature of that."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        found = await _manifest(console, person, request.path_params["consignment"])
        units = found["units"]
        return console.page(
            request, "manifest.html", person, manifest=found, units=units[:UNITS_SHOWN], total=len(units)
        )

    async def file(request: Request) -> Response:
        person = await console.person(request)
        found = await _manifest(console, person, request.path_params["consignment"])
        name = f"manifest-{found['consignment_id']}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Sha256": found["sha256"]}
        return Response(found["csv"].encode("utf-8"), media_type="text/csv; charset=utf-8", headers=headers)

    async def signature(request: Request) -> Response:
        person = await console.person(request)
        found = await _manifest(console, person, request.path_params["consignment"])
        if "signature" not in found:
            raise HTTPException(404)
        name = f"manifest-{found['consignment_id']}.csv.sig"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(dumps(found["signature"]) + "\n", media_type="application/json", headers=headers)

    return [
        Route("/packing/{consignment:int}", page),
        Route("/packing/{consignment:int}/manifest.csv", file),
        Route("/packing/{consignment:int}/manifest.csv.sig", signature),
    ]


async def _manifest(console: Console, person: Person, consignment: int) -> dict[str, Any]:
    """Give a manifest.  Raises: HTTPException 404: none of this number was sent; VerbRefused."""
    if consignment >= NUMBER_MAX:
        raise HTTPException(404)
    try:
        found: dict[str, Any] = await console.ask(person, "manifest", consignment_id=consignment)
    except VerbRefused as error:
        if error.refusal.code == BAD_ARGUMENT:
            raise HTTPException(404) from None
        raise
    return found
