"""ZeroMQ under trio: CURVE sockets whose peers are known by their keys; the one file that imports zmq."""

from __future__ import annotations

import errno
import struct
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

import trio
import zmq
from trio.lowlevel import ParkingLot, cancel_shielded_checkpoint, checkpoint_if_cancelled, wait_readable
from zmq.utils import z85

Body = bytes | memoryview
RawSocket = zmq.Socket[bytes]
Taken = TypeVar("Taken")

SHARE_FROM_BYTES = 64 << 10  # received bodies from here up are views of libzmq's memory, not copies
ROUTER_RETRY_S = 0.005  # rule 5 of Socket
RECONNECT_MS, RECONNECT_MAX_MS = 100, 5_000
ZAP_ENDPOINT = "inproc://zeromq.zap.01"  # fixed by ZeroMQ RFC 27
EVENTS: dict[tuple[int, int], str] = {  # (monitor event, its value, 0 for any other) -> counter
    (zmq.EVENT_ACCEPTED, 0): "accepted",
    (zmq.EVENT_HANDSHAKE_SUCCEEDED, 0): "handshake",
    (zmq.EVENT_HANDSHAKE_FAILED_AUTH, 0): "unlisted_key",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, 0): "bad_protocol",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "wrong_server_key",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "no_curve",
    (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0): "no_handshake",  # hung up, or silent beyond handshake_s
    (zmq.EVENT_DISCONNECTED, 0): "disconnected",
}
COUNTERS = (*EVENTS.values(), "malformed", "shed", "gone")  # the last three count messages dropped
REFUSALS = {  # a client's libzmq 4.3.5 never tries again after these (measured): its socket is of no more use
    "unlisted_key": ("link.key_refused", "has not listed your key: have it listed with `cardmill keys allow`"),
    "no_curve": ("link.not_cardmill", "is no Cardmill service: check address and port"),
    "bad_protocol": ("link.not_cardmill", "is no Cardmill service: check address and port"),
}
OPEN_FAULTS = {
    errno.EADDRINUSE: ("link.address_in_use", "is taken: stop the program that holds it or set another port"),
    errno.EADDRNOTAVAIL: ("link.address_not_here", "is not an address of this machine: set one that is"),
    errno.ENODEV: ("link.address_not_here", "is not an address of this machine: set one that is"),
    errno.EACCES: ("link.address_denied", "is not for this account: set a port from 1024 up"),
}
BAD_ENDPOINT = ("link.bad_endpoint", "is not an endpoint: write tcp://ADDRESS:PORT, or ipc://PATH in a folder you own")


class LinkError(Exception):
    """A link that cannot be opened or used: `code` is stable, `sentence` says what to do and holds no key."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence = code, sentence


class PeerGone(LinkError):
    """A message that cannot reach its peer: it has left, or (link.peer_shed) reads too slowly."""

    def __init__(self, peer: bytes, code: str = "link.peer_gone", why: str = "the peer has left") -> None:
        super().__init__(code, f"{why}; it has to ask again")
        self.peer = peer


class LinkTimeout(LinkError):
    """Nothing came, or nothing could be sent, in the time given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one socket takes from its peers, and how much it holds for them."""

    max_message_bytes: int = (4 << 20) + (64 << 10)  # a longer frame costs the peer its connection
    queue_messages: int = 50  # libzmq's queue per peer and direction (HWM): it counts messages, not bytes
    outbox_messages: int = 256  # what waits here per peer once that queue is full; beyond, the peer is shed
    outbox_bytes: int = 8 << 20
    handshake_s: float = 1.5  # a peer still unknown after this is hung up on
    heartbeat_s: float = 1.0
    # A message must cross the wire, and a full queue be read, within heartbeat_timeout_s, or libzmq hangs up in
    # the middle, each time anew (measured: 3.5 MB never arrived over 500 kB/s): raise it for slow lines.
    heartbeat_timeout_s: float = 3.0
    linger_s: float = 1.0  # how long the closing context waits for what is still unsent


LIMITS = SocketLimits()


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, each key 40 characters of Z85 (ZeroMQ RFC 32)."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a peer."""

    peer: bytes  # routing id: where to answer and no more, for a peer may choose it
    user: str  # the name ZAP gave for the peer's key: the only identity
    body: Body = field(repr=False)


