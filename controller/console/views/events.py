"""The streams of events by which pages stay as fresh as the floor."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from controller.console.console import Console

HEADERS = {"X-Accel-Buffering": "no"}


def routes(console: Console) -> list[Route]:
    """Give `/events/<view>`."""

    async def events(request: Request) -> Response:
        person = await console.person(request)
        name = request.path_params["view"]
        verb = console.live.verb_of(name)
        if verb is None:
            raise HTTPException(404)
        if not console.may(person, verb):
            raise HTTPException(403)
        if not console.live.has_room():
            raise HTTPException(503)
        token = request.cookies.get(console.guard.cookies.session, "")
        language = console.pages.language_of(request)

        def is_welcome() -> bool:
            return console.guard.entrance.is_in(token) and console.may(person, verb)

        stream = console.live.listen(name, language, is_welcome, person.name)
        return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)

    return [Route("/events/{view:str}", events)]
