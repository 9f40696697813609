"""What strangers, thieves and sleepers do to a router: they are kept out, counted, and cost the others nothing."""

from __future__ import annotations

import socket as tcp
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace

import psutil
import pytest
import trio
import zmq
from zmq.utils.monitor import recv_monitor_message

from devices.keys import KeyPair, LinkError, PeerGone, curve_keypair
from devices.limits import SocketLimits
from devices.peers import STATION, UPSTREAM
from devices.zap import RouterSocket, ZapCounts, serve_router, serve_zap
from devices.zlink import Context, DealerSocket, connect_dealer
from tests.devices.test_zlink_stress import RawSocket

LIMITS = SocketLimits(handshake_s=0.3, silence_s=0.5, linger_s=0)
NEVER_S, SURELY_S = 0.15, 5.0
SERVER, ALICE, BOB, PRESS, MALLORY = (curve_keypair() for _ in range(5))
NAMES = {(UPSTREAM, ALICE.public): "alice", (UPSTREAM, BOB.public): "bob", (STATION, PRESS.public): "press"}


@dataclass
class Door:
    """A router for upstreams that knows Alice and Bob, and what its ZAP task has counted."""

    ctx: Context
    router: RouterSocket
    counts: ZapCounts

    def dealer(self, keys: KeyPair, server: KeyPair = SERVER) -> AbstractAsyncContextManager[DealerSocket]:
        return connect_dealer(
            self.ctx, self.router.endpoint, my_keys=keys, server_public_key=server.public, limits=LIMITS
        )

    def address(self) -> tuple[str, int]:
        host, port = self.router.endpoint.removeprefix("tcp://").split(":")
        return host, int(port)

    async def expect(self, user: str, body: bytes) -> bytes:
        """Take the next message, which must be this one; returns its peer."""
        with trio.fail_after(SURELY_S):
            delivery = await self.router.recv()
        assert (delivery.user, bytes(delivery.body)) == (user, body)
        return delivery.peer

    async def expect_nothing(self) -> None:
        with trio.move_on_after(NEVER_S) as scope:
            await self.router.recv()
        assert scope.cancelled_caught

    async def counted(self, name: str, least: int = 1) -> None:
        """Wait until a counter is so high."""
        with trio.fail_after(SURELY_S):
            while self.router.counters[name] < least:
                await trio.lowlevel.checkpoint()

    async def press(self, peer: bytes, body: bytes) -> None:
        """Keep ten messages waiting in the outbox until the peer is hung up on."""
        with trio.fail_after(SURELY_S), suppress(PeerGone):
            while not self.router.counters["disconnected"]:
                if self.router.backlog(peer) < 10:
                    self.router.send(peer, body)
                await trio.lowlevel.checkpoint()

    async def serves(self, dealer: DealerSocket, body: bytes) -> float:
        """One question and its answer over a good dealer; returns the seconds it took."""
        started = trio.current_time()
        await dealer.send(body)
        self.router.send(await self.expect("alice", body), b"answer")
        with trio.fail_after(SURELY_S):
            assert await dealer.recv() == b"answer"
        return trio.current_time() - started


@asynccontextmanager
async def door(limits: SocketLimits = LIMITS) -> AsyncIterator[Door]:
    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            counts = await nursery.start(serve_zap, ctx, lambda role, public: NAMES.get((role, public)))
            serving = serve_router(ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=SERVER, limits=limits)
            async with serving as router:
                yield Door(ctx, router, counts)
            nursery.cancel_scope.cancel()


@contextmanager
def stranger(endpoint: str, keys: KeyPair | None = None, routing_id: bytes = b"") -> Iterator[RawSocket]:
    """A DEALER that is not ours, without keys under NULL."""
    with zmq.Context() as ctx, ctx.socket(zmq.DEALER) as raw:
        raw.linger = 0
        raw.set_hwm(4)
        if routing_id:
            raw.routing_id = routing_id
        if keys:
            raw.curve_publickey, raw.curve_secretkey = keys.public.encode(), keys.secret.encode()
            raw.curve_serverkey = SERVER.public.encode()
        raw.connect(endpoint)
        yield raw


async def test_a_listed_key_is_delivered_under_its_name() -> None:
    async with door() as here, here.dealer(ALICE) as dealer:
        assert await here.serves(dealer, b"hello") < SURELY_S
        assert here.counts.domains[UPSTREAM].ok == 1
        with trio.fail_after(SURELY_S):
            while not dealer.connected:
                await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("keys", [MALLORY, PRESS], ids=["unlisted", "of another role"])
