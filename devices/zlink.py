"""ZeroMQ under trio: CURVE sockets whose peers are known by their keys; the one file that imports zmq."""

from __future__ import annotations

import errno
import math
import re
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

import trio
import zmq
from trio.lowlevel import ParkingLot, cancel_shielded_checkpoint, checkpoint, checkpoint_if_cancelled, wait_readable

from devices.keys import KeyPair, LinkError, PeerGone, key_bytes, public_from_secret
from devices.limits import SocketLimits
from devices.patience import call_within
from devices.peers import LOOPBACK

Body = bytes | memoryview
RawSocket = zmq.Socket[bytes]
Taken = TypeVar("Taken")
Take = Callable[[RawSocket], Taken | None]
Opened = tuple[RawSocket, "Socket[str]"]  # a socket and what happens to its connections

SHARE_FROM_BYTES = 64 << 10  # received bodies from here up are views of libzmq's memory, not copies
ROUTER_RETRY_S = 0.005  # rule 5 of Socket
POLLIN, POLLOUT = int(zmq.POLLIN), int(zmq.POLLOUT)  # an enum's `&` costs ten times a number's, at each look
CLOSED_WITHIN_S = 5.0  # longer than any `linger_s`
NO_PASSWORD = b"-"  # nobody asks for it, but libzmq takes none that is empty
RECONNECT_MS, RECONNECT_MAX_MS, RETRIES_WITHIN_S, HANG_UPS = 100, 5_000, 1.0, 40
ZAP_ENDPOINT = "inproc://zeromq.zap.01"  # fixed by ZeroMQ RFC 27
EVENTS: dict[tuple[int, int], str] = {  # (monitor event, its value or 0 for any other) -> counter
    (zmq.EVENT_ACCEPTED, 0): "accepted",
    (zmq.EVENT_HANDSHAKE_SUCCEEDED, 0): "handshake",
    (zmq.EVENT_HANDSHAKE_FAILED_AUTH, 0): "unlisted_key",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, 0): "bad_protocol",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "wrong_server_key",
    (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "no_curve",
    (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0): "no_handshake",  # hung up, or silent beyond handshake_s
    (zmq.EVENT_DISCONNECTED, 0): "disconnected",
    (zmq.EVENT_CONNECT_RETRIED, 0): "retried",
}
# the last five: messages dropped here
COUNTERS = (*EVENTS.values(), "malformed", "flooded", "revoked", "shed", "gone")
KEY_PROPERTY = "X-Key"  # of a peer: the fingerprint of the key by which ZAP let it in
REFUSALS = {  # a client's libzmq 4.3.5 never tries again after these (measured): its socket is of no more use
    **dict.fromkeys(("no_curve", "bad_protocol", "given_up"), "link.not_cardmill"),  # given_up: by us
    "unlisted_key": "link.key_refused",
}
# libzmq takes port 99999 for 34463, and has no CURVE on inproc
ENDPOINT = re.compile(r"tcp://.+:(\*|\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])|ipc://.+")
OPEN_FAULTS = {
    errno.EADDRINUSE: "link.address_in_use",
    errno.EADDRNOTAVAIL: "link.address_not_here",
    errno.ENODEV: "link.address_not_here",
    errno.EACCES: "link.address_denied",
}


@dataclass(frozen=True, slots=True)
class PlainName:
    """What a peer says of itself where no key is asked for (`sockets.insecure`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a peer."""

    peer: bytes  # routing id: where to answer and no more, for the peer may have chosen it
    user: str  # the name ZAP gave for the peer's key: the only identity
    body: Body = field(repr=False)
    mark: str = ""  # fingerprint of the key that let the peer in; none where no key is asked for
    descriptor: int = -1  # of the connection, as far as libzmq says: by it the peer can be hung up on


