"""The web side of the service: what Prometheus reads, whether the service lives, and whether it takes work in."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterable

import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve as hypercorn_serve
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from controller.config import ConfigError
from controller.known_hosts import KnownHosts, is_loopback
from controller.ledger.errors import LedgerStopped
from controller.metrics import Metrics
from controller.readiness import LEDGER_SLOW, LEDGER_STOPPED, Readiness, readiness_line

SETTLED_WITHIN_S = 5.0  # real seconds: a ledger that needs longer takes nothing in, as an upstream sees it
NO_STORE = {"Cache-Control": "no-store"}


def web_app(metrics: Metrics, readiness: Readiness, settled: Callable[[], Awaitable[None]]) -> Starlette:
    """Give the pages: /metrics, /healthz and /readyz.

    `settled` returns when all that was decided so far is durable.
    """

    async def metrics_page(request: Request) -> Response:
        is_open = wants_openmetrics(request.headers.getlist("accept"))
        text = metrics.openmetrics() if is_open else metrics.text()
        await settled()  # the gauges show the foreman, who runs ahead of the disk
        return Response(text, media_type=OPENMETRICS if is_open else CONTENT_TYPE_LATEST)

    async def health_page(request: Request) -> Response:
        """Say that the process lives and its loop goes round; whether it can work is for /readyz."""
        return PlainTextResponse("ok\n", headers=NO_STORE)

    async def ready_page(request: Request) -> Response:
        """Say whether new work is taken in; with 503 why not."""
        codes = readiness.codes()
        try:
            with trio.move_on_after(SETTLED_WITHIN_S) as patience:
                await settled()
            codes += [LEDGER_SLOW] if patience.cancelled_caught else []
        except LedgerStopped:
            codes += [] if LEDGER_STOPPED in codes else [LEDGER_STOPPED]
        return JSONResponse(readiness_line(codes), 503 if codes else 200, headers=NO_STORE)

    pages = {"/metrics": metrics_page, "/healthz": health_page, "/readyz": ready_page}
    return Starlette(routes=[Route(path, page) for path, page in pages.items()])


def wants_openmetrics(accepts: Iterable[str]) -> bool:
    """Say whether these `Accept` headers name OpenMetrics; who names nothing gets the plain text format."""
    kinds = (kind.partition(";") for accept in accepts for kind in accept.split(","))
    return any(
        name.strip().lower() == "application/openmetrics-text" and "q=0" not in words.replace(" ", "").split(";")
        for name, _, words in kinds
    )


async def serve_web(
    app: Starlette, listen: str, task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; starts with the addresses it is bound to.  Raises: ConfigError: see `bound`."""
    config = HypercornConfig()
    config.bind = [f"fd://{bound('metrics.listen', listen).detach()}"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 1
    forever: Callable[[], Awaitable[None]] = trio.sleep_forever
    guarded = KnownHosts(app) if is_loopback(listen) else app
    await hypercorn_serve(guarded, config, shutdown_trigger=forever, task_status=task_status)  # type: ignore[arg-type]


def bound(setting: str, listen: str) -> socket.socket:
    """Give a socket bound to a setting's address.  Raises: ConfigError: it is taken, or none of this machine's."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.bind((host, int(port)))
    except OSError as error:
        made.close()
        reason = error.strerror or error
        raise ConfigError(f"{setting}: {listen} cannot be used: {reason}: end what holds it, or set another") from None
    return made
