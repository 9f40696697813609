"""How much one request of the console may bring, how long it may take, and what it leaves when it fails."""

from __future__ import annotations

import math
from collections.abc import Callable

import structlog
import trio
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()
BODY_MAX_BYTES = 1 << 16
TARGET_MAX_BYTES = 2_048
REQUEST_S = 15.0  # until the answer begins; one that goes on, as a stream of events does, has no end of its own


class Bounds:
    """Lets through what keeps to the bounds; here each request's task begins, so here its errors end."""

    def __init__(self, app: ASGIApp, *, request_s: float = REQUEST_S) -> None:
        self._app, self._request_s = app, request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http":
            async with trio.open_nursery() as nursery:
                body = _Body()
                nursery.start_soon(body.pump, receive)
                await self._answer(scope, body, send)
                nursery.cancel_scope.cancel()
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, body: _Body, send: Send) -> None:
        begun, status = False, _refusal(scope)

        async def noticed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun, limit.deadline = True, math.inf
            await send(message)

        with trio.move_on_after(self._request_s) as limit:
            body.on_too_long = limit.cancel
            if not status:
                status = await self._failure(scope, body.receive, noticed)
        if limit.cancelled_caught:
            status = 413 if body.is_too_long else 408
        if status and not begun:
            close = {"Connection": "close"}  # whatever else the peer sends is not waited for
            await PlainTextResponse(f"{status}\n", status, close)(scope, body.receive, send)

    async def _failure(self, scope: Scope, receive: Receive, send: Send) -> int:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  a task begins here
            trace = error.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""
            log.error("page failed", kind=type(error).__name__, where=where)  # its text may hold what was typed
            return 500
        return 0


class _Body:
    """What a request brings, read ahead by a task of its own.

    Hypercorn puts pieces into a queue of ten and waits; an answer given while nobody reads that queue would never come
    to its end, and its connection would stay for ever.
    """

    def __init__(self) -> None:
        self.is_too_long = False
        self.on_too_long: Callable[[], object] = lambda: None
        self._bytes = bytearray()
        self._whole, self._gone = trio.Event(), trio.Event()
        self._given = False

    async def pump(self, receive: Receive) -> None:
        """Read until the peer is gone, and keep what is not too long."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self._gone.set()
                self._whole.set()
                return
            if not self.is_too_long:
                self._bytes += message.get("body", b"")
            if len(self._bytes) > BODY_MAX_BYTES:
                self.is_too_long = True
                self._bytes.clear()
                self.on_too_long()
            if not message.get("more_body", False):
                self._whole.set()

    async def receive(self) -> Message:
        """See ASGI: the whole body as one message, then the disconnect."""
        await self._whole.wait()
        if self._given or self._gone.is_set():
            await self._gone.wait()
            return {"type": "http.disconnect"}
        self._given = True
        return {"type": "http.request", "body": bytes(self._bytes), "more_body": False}


def _refusal(scope: Scope) -> int:
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > TARGET_MAX_BYTES:
        return 414
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or len(value) > 12 or int(value) > BODY_MAX_BYTES):
            return 413
    return 0
