"""The serving side of the links: the ZAP task that says who is let in, and the router they are let in to."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

import trio
from trio.lowlevel import ParkingLot, cancel_shielded_checkpoint, checkpoint_if_cancelled

from devices.keys import KEY_BYTES, KeyPair, LinkError, PeerGone, key_text
from devices.zlink import Context, Delivery, Socket, SocketLimits, take_delivery

Allow = Callable[[str, str], str | None]  # domain and public key (Z85) -> the user's name, or None
VERSION, CURVE = b"1.0", b"CURVE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one ZAP request."""

    domain: str
    user: str | None  # None: not let in
    reply: list[bytes]  # frames as a ROUTER sends them


@dataclass(slots=True)
class DomainCount:
    """Handshakes of one domain so far."""

    ok: int = 0
    denied: int = 0


@dataclass(slots=True)
class ZapCounts:
    """What the ZAP task has decided so far."""

    domains: dict[str, DomainCount] = field(default_factory=dict)
    malformed: int = 0  # not a ZAP request: no answer


def decide(frames: list[bytes], allow: Allow) -> Verdict | None:
    """The verdict on a request as a ROUTER receives it; None if it is no ZAP request.

    Any mechanism but CURVE is denied.  Source: ZeroMQ RFC 27: envelope, empty frame, version, request id, domain,
    address, identity, mechanism, credentials.
    """
    if len(frames) < 8 or frames[1] or frames[2] != VERSION:
        return None
    envelope, _, version, request_id, domain_frame, _, _, mechanism, *credentials = frames
    domain = domain_frame.decode("utf-8", "replace")
    user = None
    if mechanism == CURVE and len(credentials) == 1 and len(credentials[0]) == KEY_BYTES:
        user = allow(domain, key_text(credentials[0])) or None
    status, text = (b"200", b"OK") if user else (b"400", b"this key is not listed")
    name = (user or "").encode()
    return Verdict(domain, user, [envelope, b"", version, request_id, status, text, name, b""])


async def serve_zap(
    ctx: Context, allow: Allow, task_status: trio.TaskStatus[ZapCounts] = trio.TASK_STATUS_IGNORED
) -> None:
    """Name the peers of every router of `ctx` until cancelled; start it before them.  Starts with its counts.

    Raises: LinkError link.zap_taken; whatever `allow` raises, and nobody is let in any more.
    """
    counts = ZapCounts()
    async with ctx.zap_socket() as socket:
        task_status.started(counts)
        while True:
            verdict = decide(await socket.recv(), allow)
            if verdict is None:
                counts.malformed += 1
                continue
            count = counts.domains.setdefault(verdict.domain, DomainCount())
            count.ok += verdict.user is not None
            count.denied += verdict.user is None
            await socket.send_frames(*verdict.reply)


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


class RouterSocket(Socket[Delivery]):
    """A bound ROUTER for many peers, one frame a message: none of them can stop it or fill the memory.

    What comes is taken off at once into an inbox per user; `recv` gives each user with messages its turn, and keeps
    the order of each.  `counters` holds what became of connections (by the names in zlink.EVENTS) and messages
    dropped: malformed, flooded (inbox full), shed (for a peer that reads too slowly), gone (for a peer that left).
    """

    def __init__(self, ctx: Context, endpoint: str, role: str, keys: KeyPair, limits: SocketLimits) -> None:
        raw, events = ctx.open_router(endpoint, role, keys, limits)
        super().__init__(raw, take_delivery, events)
        self._limits, self._work, self._arrivals = limits, trio.Event(), ParkingLot()
        self._inboxes: dict[str, Inbox] = {}  # of users with messages, the one whose turn it is first
        self._outboxes: dict[bytes, deque[bytes]] = {}
        self._tasks += [self._drain, self._flush]

    async def recv_many(self, limit: int = 64) -> list[Delivery]:
        """1 to `limit` messages that wait; cancelled, none is lost.  Raises: LinkError link.closed."""
        await checkpoint_if_cancelled()
        while not self._inboxes:
            if self._fault:
                raise LinkError(*self._fault)
            await self._arrivals.park()
        taken: list[Delivery] = []
        while self._inboxes and len(taken) < limit:
            user = next(iter(self._inboxes))
            inbox = self._inboxes.pop(user)
            taken.append(inbox.take())
            if inbox.waiting:
                self._inboxes[user] = inbox  # last again
        await cancel_shielded_checkpoint()
        return taken

    def fail(self, code: str, about: str = "") -> None:
        """Make every call raise LinkError from now on, those that wait too; what came before is still given."""
        super().fail(code, about)
        self._arrivals.unpark_all()

    async def _drain(self) -> None:
        while True:
            for delivery in await super().recv_many():
                inbox = self._inboxes.setdefault(delivery.user, Inbox())
                if not inbox.put(delivery, self._limits):
                    self.counters["flooded"] += 1
            self._arrivals.unpark_all()

    def send(self, peer: bytes, body: bytes) -> None:
        """Hand over a message for `peer`, without waiting; order per peer is kept.

        What libzmq's queue has no room for waits in the peer's outbox, and is lost if the socket closes first.
        Raises: PeerGone: the peer has left; or (link.peer_shed) its outbox is full and is now dropped, this message
        too: later ones are tried afresh.  LinkError: link.too_long, link.closed.
        """
        self._limits.check(body)
        outbox = self._outboxes.get(peer)
        if outbox is None:
            if self.send_nowait(peer, body):
                return
            outbox = self._outboxes[peer] = deque()
            self._work.set()
        outbox.append(body)
        if len(outbox) > self._limits.outbox_messages or sum(map(len, outbox)) > self._limits.outbox_bytes:
            del self._outboxes[peer]
            self.counters["shed"] += len(outbox)
            raise PeerGone(peer, "link.peer_shed")

    def backlog(self, peer: bytes) -> int:
        """How many messages wait in the peer's outbox."""
        return len(self._outboxes.get(peer, ()))

    async def _flush(self) -> None:
        while True:
            await self._work.wait()
            for peer, outbox in list(self._outboxes.items()):
                try:
                    while outbox and self.send_nowait(peer, outbox[0]):
                        outbox.popleft()
                except PeerGone:
                    self.counters["gone"] += len(outbox)
                    outbox.clear()
                if not outbox:
                    del self._outboxes[peer]
            if self._outboxes:
                await self.wait_for_room()
            else:
                self._work = trio.Event()


@asynccontextmanager
async def serve_router(
    ctx: Context, endpoint: str, *, role: str, server_keys: KeyPair, limits: SocketLimits = SocketLimits()
) -> AsyncIterator[RouterSocket]:
    """A ROUTER at `endpoint` (`tcp://127.0.0.1:*` picks a port) for the peers ZAP lets into the domain `role`.

    Raises: LinkError: link.no_zap, link.bad_key, link.bad_endpoint, link.address_in_use, link.address_not_here,
    link.address_denied.
    """
    with closing(RouterSocket(ctx, endpoint, role, server_keys, limits)) as router:
        async with router.working():
            yield router
