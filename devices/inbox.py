"""What one user of a router has waiting, and how fast it may bring more."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from devices.limits import SocketLimits
from devices.zlink import Delivery


@dataclass(slots=True)
class Inbox:
    """Messages of one user that wait to be received."""

    waiting: deque[Delivery] = field(default_factory=deque)
    waiting_bytes: int = 0

    def put(self, delivery: Delivery, limits: SocketLimits) -> bool:
        """Whether there was room."""
        size_bytes = self.waiting_bytes + len(delivery.body)
        if self.waiting and (len(self.waiting) >= limits.inbox_messages or size_bytes > limits.inbox_bytes):
            return False
        self.waiting.append(delivery)
        self.waiting_bytes = size_bytes
        return True

    def take(self) -> Delivery:
        """The oldest."""
        delivery = self.waiting.popleft()
        self.waiting_bytes -= len(delivery.body)
        return delivery

    def drop(self, peers: set[bytes]) -> int:
        """Throw away what some peers sent; returns how many messages."""
        kept = deque(delivery for delivery in self.waiting if delivery.peer not in peers)
        dropped = len(self.waiting) - len(kept)
        self.waiting, self.waiting_bytes = kept, sum(len(delivery.body) for delivery in kept)
        return dropped


@dataclass(slots=True)
class Bucket:
    """A token bucket: a message takes one, and they come back at a rate, up to a burst."""

    tokens: float
    filled_s: float

    def take(self, now_s: float, limits: SocketLimits) -> bool:
        """Whether another message may be taken at this time."""
        gained = (now_s - self.filled_s) * limits.rate_per_s if now_s > self.filled_s else 0.0
        self.tokens, self.filled_s = min(limits.burst_messages, self.tokens + gained), now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Pace:
    """The buckets of a router's users, of whom there are no more than keys: ZAP names them."""

    def __init__(self, limits: SocketLimits) -> None:
        self._limits = limits
        self._buckets: dict[str, Bucket] = {}

    def allows(self, user: str, now_s: float) -> bool:
        """Whether a user may bring another message at this time."""
        bucket = self._buckets.get(user)
        if bucket is None:
            bucket = self._buckets[user] = Bucket(self._limits.burst_messages, now_s)
        return bucket.take(now_s, self._limits)
