"""The requests of the console that are answered with no: one note each, whoever made the answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.refusals import Note

REFUSED_FROM = 400
NO_SESSION = "console.not_signed_in"  # a session that has ended, or was never one; answered by the way to the log-in


class RefusedPages:
    """Calls `refused` with `console.` and the status of each answer that is a refusal or a failure."""

    def __init__(self, app: ASGIApp, refused: Note) -> None:
        self._app, self._refused = app, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= REFUSED_FROM:
                self._refused(f"console.{message['status']}")
            await send(message)

        await self._app(scope, receive, noticed)
