"""The web side of the service: what Prometheus reads, and whether the service is well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve as hypercorn_serve
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from controller.known_hosts import KnownHosts, is_loopback
from controller.metrics import Metrics


def web_app(metrics: Metrics, settled: Callable[[], Awaitable[None]]) -> Starlette:
    """Give the pages: /metrics and /healthz.  `settled` returns when all that was decided so far is durable."""

    async def metrics_page(request: Request) -> Response:
        text = metrics.text()
        await settled()  # the gauges show the foreman, who runs ahead of the disk
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def health_page(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/metrics", metrics_page), Route("/healthz", health_page)])


async def serve_web(
    app: Starlette, listen: str, task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; starts with the addresses it is bound to.  Raises: OSError."""
    config = HypercornConfig()
    config.bind = [listen]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 1
    forever: Callable[[], Awaitable[None]] = trio.sleep_forever
    guarded = KnownHosts(app) if is_loopback(listen) else app
    await hypercorn_serve(guarded, config, shutdown_trigger=forever, task_status=task_status)  # type: ignore[arg-type]
