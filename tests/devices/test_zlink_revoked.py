"""What becomes of a live connection when its key is revoked, of a flood, and of plain sockets; with real sockets."""

from __future__ import annotations

import os
import socket as tcp
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trio

from devices.key_ring import KeyRing
from devices.keys import KeyPair, LinkError, PeerGone, curve_keypair
from devices.limits import SocketLimits
from devices.lines import Line, hang_up
from devices.peers import UPSTREAM
from devices.zap import RouterSocket, serve_router, serve_zap
from devices.zlink import Context, DealerSocket, PlainName, connect_dealer

LIMITS = SocketLimits(handshake_s=0.5, silence_s=2.0, linger_s=0)
SURELY_S = 20.0
ALICE, ALICE_NEXT, BOB = (curve_keypair() for _ in range(3))


@dataclass
class Door:
    """A router for upstreams that looks into a key ring; plain where it has no keys."""

    ctx: Context
    ring: KeyRing
    router: RouterSocket
    server: KeyPair

    def dealer(self, keys: KeyPair | PlainName) -> AbstractAsyncContextManager[DealerSocket]:
        return connect_dealer(
            self.ctx, self.router.endpoint, my_keys=keys, server_public_key=self.server.public, limits=LIMITS
        )

    async def heard(self, dealer: DealerSocket, body: bytes) -> bytes:
        """Send and take one message; returns its peer."""
        with trio.fail_after(SURELY_S):
            await dealer.send(body)
            delivery = await self.router.recv()
        assert bytes(delivery.body) == body
        return delivery.peer

    async def counted(self, name: str, least: int) -> None:
        with trio.fail_after(SURELY_S):
            while self.router.counters[name] < least:
                await trio.lowlevel.checkpoint()


@asynccontextmanager
async def door(folder: Path, limits: SocketLimits = LIMITS, *, plain: bool = False) -> AsyncIterator[Door]:
    ring = KeyRing(folder)
    server = ring.ensure_server_keys()
    ring.allow(UPSTREAM, "alice", ALICE.public)
    ring.allow(UPSTREAM, "bob", BOB.public)

    def still(user: str, mark: str) -> bool:
        return ring.is_listed(UPSTREAM, user) if plain else ring.is_current(UPSTREAM, user, mark)

    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_zap, ctx, ring.user_for, ring.is_listed if plain else None)
            own = None if plain else server
            serving = serve_router(ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=own, limits=limits, still=still)
            async with serving as router:
                yield Door(ctx, ring, router, server)
            nursery.cancel_scope.cancel()


async def refused(dealer: DealerSocket) -> str:
    """The code with which a dealer gives up."""
    with trio.fail_after(SURELY_S), pytest.raises(LinkError) as caught:
        await dealer.recv()
    return caught.value.code


async def test_a_revoked_peer_is_hung_up_on_and_its_next_attempt_is_refused_while_others_go_on(tmp_path: Path) -> None:
    async with door(tmp_path) as here, here.dealer(ALICE) as alice, here.dealer(BOB) as bob:
        peer = await here.heard(alice, b"before")
        good = await here.heard(bob, b"bob")
        here.ring.revoke(UPSTREAM, "alice")
        assert here.router.drop_revoked() == 1
        assert await refused(alice) == "link.key_refused"
        with pytest.raises(PeerGone):
            here.router.send(peer, b"too late")
        here.router.send(good, b"answer")
        with trio.fail_after(SURELY_S):
            assert await bob.recv() == b"answer"
        assert bob.counters["disconnected"] == 0
        await here.heard(bob, b"again")
        assert here.router.drop_revoked() == 0