def curve_keypair() -> KeyPair:
    """A fresh pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


def public_from_secret(secret: str) -> str:
    """The public key of a secret one.  Raises: LinkError link.bad_key."""
    return zmq.curve_public(check_key(secret).encode()).decode()


def check_key(key: str) -> str:
    """The key itself, if it is one.  Raises: LinkError link.bad_key."""
    try:
        if len(key) == 40 and key_text(z85.decode(key)) == key:
            return key
    except (KeyError, ValueError, struct.error):  # not Z85, not ASCII, five characters beyond 32 bits
        pass
    raise LinkError("link.bad_key", "a key is 40 characters of Z85: make one with `cardmill keys new`")


def key_text(key: bytes) -> str:
    """Z85 of a key's 32 bytes."""
    return z85.encode(key).decode()


class Socket(Generic[Taken]):
    """One ZeroMQ socket for the tasks of one trio thread; `take` reads a message off it or raises zmq.Again.

    A ZeroMQ descriptor is the doorbell of the socket's mailbox, not a "readable" flag, and every call on the
    socket, failed ones too, may empty the mailbox and silence the bell.  Hence:

    1. A task parks only after its own call failed and a look at EVENTS then denied its direction, with neither
       await nor other call between look and parking.  If the look grants it, the call is tried again.
    2. One pump task waits for the bell; it looks, which empties the mailbox, and wakes whom EVENTS grants.
    3. While anybody is parked, in either direction, every call by anybody else is followed by a look.
    4. Cancellation is taken before a message is, never between taking and returning it.  Senders queue in a FIFO
       lock, which keeps their order and one message's frames together.
    5. A ROUTER always grants POLLOUT, which says nothing of one peer.  Who waits for room there is woken by any
       bell and by others' calls, never by its own failed send (it would spin), and after ROUTER_RETRY_S.
    """

    def __init__(self, raw: RawSocket, take: Callable[[RawSocket], Taken]) -> None:
        self._raw, self._take, self._turn = raw, take, trio.StrictFIFOLock()
        self._readers, self._writers = ParkingLot(), ParkingLot()
        self._fault: tuple[str, str] | None = None

    async def pump(self) -> None:
        """Answer the doorbell; runs as long as the socket is used."""
        while True:
            await wait_readable(self._raw.FD)
            self._look()

    async def recv(self) -> Taken:
        """The next message; cancelled, none is lost.  Raises: LinkError."""
        return (await self.recv_many(1))[0]

    async def recv_many(self, limit: int) -> list[Taken]:
        """1 to `limit` messages that lie ready, for one pass of the scheduler.  Raises: LinkError."""
        await checkpoint_if_cancelled()
        while True:
            self._check()
            if taken := self._take_up_to(limit):
                self._look_for_parked()
                await cancel_shielded_checkpoint()
                return taken
            if not self._look() & zmq.POLLIN:
                await self._readers.park()

    async def send(self, *frames: bytes) -> None:
        """Send one message, waiting for room; cancelled, it is not sent.  Raises: LinkError."""
        async with self._turn:
            while not self.send_nowait(*frames):
                await self.wait_for_room()

    def send_nowait(self, *frames: bytes) -> bool:
        """Whether there was room for the message.  Raises: PeerGone (of a ROUTER), LinkError."""
        self._check()
        try:
            self._raw.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == errno.EHOSTUNREACH:
                raise PeerGone(frames[0]) from None
            raise
        finally:
            self._look_for_parked()
        return True

    async def wait_for_room(self) -> None:
        """Return when a send that found no room is worth another try."""
        if self._raw.type == zmq.ROUTER:
            with trio.move_on_after(ROUTER_RETRY_S):
                await self._writers.park()
        elif not self._look() & zmq.POLLOUT:
            await self._writers.park()

    def fail(self, code: str, sentence: str) -> None:
        """Make every call raise LinkError from now on, those that wait too."""
        self._fault = code, sentence
        self._readers.unpark_all()
        self._writers.unpark_all()

    def close(self) -> None:
        """Close, once the pump has ended."""
        self.fail("link.closed", "this socket is closed")
        self._raw.disable_monitor()
        self._raw.close()

    def _take_up_to(self, limit: int) -> list[Taken]:
        taken: list[Taken] = []
        try:
            while len(taken) < limit:
                taken.append(self._take(self._raw))
        except zmq.Again:
            pass
        return taken

    def _check(self) -> None:
        if self._fault:
            raise LinkError(*self._fault)

    def _look_for_parked(self) -> None:
        if self._readers or self._writers:
            self._look()

    def _look(self) -> int:
        ready = int(self._raw.get(zmq.EVENTS))
        if ready & zmq.POLLIN:
            self._readers.unpark_all()
        if ready & zmq.POLLOUT:
            self._writers.unpark_all()
        return ready