async def test_a_key_that_is_not_listed_for_the_role_is_refused_and_told_so(keys: KeyPair) -> None:
    async with door() as here, here.dealer(keys) as dealer:
        with trio.fail_after(SURELY_S), pytest.raises(LinkError) as caught:
            await dealer.send(b"let me in")
        assert caught.value.code == "link.key_refused"
        assert "keys allow" in str(caught.value)
        await here.expect_nothing()
        assert here.router.counters["unlisted_key"] == here.counts.domains[UPSTREAM].denied == 1
        with pytest.raises(LinkError):
            await dealer.recv()


async def test_a_wrong_server_key_never_gets_in() -> None:
    async with door() as here, here.dealer(ALICE, server=MALLORY) as dealer:
        with trio.move_on_after(NEVER_S) as scope:
            await dealer.send(b"to whom?")
        assert scope.cancelled_caught
        await here.counted("wrong_server_key")
        await here.expect_nothing()
        assert not dealer.connected


async def test_a_client_without_curve_never_gets_in() -> None:
    async with door() as here:
        with stranger(here.router.endpoint) as raw:
            raw.send(b"plain")
            await here.counted("disconnected")  # by whichever end sees it first
            await here.expect_nothing()
        with tcp.create_connection(here.address()) as patient:
            patient.send(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48))  # a ZMTP 3.0 greeting, RFC 23
            await here.counted("no_curve")
        assert here.router.counters["handshake"] == 0
        assert here.counts.domains == {}


async def test_a_stolen_routing_id_stays_with_the_first() -> None:
    async with door() as here:
        with stranger(here.router.endpoint, ALICE, b"window-1") as owner:
            owner.send(b"mine")
            assert await here.expect("alice", b"mine") == b"window-1"
            with stranger(here.router.endpoint, BOB, b"window-1") as thief:
                thief.send(b"mine now")
                await here.counted("handshake", 2)
                await here.expect_nothing()
                here.router.send(b"window-1", b"for alice")
                assert owner.poll(SURELY_S * 1000)
                assert owner.recv() == b"for alice"
                assert not thief.poll(NEVER_S * 1000)


async def test_an_oversize_message_costs_its_sender_the_connection_and_nobody_else() -> None:
    async with door(replace(LIMITS, max_message_bytes=1000)) as here, here.dealer(ALICE) as dealer:
        await here.serves(dealer, b"before")
        with stranger(here.router.endpoint, BOB) as raw:
            raw.send(bytes(1001))
            await here.counted("disconnected")
            await here.expect_nothing()
            await here.serves(dealer, b"after")
        with pytest.raises(LinkError, match=r"link\.too_long: 1001 bytes"):
            here.router.send(b"anybody", bytes(1001))


