"""The serving side of the links: the ZAP task that says who is let in, and the router they are let in to."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

import trio
from trio.lowlevel import ParkingLot, cancel_shielded_checkpoint, checkpoint_if_cancelled

from devices.inbox import Inbox, Pace
from devices.keys import KeyPair, LinkError, PeerGone
from devices.limits import SocketLimits
from devices.lines import Lines, StillLetIn
from devices.peers import KEY_BYTES, fingerprint, key_text
from devices.zlink import KEY_PROPERTY, Context, Delivery, Socket, take_delivery

Allow = Callable[[str, str], str | None]  # domain and public key (Z85) -> the user's name, or None
AllowNamed = Callable[[str, str], bool]  # domain and name -> whether that peer may come in without a proof
VERSION, CURVE, PLAIN = b"1.0", b"CURVE", b"PLAIN"
LONGEST_NAME = 64


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


def decide(frames: list[bytes], allow: Allow, allow_named: AllowNamed | None = None) -> Verdict | None:
    """The verdict on a request as a ROUTER receives it; None if it is no ZAP request.

    Any mechanism but CURVE is denied; with `allow_named` PLAIN is not, and its user name is believed.
    Source: ZeroMQ RFC 27: envelope, empty frame, version, request id, domain, address, identity, mechanism and
    credentials.
    """
    if len(frames) < 8 or frames[1] or frames[2] != VERSION:
        return None
    envelope, _, version, request_id, domain_frame, _, _, mechanism, *credentials = frames
    domain = domain_frame.decode("utf-8", "replace")
    user, known_by = None, b""
    if mechanism == CURVE and len(credentials) == 1 and len(credentials[0]) == KEY_BYTES:
        public = key_text(credentials[0])
        user, known_by = allow(domain, public) or None, _property(KEY_PROPERTY, fingerprint(public))
    elif mechanism == PLAIN and allow_named and len(credentials) == 2 and len(credentials[0]) <= LONGEST_NAME:
        name = credentials[0].decode("ascii", "replace")
        user = name if allow_named(domain, name) else None
    if not user:
        return Verdict(domain, None, [envelope, b"", version, request_id, b"400", b"this key is not listed", b"", b""])
    return Verdict(domain, user, [envelope, b"", version, request_id, b"200", b"OK", user.encode(), known_by])


def _property(name: str, value: str) -> bytes:
    """A property of a peer, which libzmq puts on each of its messages.  Source: ZeroMQ RFC 23, metadata."""
    key, text = name.encode(), value.encode()
    return len(key).to_bytes(1) + key + len(text).to_bytes(4) + text


async def serve_zap(
    ctx: Context,
    allow: Allow,
    allow_named: AllowNamed | None = None,
    task_status: trio.TaskStatus[ZapCounts] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Name the peers of every router of `ctx` until cancelled; start it before them.  Starts with its counts.

    Raises: LinkError link.zap_taken; whatever `allow` raises, and nobody is let in any more.
    """
    counts = ZapCounts()
    async with ctx.zap_socket() as socket:
        task_status.started(counts)
        while True:
            verdict = decide(await socket.recv(), allow, allow_named)
            if verdict is None:
                counts.malformed += 1
                continue
            count = counts.domains.setdefault(verdict.domain, DomainCount())
            count.ok += verdict.user is not None
            count.denied += verdict.user is None
            await socket.send_frames(*verdict.reply)