class Socket(Generic[Taken]):
    """One ZeroMQ socket for the tasks of one trio thread; `take` reads a message off it, None if malformed.

    A ZeroMQ descriptor is the doorbell of the socket's mailbox, not a "readable" flag: every call on the socket,
    failed ones too, may empty the mailbox and silence the bell.  Hence:

    1. A task parks only after its own call failed and a look at EVENTS then denied its direction, with neither
       await nor other call between look and parking.  If the look grants it, the call is tried again.
    2. One pump task waits for the bell; it looks, which empties the mailbox, and wakes whom EVENTS grants.
    3. While anybody is parked, in either direction, every call by anybody else is followed by a look.
    4. Cancellation is taken before a message is, never between taking and returning it.  Senders queue in a FIFO
       lock, which keeps their order and one message's frames together.
    5. A ROUTER always grants POLLOUT, which says nothing of one peer.  Who waits for room there is woken by any
       bell and by others' calls, never by its own failed send (it would spin), and after ROUTER_RETRY_S.
    """

    def __init__(self, raw: RawSocket, take: Take[Taken], events: Socket[str] | None = None) -> None:
        self.endpoint = raw.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")  # as bound: a wildcard port is a number
        self.counters = Counter(dict.fromkeys(COUNTERS, 0))
        self._raw, self._take, self._events = raw, take, events
        self._bell = int(raw.getsockopt(zmq.FD))  # the same as long as the socket is open
        self._readers, self._writers, self._turn = ParkingLot(), ParkingLot(), trio.StrictFIFOLock()
        self._fault: tuple[str, str] | None = None
        self._tasks: list[Callable[[], Awaitable[None]]] = [self._pump]
        if events is not None:
            self._tasks += [events._pump, self._watch]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Self]:
        """The socket with its tasks; an error of the body leaves as it is, not in a group."""
        failed: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                for task in self._tasks:
                    nursery.start_soon(task)
                yield self
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            failed = group.exceptions[0]
        if failed is not None:
            raise failed  # here, so that its own context stays as it is

    async def recv(self) -> Taken:
        """The next message; cancelled, none is lost.  Raises: LinkError."""
        return (await self.recv_many(1))[0]

    async def recv_many(self, limit: int = 64) -> list[Taken]:
        """1 to `limit` messages that lie ready, for one pass of the scheduler.  Raises: LinkError."""
        await checkpoint_if_cancelled()
        has_waited = False
        while True:
            if taken := self._take_up_to(limit):
                if self._readers or self._writers:
                    self._look()
                whole = [message for message in taken if message is not None]
                self.counters["malformed"] += len(taken) - len(whole)
                if whole:
                    if not has_waited:  # the others had their turn already where it did
                        await cancel_shielded_checkpoint()
                    return whole
                await checkpoint()  # a flood of malformed messages must not keep the thread
            elif self._fault:  # only now: what came before it is still good
                raise LinkError(*self._fault)
            elif not self._look() & POLLIN:
                await self._readers.park()
                has_waited = True

    async def send_frames(self, *frames: bytes) -> None:
        """Send one message, waiting for room; cancelled, it is not sent.  Raises: LinkError."""
        async with self._turn:
            while not self.send_nowait(*frames):
                await self.wait_for_room()

    def send_nowait(self, *frames: bytes) -> bool:
        """Whether there was room for the message.  Raises: PeerGone (of a ROUTER), LinkError."""
        if self._fault:
            raise LinkError(*self._fault)
        try:
            self._raw.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == errno.EHOSTUNREACH:
                raise PeerGone(frames[0]) from None
            raise
        finally:
            if self._readers or self._writers:
                self._look()
        return True

    async def wait_for_room(self) -> None:
        """Return when a send that found no room is worth another try."""
        if self._raw.type == zmq.ROUTER:
            with trio.move_on_after(ROUTER_RETRY_S):
                await self._writers.park()
        elif not self._look() & POLLOUT:
            await self._writers.park()

    def fail(self, code: str, about: str = "") -> None:
        """Make every call raise LinkError from now on, those that wait too."""
        self._fault = code, about
        self._readers.unpark_all()
        self._writers.unpark_all()

    def close(self) -> None:
        """Close, once no task works on it."""
        self.fail("link.closed")
        self._raw.disable_monitor()  # or a monitor closed before its socket stops the I/O thread
        self._raw.close()
        if self._events is not None:
            self._events.close()

    async def _pump(self) -> None:
        while True:
            await wait_readable(self._bell)
            self._look()

    async def _watch(self) -> None:
        while self._events is not None:
            self.counters[await self._events.recv()] += 1

    def _take_up_to(self, limit: int) -> list[Taken | None]:
        taken: list[Taken | None] = []
        with suppress(zmq.Again):
            while len(taken) < limit and not self._raw.closed:
                taken.append(self._take(self._raw))
        return taken

    def _look(self) -> int:
        ready = int(self._raw.get(zmq.EVENTS))
        if ready & POLLIN:
            self._readers.unpark_all()
        if ready & POLLOUT:
            self._writers.unpark_all()
        return ready


