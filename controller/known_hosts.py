"""The names by which a page on loopback may be asked for: another one comes from a page of somebody else."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"127.0.0.1", "[::1]", "localhost"})
MISDIRECTED = 421


class KnownHosts:
    """Answers 421 to whoever asks by another name than those of loopback.

    A page of a stranger may have its own name point to 127.0.0.1 once it is loaded (DNS rebinding); the browser then
    takes ours for its own, reads it, and sends forms that name it as their origin.  TLS stops that by the certificate.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] in ("http", "websocket") and not _is_known(scope):
            if scope["type"] == "http":
                await PlainTextResponse(f"{MISDIRECTED}\n", MISDIRECTED)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)


def is_loopback(listen: str) -> bool:
    """Say whether an address to listen on is this machine's alone."""
    return listen.rpartition(":")[0] in LOOPBACK_NAMES


def _is_known(scope: Scope) -> bool:
    named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(named) == 1 and _name_in(named[0]) in LOOPBACK_NAMES


def _name_in(host: str) -> str:
    """Give the name of a Host without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isascii() and port.isdigit() else host).lower()