@pytest.mark.parametrize("is_oversize", [True, False])
def test_libzmq_tells_the_same_of_a_frame_too_long_and_of_a_peer_that_leaves(is_oversize: bool) -> None:
    """Why both are counted as ended connections: once this fails, libzmq has learned to tell, and so may we."""
    with zmq.Context() as ctx, ctx.socket(zmq.ROUTER) as router, ctx.socket(zmq.DEALER) as dealer:
        router.linger = dealer.linger = 0
        router.maxmsgsize, dealer.reconnect_ivl = 1000, -1
        told = router.get_monitor_socket(zmq.EVENT_ALL & ~zmq.EVENT_LISTENING)
        dealer.connect(f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")
        dealer.send(b"here I am")
        assert router.poll(SURELY_S * 1000)
        if is_oversize:
            dealer.send(bytes(1001))
        else:
            dealer.close()
        events = []
        while zmq.EVENT_DISCONNECTED not in [event for event, _ in events]:
            assert told.poll(SURELY_S * 1000)
            said = recv_monitor_message(told)
            events.append((said["event"], said["value"]))
        (came, descriptor), greeted, left = events
        assert came == zmq.EVENT_ACCEPTED
        assert (greeted, left) == ((zmq.EVENT_HANDSHAKE_SUCCEEDED, 0), (zmq.EVENT_DISCONNECTED, descriptor))
        router.disable_monitor()


async def test_silent_peers_are_hung_up_on_while_a_good_one_is_served() -> None:
    async with door(replace(LIMITS, handshake_s=1.0)) as here, here.dealer(ALICE) as dealer:
        await here.serves(dealer, b"before")
        with ExitStack() as stack:
            silent = [stack.enter_context(tcp.create_connection(here.address())) for _ in range(200)]
            waits = [await here.serves(dealer, b"%d" % number) for number in range(20)]
            assert here.router.counters["no_handshake"] < 200, "they were gone before the good peer was served"
            with trio.fail_after(SURELY_S):
                for peer in silent:
                    closed = False
                    while not closed:
                        await trio.lowlevel.wait_readable(peer)
                        closed = peer.recv(1000) == b""
            await here.counted("no_handshake", 200)
        assert max(waits) < 0.5


async def test_an_answer_to_nobody_raises_peer_gone() -> None:
    async with door() as here:
        with pytest.raises(PeerGone) as caught:
            here.router.send(b"nobody", b"answer")
        assert (caught.value.code, caught.value.peer) == ("link.peer_gone", b"nobody")
        async with here.dealer(ALICE) as dealer:
            await dealer.send(b"and away")
            peer = await here.expect("alice", b"and away")
        await here.counted("disconnected")
        with pytest.raises(PeerGone):
            here.router.send(peer, b"too late")


async def test_a_peer_that_never_reads_is_shed_within_bounded_memory_and_then_hung_up_on() -> None:
    async with door(replace(LIMITS, queue_messages=4, outbox_messages=20)) as here, here.dealer(ALICE) as dealer:
        with stranger(here.router.endpoint, BOB) as sleeper:
            sleeper.send(b"good night")
            peer = await here.expect("bob", b"good night")
            before_bytes, codes, body = psutil.Process().memory_info().rss, [], bytes(10_000)
            for _ in range(20_000):
                try:
                    here.router.send(peer, body)
                except PeerGone as error:
                    codes.append(error.code)
                assert here.router.backlog(peer) <= 20
            assert set(codes) == {"link.peer_shed"}
            assert here.router.counters["shed"] == 21 * len(codes) > 2_000
            assert psutil.Process().memory_info().rss - before_bytes < 50e6  # of 200 MB
            assert await here.serves(dealer, b"not my trouble") < 0.5
            await here.press(peer, body)
            with trio.fail_after(SURELY_S):
                while here.router.backlog(peer):
                    await trio.lowlevel.checkpoint()
            assert here.router.counters["gone"] > 0
            with pytest.raises(PeerGone, match=r"link\.peer_gone"):
                here.router.send(peer, body)


async def test_a_peer_that_reads_again_after_it_was_shed_is_served_again() -> None:
    limits = replace(LIMITS, queue_messages=4, outbox_messages=20, silence_s=SURELY_S)
    async with door(limits) as here:
        with stranger(here.router.endpoint, BOB) as slow:
            slow.send(b"wait for me")
            peer = await here.expect("bob", b"wait for me")
            number, is_shed, got = 0, False, []
            while not is_shed:
                try:
                    here.router.send(peer, b"%06d" % number + bytes(10_000))
                except PeerGone:
                    is_shed = True
                number += 1
            here.router.send(peer, b"%06d" % number)
            with trio.fail_after(SURELY_S):
                while got[-1:] != [number]:
                    if slow.poll(0):
                        got.append(int(slow.recv()[:6]))
                    await trio.lowlevel.checkpoint()
            assert got == sorted(set(got)), "order kept, nothing twice"
            assert len(got) == number + 1 - here.router.counters["shed"]


async def test_messages_of_more_than_one_frame_are_counted_and_dropped() -> None:
    async with door() as here:
        with stranger(here.router.endpoint, BOB) as raw:
            raw.send_multipart([b"", b"as a REQ would"])
            raw.send_multipart([b"one", b"two", b"three"])
            raw.send(b"one")
            await here.expect("bob", b"one")
            assert here.router.counters["malformed"] == 2


async def test_large_bodies_come_without_a_copy_and_small_ones_as_bytes() -> None:
    async with door() as here, here.dealer(ALICE) as dealer:
        for size_bytes, kind in ((100, bytes), (1 << 20, memoryview)):
            body = bytes(range(256)) * (size_bytes // 256 + 1)
            await dealer.send(body)
            delivery = await here.router.recv()
            assert isinstance(delivery.body, kind)
            assert delivery.body == body
            assert repr(body[:4])[2:-1] not in repr(delivery)
            here.router.send(delivery.peer, body)
            assert await dealer.recv() == body