class RouterSocket(Socket[Delivery]):
    """A bound ROUTER for many peers, one frame a message: none of them can stop it or fill the memory.

    What comes is taken off at once into an inbox per user; `recv` gives each user with messages its turn, and keeps
    the order of each.  `counters` holds what became of connections (by the names in zlink.EVENTS) and messages
    dropped: malformed, flooded (inbox full, or more a second than allowed), revoked (of a peer that is let in no more),
    shed (for a peer that reads too slowly), gone (for a peer that left).

    `still` is asked about each message that comes: who is let in no more is not heard, and hung up on.  Without keys
    the socket is a plain one, see `Context.open_router`.
    """

    def __init__(
        self, ctx: Context, endpoint: str, role: str, keys: KeyPair | None, limits: SocketLimits, still: StillLetIn
    ) -> None:
        raw, events = ctx.open_router(endpoint, role, keys, limits)
        super().__init__(raw, take_delivery, events)
        self._limits, self._work, self._arrivals = limits, trio.Event(), ParkingLot()
        self.heard: set[str] = set()  # users, since somebody emptied it
        self._resting: dict[str, Inbox] = {}  # users who get no turn until they are woken, and what they sent meanwhile
        self._still, self._lines, self._pace = still, Lines(self.endpoint, limits.lines_per_user), Pace(limits)
        self._inboxes: dict[str, Inbox] = {}  # of users with messages, the one whose turn it is first
        self._outboxes: dict[bytes, deque[bytes]] = {}
        self._tasks += [self._drain, self._flush]

    async def recv_many(self, limit: int = 64) -> list[Delivery]:
        """1 to `limit` messages that wait; cancelled, none is lost.  Raises: LinkError link.closed."""
        await checkpoint_if_cancelled()
        taken: list[Delivery] = []
        has_waited = False
        while not taken:
            if self._inboxes:
                taken = self._next(limit)
            elif self._fault:
                raise LinkError(*self._fault)
            else:
                await self._arrivals.park()
                has_waited = True
        if not has_waited:  # the others had their turn already where it did
            await cancel_shielded_checkpoint()
        return taken

    def _next(self, limit: int) -> list[Delivery]:
        """Up to `limit` messages that wait, of each user in its turn; those of peers revoked meanwhile are dropped."""
        taken: list[Delivery] = []
        while self._inboxes and len(taken) < limit:
            user = next(iter(self._inboxes))
            inbox = self._inboxes.pop(user)
            delivery = inbox.take()
            if self._still(user, delivery.mark):
                taken.append(delivery)
            else:
                self.counters["revoked"] += 1
            if inbox.waiting:
                self._inboxes[user] = inbox  # last again
        return taken

    def rest(self, user: str) -> None:
        """Give a user no turn until `wake`: what comes from it waits in its inbox, and the others go on."""
        self._resting[user] = self._inboxes.pop(user, Inbox())

    def wake(self, user: str) -> None:
        """Give a user its turns again; for one that does not rest nothing happens."""
        inbox = self._resting.pop(user, None)
        if inbox is not None and inbox.waiting:
            self._inboxes[user] = inbox
            self._arrivals.unpark_all()

    def fail(self, code: str, about: str = "") -> None:
        """Make every call raise LinkError from now on, those that wait too; what came before is still given."""
        super().fail(code, about)
        self._arrivals.unpark_all()

    async def _drain(self) -> None:
        while True:
            for delivery in await super().recv_many():
                self._keep(delivery)
            self._arrivals.unpark_all()

    def _keep(self, delivery: Delivery) -> None:
        """Put a message where `recv` finds it, or drop and count it."""
        too_many = self._lines.heard(delivery)
        if not self._still(delivery.user, delivery.mark):
            self.counters["revoked"] += 1
            self._drop([delivery.peer])
            return
        if too_many is not None:
            self._drop([too_many])
        self.heard.add(delivery.user)
        if not self._pace.allows(delivery.user, trio.current_time()):
            self.counters["flooded"] += 1
            return
        inbox = self._resting.get(delivery.user) or self._inboxes.setdefault(delivery.user, Inbox())
        if not inbox.put(delivery, self._limits):
            self.counters["flooded"] += 1

    def drop_revoked(self) -> int:
        """Hang up on every peer that was heard and is let in no more; returns how many.

        What they had sent and nobody took is dropped, and so is what waits for them; a later `send` raises PeerGone.
        """
        return self._drop(self._lines.of_strangers(self._still))

    def _drop(self, peers: Collection[bytes]) -> int:
        gone = set(peers)
        for inbox in self._resting.values():
            self.counters["revoked"] += inbox.drop(gone)
        for user, inbox in list(self._inboxes.items() if gone else ()):
            self.counters["revoked"] += inbox.drop(gone)
            if not inbox.waiting:
                del self._inboxes[user]
        for peer in gone:
            self.counters["gone"] += len(self._outboxes.pop(peer, ()))
        return sum(self._lines.hang_up(peer) for peer in gone)

    def send(self, peer: bytes, body: bytes) -> None:
        """Hand over a message for `peer`, without waiting; order per peer is kept.

        What libzmq's queue has no room for waits in the peer's outbox, and is lost if the socket closes first.
        Raises: PeerGone: the peer has left; or (link.peer_shed) its outbox is full and is now dropped, this message
        too: later ones are tried afresh.  LinkError: link.too_long, link.closed.
        """
        self._limits.check(body)
        if not self._lines.may_hear(peer, self._still):
            raise PeerGone(peer)  # never heard, hung up on, or let in no more
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


def let_all(user: str, mark: str) -> bool:
    """Let everybody be heard whom ZAP let in."""
    return True


@asynccontextmanager
async def serve_router(
    ctx: Context,
    endpoint: str,
    *,
    role: str,
    server_keys: KeyPair | None,
    limits: SocketLimits = SocketLimits(),
    still: StillLetIn = let_all,
) -> AsyncIterator[RouterSocket]:
    """A ROUTER at `endpoint` (`tcp://127.0.0.1:*` picks a port) for the peers ZAP lets into the domain `role`.

    Raises: LinkError: link.no_zap, link.bad_key, link.bad_endpoint, link.address_in_use, link.address_not_here,
    link.address_denied; link.insecure: no keys, and not an address of this machine alone.
    """
    with closing(RouterSocket(ctx, endpoint, role, server_keys, limits, still)) as router:
        async with router.working():
            yield router