class Context:
    """Owner of a process's ZeroMQ sockets; `zap_bound` while a ZAP task answers for them."""

    def __init__(self) -> None:
        self._raw, self._monitors, self.zap_bound = zmq.Context(), 0, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open and end the I/O thread; blocks while it lingers."""
        self._raw.destroy()

    @asynccontextmanager
    async def zap_socket(self) -> AsyncIterator[Socket[list[bytes]]]:
        """Where libzmq asks about each new peer (ZeroMQ RFC 27).  Raises: LinkError link.zap_taken."""
        if self.zap_bound:
            raise LinkError("link.zap_taken", "a ZAP task serves this context already: one is enough")
        raw = self._raw.socket(zmq.ROUTER, linger=0)
        raw.bind(ZAP_ENDPOINT)
        socket = Socket(raw, lambda raw: raw.recv_multipart(zmq.NOBLOCK))
        async with _pumped(socket):
            self.zap_bound = True
            try:
                yield socket
            finally:
                self.zap_bound = False

    def _open(self, kind: int, limits: SocketLimits) -> tuple[RawSocket, RawSocket]:
        """A socket under its limits, and the reading end of its monitor."""
        raw, monitor = self._raw.socket(kind), self._raw.socket(zmq.PAIR)
        raw.maxmsgsize = limits.max_message_bytes  # does not hold if set after bind
        raw.set_hwm(limits.queue_messages)
        raw.handshake_ivl, raw.linger = _ms(limits.handshake_s), _ms(limits.linger_s)
        raw.heartbeat_ivl, raw.heartbeat_timeout = _ms(limits.heartbeat_s), _ms(limits.heartbeat_timeout_s)
        monitor.rcvhwm = monitor.linger = 0  # no limit: a full monitor stops the I/O thread
        self._monitors += 1
        raw.monitor(f"inproc://monitor-{self._monitors}", sum({event for event, _ in EVENTS}))
        monitor.connect(f"inproc://monitor-{self._monitors}")
        return raw, monitor


class _Link(Generic[Taken]):
    """What both kinds of link share: counters of connections and dropped messages, receiving, closing."""

    def __init__(self, raw: RawSocket, monitor: RawSocket, endpoint: str, limits: SocketLimits) -> None:
        self.endpoint, self.counters = endpoint, Counter(dict.fromkeys(COUNTERS, 0))
        self._limits, self._monitor = limits, Socket(monitor, _take_event)
        self._socket: Socket[Taken | None] = Socket(raw, self._take)

    async def recv(self) -> Taken:
        """The next message; cancelled, none is lost.  Raises: LinkError."""
        return (await self.recv_many(1))[0]

    async def recv_many(self, limit: int = 64) -> list[Taken]:
        """1 to `limit` messages that lie ready, for one pass of the scheduler.  Raises: LinkError."""
        while True:
            taken = await self._socket.recv_many(limit)
            if whole := [message for message in taken if message is not None]:
                return whole

    def _take(self, raw: RawSocket) -> Taken | None:
        raise NotImplementedError