class Context(AbstractContextManager["Context"]):
    """Owner of a process's ZeroMQ sockets; `zap_bound` while a ZAP task answers for them."""

    def __init__(self) -> None:
        self._raw, self._monitors, self.zap_bound = zmq.Context(), 0, False

    def close(self, *_: object) -> None:
        """Close what is open and end the I/O thread, after at most `linger_s`.

        libzmq may wait for ever for a socket whose handshake was refused (its issues 2586 and 2733): then it is left
        behind, so that whoever closes can end.  Raises: zmq.ZMQError: sockets or thread could not be ended.
        """
        call_within(CLOSED_WITHIN_S, self._raw.destroy, "zeromq ends")

    __exit__ = close

    @asynccontextmanager
    async def zap_socket(self) -> AsyncIterator[Socket[list[bytes]]]:
        """Where libzmq asks about each new peer (ZeroMQ RFC 27).  Raises: LinkError link.zap_taken."""
        if self.zap_bound:
            raise LinkError("link.zap_taken")
        raw = self._raw.socket(zmq.ROUTER)
        raw.bind(ZAP_ENDPOINT)
        socket = Socket(raw, lambda raw: raw.recv_multipart(zmq.NOBLOCK))
        self.zap_bound = True
        try:
            async with socket.working():
                yield socket
        finally:
            self.zap_bound = False
            raw.unbind(ZAP_ENDPOINT)  # at once: closing alone frees the name some time later
            socket.close()

    def open_router(self, endpoint: str, role: str, keys: KeyPair | None, limits: SocketLimits) -> Opened:
        """A bound ROUTER and its events, for `devices.zap`.  Raises: LinkError.

        Without keys it is a plain one, for this machine alone: nothing is encrypted, and a peer is who it says.
        """
        if not self.zap_bound:
            raise LinkError("link.no_zap")
        if keys is None and not LOOPBACK.fullmatch(endpoint):
            raise LinkError("link.insecure", endpoint)
        public = public_from_secret(keys.secret) if keys else ""
        raw, events = self._open(zmq.ROUTER, limits)
        raw.router_mandatory, raw.router_handover = 1, 0  # unknown peers raise, and nobody takes over a routing id
        if keys:
            raw.curve_server, raw.curve_publickey, raw.curve_secretkey = 1, public.encode(), keys.secret.encode()
        else:
            raw.plain_server = 1
        raw.zap_domain = role.encode()
        raw.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        _attach(raw, events, raw.bind, endpoint)
        return raw, events

    def open_dealer(self, endpoint: str, keys: KeyPair | PlainName, server_key: str, limits: SocketLimits) -> Opened:
        """A DEALER on its way to `endpoint`, and its events."""
        if isinstance(keys, PlainName):
            raw, events = self._open(zmq.DEALER, limits)
            raw.plain_username, raw.plain_password = keys.name.encode(), NO_PASSWORD
        else:
            pair_and_server = [key_bytes(key) for key in (public_from_secret(keys.secret), keys.secret, server_key)]
            raw, events = self._open(zmq.DEALER, limits)
            raw.curve_publickey, raw.curve_secretkey, raw.curve_serverkey = pair_and_server
        raw.immediate, raw.reconnect_ivl, raw.reconnect_ivl_max = 1, RECONNECT_MS, RECONNECT_MAX_MS
        _attach(raw, events, raw.connect, endpoint)
        return raw, events

    def _open(self, kind: int, limits: SocketLimits) -> Opened:
        raw, monitor = self._raw.socket(kind), self._raw.socket(zmq.PAIR)
        raw.maxmsgsize = limits.max_message_bytes  # does not hold if set after bind
        # libzmq 4.3.5 aborts the process if a peer dies while the queue inward is full and a ping is due or under way
        # (measured; zeromq/libzmq 3937, 4364): so a ROUTER, whose peers may ping, has none, and nobody here pings
        raw.sndhwm, raw.rcvhwm = limits.queue_messages, 0 if kind == zmq.ROUTER else limits.queue_messages
        raw.handshake_ivl, raw.linger = round(limits.handshake_s * 1000), round(limits.linger_s * 1000)
        raw.tcp_maxrt, raw.tcp_keepalive_cnt = round(limits.silence_s * 1000), max(1, round(limits.silence_s))
        raw.tcp_keepalive = raw.tcp_keepalive_idle = raw.tcp_keepalive_intvl = 1
        monitor.rcvhwm = monitor.linger = 0  # no bound: a full monitor would stop the I/O thread
        self._monitors += 1
        raw.monitor(f"inproc://monitor-{self._monitors}", sum({event for event, _ in EVENTS}))
        monitor.connect(f"inproc://monitor-{self._monitors}")
        return raw, Socket(monitor, _take_event)


