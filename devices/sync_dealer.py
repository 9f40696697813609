"""A DEALER for code without trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import trio

from devices.keys import KeyPair, LinkTimeout
from devices.limits import SocketLimits
from devices.zlink import Body, Context, DealerSocket, PlainName, Taken


class SyncDealer(AbstractContextManager["SyncDealer"]):
    """A DEALER for code without trio, in one thread; each call is a short trio.run (0.5 ms).

    Raises: LinkError: link.bad_key, link.bad_endpoint; when called: LinkTimeout, link.key_refused, link.too_long.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        my_keys: KeyPair | PlainName,
        server_public_key: str,
        limits: SocketLimits = SocketLimits(),
    ) -> None:
        self._ctx = Context()
        self._dealer = DealerSocket(self._ctx, endpoint, my_keys, server_public_key, limits)

    def close(self, *_: object) -> None:
        """Close, after at most `linger_s` for what is unsent."""
        self._ctx.close()

    __exit__ = close

    def send(self, body: bytes, timeout_s: float) -> None:
        """Send one message."""
        trio.run(self._call, timeout_s, self._dealer.send, body)

    def recv(self, timeout_s: float) -> Body:
        """The next message."""
        return trio.run(self._call, timeout_s, self._dealer.recv)

    async def _call(self, timeout_s: float, call: Callable[..., Awaitable[Taken]], *args: bytes) -> Taken:
        async with self._dealer.working():
            with trio.move_on_after(timeout_s):  # inside, or a message could be lost on the way out
                return await call(*args)
        raise LinkTimeout("link.timeout" if self._dealer.connected else "link.unreachable", self._dealer.endpoint)