async def test_between_revocation_and_look_nothing_is_heard_or_said_and_the_message_itself_ends_the_line(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as here, here.dealer(ALICE) as alice, here.dealer(BOB) as bob:
        peer = await here.heard(alice, b"before")
        await alice.send(b"waits to be taken")
        with trio.fail_after(SURELY_S):
            while "alice" not in here.router._inboxes:
                await trio.lowlevel.checkpoint()
        here.ring.revoke(UPSTREAM, "alice")
        await here.heard(bob, b"the first that is taken")
        assert here.router.counters["revoked"] == 1
        with pytest.raises(PeerGone):
            here.router.send(peer, b"an answer to what was asked before")
        await alice.send(b"asked after")
        await here.counted("revoked", 2)
        assert await refused(alice) == "link.key_refused"
        await here.heard(bob, b"nothing of hers came before this")


async def test_what_somebody_revoked_had_sent_while_it_got_no_turn_is_never_heard(tmp_path: Path) -> None:
    async with door(tmp_path) as here, here.dealer(ALICE) as alice, here.dealer(BOB) as bob:
        await here.heard(alice, b"before")
        here.router.rest("alice")
        await alice.send(b"waits for a turn")
        with trio.fail_after(SURELY_S):
            while not here.router._resting["alice"].waiting:
                await trio.lowlevel.checkpoint()
        here.ring.revoke(UPSTREAM, "alice")
        assert here.router.drop_revoked() == 1
        assert here.router.counters["revoked"] == 1
        here.router.wake("alice")
        await here.heard(bob, b"nothing of hers came before this")


async def test_what_waits_for_a_revoked_peer_is_dropped(tmp_path: Path) -> None:
    limits = replace(LIMITS, queue_messages=2, silence_s=60.0)
    async with door(tmp_path, limits) as here, here.dealer(ALICE) as alice:
        peer = await here.heard(alice, b"before")
        with trio.fail_after(SURELY_S):
            while here.router.backlog(peer) < 5:  # she does not read
                here.router.send(peer, bytes(1 << 20))
                await trio.lowlevel.checkpoint()
        waiting = here.router.backlog(peer)
        here.ring.revoke(UPSTREAM, "alice")
        here.router.drop_revoked()
        assert here.router.backlog(peer) == 0
        assert here.router.counters["gone"] >= waiting


async def test_both_keys_work_in_a_rotation_and_its_end_cuts_only_lines_of_the_old_key(tmp_path: Path) -> None:
    async with door(tmp_path) as here, here.dealer(ALICE) as old:
        old_peer = await here.heard(old, b"by the first key")
        here.ring.rotate(UPSTREAM, "alice", ALICE_NEXT.public)
        async with here.dealer(ALICE_NEXT) as new:
            new_peer = await here.heard(new, b"by the next key")
            assert here.router.drop_revoked() == 0
            await here.heard(old, b"both")
            here.ring.finish(UPSTREAM, "alice")
            assert here.router.drop_revoked() == 1
            assert await refused(old) == "link.key_refused"
            with pytest.raises(PeerGone):
                here.router.send(old_peer, b"gone")
            here.router.send(new_peer, b"stays")
            with trio.fail_after(SURELY_S):
                assert await new.recv() == b"stays"


async def test_of_one_users_connections_the_one_not_heard_for_longest_is_hung_up_on(tmp_path: Path) -> None:
    async with (
        door(tmp_path, replace(LIMITS, lines_per_user=2)) as here,
        here.dealer(ALICE) as first,
        here.dealer(ALICE) as second,
        here.dealer(ALICE) as third,
        here.dealer(BOB) as bob,
    ):
        await here.heard(bob, b"bob")
        for dealer in (first, second, first, third):
            await here.heard(dealer, b"hello")
        await here.counted("disconnected", 1)
        with trio.fail_after(SURELY_S):
            while not second.counters["disconnected"]:
                await trio.lowlevel.checkpoint()
        assert [one.counters["disconnected"] for one in (first, third, bob)] == [0, 0, 0]


def test_only_a_connection_of_the_door_itself_is_ever_hung_up_on(tmp_path: Path) -> None:
    with tcp.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with tcp.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            with accepted, open(tmp_path / "ledger", "wb") as file:
                own, inode = f"tcp://127.0.0.1:{port}", os.fstat(accepted.fileno()).st_ino
                assert not hang_up(Line("a", "", accepted.fileno(), inode + 1), own)  # another one has its number now
                assert not hang_up(Line("a", "", accepted.fileno(), inode), "tcp://127.0.0.1:1")  # of another door
                assert not hang_up(Line("a", "", client.fileno(), os.fstat(client.fileno()).st_ino), own)
                assert not hang_up(Line("a", "", file.fileno(), os.fstat(file.fileno()).st_ino), own)
                assert not hang_up(Line("a", "", -1, 0), own)
                file.write(b"still open")
                accepted.sendall(b"still open")
                assert client.recv(10) == b"still open"
                assert hang_up(Line("a", "", accepted.fileno(), inode), own)
                client.settimeout(SURELY_S)
                assert client.recv(1) == b""


async def test_more_messages_a_second_than_allowed_are_dropped_and_counted_and_others_are_heard(tmp_path: Path) -> None:
    limits = replace(LIMITS, rate_per_s=0.001, burst_messages=20)
    async with door(tmp_path, limits) as here, here.dealer(ALICE) as alice, here.dealer(BOB) as bob:
        for number in range(200):  # ten times what she may
            await alice.send(b"%d" % number)
        await here.counted("flooded", 180)
        taken: list[int] = []
        with trio.fail_after(SURELY_S):
            while len(taken) < 20:
                taken += [int(bytes(one.body)) for one in await here.router.recv_many()]
        assert taken == list(range(20))
        assert here.router.counters["flooded"] == 180
        await here.heard(bob, b"bob has tokens of his own")


async def test_a_plain_door_believes_names_that_are_listed_and_no_others(tmp_path: Path) -> None:
    async with door(tmp_path, plain=True) as here:
        async with here.dealer(PlainName("alice")) as alice:
            peer = await here.heard(alice, b"no proof")
            here.router.send(peer, b"answer")
            with trio.fail_after(SURELY_S):
                assert await alice.recv() == b"answer"
            here.ring.revoke(UPSTREAM, "alice")
            assert here.router.drop_revoked() == 1
            assert await refused(alice) == "link.key_refused"
        for name in ("mallory", "alice", "bob\x00", "x" * 200):
            async with here.dealer(PlainName(name)) as stranger:
                assert await refused(stranger) == "link.key_refused"
        async with here.dealer(BOB) as curve:
            assert await refused(curve) == "link.not_cardmill"


async def test_a_name_without_a_key_is_refused_by_a_door_that_has_keys(tmp_path: Path) -> None:
    async with door(tmp_path) as here, here.dealer(PlainName("alice")) as alice:
        assert await refused(alice) == "link.not_cardmill"
        await here.counted("no_curve", 1)


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:*", "tcp://*:*", "tcp://192.0.2.1:5701", "tcp://localhost:*"])
async def test_a_plain_door_opens_on_a_loopback_address_only(endpoint: str) -> None:
    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_zap, ctx, lambda role, public: None, lambda role, name: True)
            with pytest.raises(LinkError, match=r"link\.insecure"):
                async with serve_router(ctx, endpoint, role=UPSTREAM, server_keys=None):
                    raise AssertionError
            nursery.cancel_scope.cancel()
