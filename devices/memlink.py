"""Links inside one process, with the manners of the ZeroMQ ones: for virtual time and for tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from devices.keys import LinkError, PeerGone
from devices.zlink import Body, Delivery

QUEUE_MESSAGES = 256


class MemoryAddress:
    """Where one router serves at a time and dealers connect, in any order, before it, after it and again."""

    def __init__(self, queue_messages: int = QUEUE_MESSAGES) -> None:
        self._queue_messages = queue_messages
        self._router: MemoryRouter | None = None
        self._served = trio.Event()
        self._dealers: set[MemoryDealer] = set()
        self._numbers = itertools.count(1)

    @contextmanager
    def serve(self) -> Iterator[MemoryRouter]:
        """A router that all dealers reach.  What is under way when it ends is lost; the next one starts empty."""
        if self._router:
            raise LinkError("link.address_in_use", "this memory address")
        self._router = router = MemoryRouter(self._queue_messages)
        for dealer in self._dealers:
            self._attach(dealer, router)
        self._served.set()
        try:
            yield router
        finally:
            self._router, self._served = None, trio.Event()
            router.close()

    def connect(self, user: str) -> MemoryDealer:
        """A dealer whose key the router knows by the name `user`."""
        dealer = MemoryDealer(self, user, self._queue_messages)
        self._dealers.add(dealer)
        if self._router:
            self._attach(dealer, self._router)
        return dealer

    async def router(self) -> MemoryRouter:
        """The router, once there is one."""
        while self._router is None:
            await self._served.wait()
        return self._router

    def forget(self, dealer: MemoryDealer) -> None:
        """Let a dealer go."""
        self._dealers.discard(dealer)
        if self._router:
            self._router.detach(dealer)

    def _attach(self, dealer: MemoryDealer, router: MemoryRouter) -> None:
        dealer.peer = f"m{next(self._numbers)}".encode()
        router.attach(dealer)


class MemoryRouter:
    """The service's end."""

    def __init__(self, queue_messages: int) -> None:
        self._into, self._inbox = trio.open_memory_channel[Delivery](queue_messages)
        self._peers: dict[bytes, MemoryDealer] = {}

    async def recv(self) -> Delivery:
        """The next message of any peer; cancelled, none is lost.  Raises: LinkError link.closed."""
        try:
            return await self._inbox.receive()
        except trio.ClosedResourceError:
            raise LinkError("link.closed") from None

    async def recv_many(self, limit: int) -> list[Delivery]:
        """One message, so that virtual time knows no luck of who came together.  As `recv`."""
        return [await self.recv()]

    def send(self, peer: bytes, body: bytes) -> None:
        """Hand over a message; never waits.  Raises: PeerGone: it left, or (link.peer_shed) reads too slowly."""
        dealer = self._peers.get(peer)
        if dealer is None:
            raise PeerGone(peer)
        dealer.put(peer, body)

    async def take(self, delivery: Delivery) -> None:
        """Queue a dealer's message, waiting for room; one for a closed router is lost."""
        try:
            await self._into.send(delivery)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()

    def attach(self, dealer: MemoryDealer) -> None:
        """Know a dealer by its routing id."""
        self._peers[dealer.peer] = dealer

    def detach(self, dealer: MemoryDealer) -> None:
        """Know it no longer."""
        self._peers.pop(dealer.peer, None)

    def close(self) -> None:
        """Lose what was not read."""
        self._inbox.close()  # first, so that who waits for room learns that nobody will make any
        self._into.close()


class MemoryDealer:
    """A peer's end.  While no router serves, `send` waits."""

    def __init__(self, address: MemoryAddress, user: str, queue_messages: int) -> None:
        self.user, self.peer = user, b""
        self._address = address
        self._into, self._inbox = trio.open_memory_channel[bytes](queue_messages)

    async def recv(self) -> Body:
        """The next message; cancelled, none is lost."""
        return await self._inbox.receive()

    async def send(self, body: bytes) -> None:
        """Send, waiting for a router and for room; cancelled, it is not sent."""
        router = await self._address.router()
        await router.take(Delivery(self.peer, self.user, body))

    def put(self, peer: bytes, body: bytes) -> None:
        """Queue a message of the router.  Raises: PeerGone link.peer_shed."""
        try:
            self._into.send_nowait(body)
        except trio.WouldBlock:
            raise PeerGone(peer, "link.peer_shed") from None

    def close(self) -> None:
        """Leave."""
        self._address.forget(self)
        self._into.close()
