"""How much one socket takes from its peers, and how much it holds for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from devices.keys import LinkError


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one socket takes from its peers, and how much it holds for them."""

    max_message_bytes: int = (4 << 20) + (64 << 10)  # a longer frame costs the peer its connection
    queue_messages: int = 50  # libzmq's queue per peer (HWM), outward only on a ROUTER; counts messages, not bytes
    outbox_messages: int = 256  # what waits here per peer once that queue is full; beyond, the peer is shed
    outbox_bytes: int = 8 << 20
    inbox_messages: int = 256  # what one user of a router may have waiting here; beyond, what comes is dropped
    inbox_bytes: int = 64 << 20
    rate_per_s: float = math.inf  # messages of one user that are taken on the long run; beyond, they are dropped
    burst_messages: int = 512  # so many more, at once
    lines_per_user: int = 256  # connections of one user; beyond, the one not heard for longest is hung up on
    handshake_s: float = 1.5  # a peer still unknown after this is hung up on
    silence_s: float = 4.0  # so is one whose system, or whose program in reading, makes no progress for this long
    linger_s: float = 1.0  # how long a closing context goes on sending; only an answer says that it arrived

    def check(self, body: bytes) -> None:
        """Raises: LinkError link.too_long: the other end would hang up."""
        if len(body) > self.max_message_bytes:
            raise LinkError("link.too_long", len(body))