class DealerSocket(Socket[Body]):
    """A DEALER on its way to one service, one frame a message.

    While the service is away `send` waits, and what was under way is lost: nothing old is sent again.  Once it has
    refused the key, or hung up HANG_UPS times in a row, every call raises; only a new socket tries again.
    """

    def __init__(
        self, ctx: Context, endpoint: str, keys: KeyPair | PlainName, server_key: str, limits: SocketLimits
    ) -> None:
        raw, events = ctx.open_dealer(endpoint, keys, server_key, limits)
        super().__init__(raw, _take_body, events)
        self.connected, self._hung_up, self._limits = False, 0, limits

    async def send(self, body: bytes) -> None:
        """Send, waiting for room; cancelled, it is not sent.  Raises: LinkError: link.too_long, link.key_refused."""
        self._limits.check(body)
        await self.send_frames(body)

    async def _watch(self) -> None:
        event = ""
        while self._events is not None and event not in REFUSALS:
            with trio.move_on_after(RETRIES_WITHIN_S if event == "disconnected" else math.inf) as waiting:
                event = await self._events.recv()
                self.counters[event] += 1
                self.connected = event == "handshake"
                self._hung_up = 0 if self.connected else self._hung_up + (event == "no_handshake")
            if waiting.cancelled_caught or self._hung_up >= HANG_UPS:  # libzmq no longer tries, or for nothing
                event = "given_up"
        self.fail(REFUSALS[event], self.endpoint)


@asynccontextmanager
async def connect_dealer(
    ctx: Context,
    endpoint: str,
    *,
    my_keys: KeyPair | PlainName,
    server_public_key: str,
    limits: SocketLimits = SocketLimits(),
) -> AsyncIterator[DealerSocket]:
    """A DEALER that connects as soon as `endpoint` is served.  Raises: LinkError: link.bad_key, link.bad_endpoint."""
    with closing(DealerSocket(ctx, endpoint, my_keys, server_public_key, limits)) as dealer:
        async with dealer.working():
            yield dealer


def _attach(raw: RawSocket, events: Socket[str], attach: Callable[[str], object], endpoint: str) -> None:
    try:
        if not ENDPOINT.fullmatch(endpoint):
            raise zmq.ZMQError(errno.EINVAL)
        attach(endpoint)
    except zmq.ZMQError as error:
        raw.disable_monitor()
        raw.close()
        events.close()
        raise LinkError(OPEN_FAULTS.get(error.errno or 0, "link.bad_endpoint"), endpoint) from None


def _take_frame(raw: RawSocket) -> zmq.Frame | None:
    frame = last = raw.recv(zmq.NOBLOCK, copy=False)
    while last.more:
        last = raw.recv(zmq.NOBLOCK, copy=False)
    return frame if last is frame else None


def _body(frame: zmq.Frame) -> Body:
    return frame.buffer if len(frame) >= SHARE_FROM_BYTES else frame.bytes


def _take_body(raw: RawSocket) -> Body | None:
    frame = _take_frame(raw)
    return None if frame is None else _body(frame)


def take_delivery(raw: RawSocket) -> Delivery | None:
    """The next message off a ROUTER, None if it is not one frame of a peer that ZAP has named."""
    peer, frame = raw.recv(zmq.NOBLOCK), _take_frame(raw)
    if frame is None:
        return None
    try:
        user = str(frame.get("User-Id"))
    except zmq.ZMQError:  # it has no User-Id
        return None
    try:
        mark = str(frame.get(KEY_PROPERTY))
    except zmq.ZMQError:  # it came in without a key
        mark = ""
    return Delivery(peer, user, _body(frame), mark, int(frame.get(zmq.SRCFD)))


def _take_event(raw: RawSocket) -> str | None:
    event, value = struct.unpack("=HI", raw.recv_multipart(zmq.NOBLOCK)[0])
    return EVENTS.get((event, value)) or EVENTS.get((event, 0))
