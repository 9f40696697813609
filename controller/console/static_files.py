"""The files every page brings along: style sheet and scripts, read once."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "vendored/htmx.min.js": "text/javascript",
    "vendored/htmx-sse.min.js": "text/javascript",
    "vendored/idiomorph-htmx.min.js": "text/javascript",
}


def static_routes() -> list[Route]:
    """Give `/static/<name>` for each file."""
    return [_route(path, kind) for path, kind in FILES.items()]


def _route(path: str, kind: str) -> Route:
    content = files("controller.console").joinpath(path).read_bytes()

    async def page(request: Request) -> Response:
        return Response(content, media_type=kind)

    return Route(f"/static/{path.rpartition('/')[2]}", page)
