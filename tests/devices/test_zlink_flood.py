"""What comes too fast, dies unread or falls silent: inboxes, the process and the system's own watch hold."""

from __future__ import annotations

import os
import socket as tcp
import sys
from dataclasses import replace

import psutil
import trio

from devices.keys import LinkError
from devices.limits import SocketLimits
from devices.zap import RouterSocket
from devices.zlink import connect_dealer
from tests.devices.test_zlink_hostile import ALICE, BOB, LIMITS, SERVER, SURELY_S, door, stranger


async def test_a_flood_fills_its_own_inbox_and_nobody_elses() -> None:
    async with door(replace(LIMITS, inbox_messages=50)) as here, here.dealer(ALICE) as dealer:
        with stranger(here.router.endpoint, BOB) as raw:
            raw.send(b"let me in")
            await here.expect("bob", b"let me in")
            for number in range(3_000):  # in one go: nobody takes anything off the socket meanwhile
                raw.send(b"%d" % number)
            await here.counted("flooded", 2_950)
            await dealer.send(b"excuse me")
            assert await here.expect("bob", b"0")
            while not any(user == "alice" for user in here.router._inboxes):
                await trio.lowlevel.checkpoint()
            got = [(delivery.user, int(delivery.body)) for delivery in await here.router.recv_many(1)]
            await here.expect("alice", b"excuse me")
            while len(got) < 49:
                got += [(delivery.user, int(delivery.body)) for delivery in await here.router.recv_many()]
            assert got == [("bob", number) for number in range(1, 50)]
            await here.expect_nothing()
        assert here.router.counters["flooded"] == 2_950


async def test_a_user_that_rests_gets_no_turn_and_loses_nothing_but_what_floods_its_inbox() -> None:
    async with door(replace(LIMITS, inbox_messages=5)) as here, here.dealer(ALICE) as dealer:
        with stranger(here.router.endpoint, BOB) as raw:
            raw.send(b"let me in")
            await here.expect("bob", b"let me in")
            here.router.rest("bob")
            for number in range(8):
                raw.send(b"%d" % number)
            await here.counted("flooded", 3)
            await dealer.send(b"excuse me")
            await here.expect("alice", b"excuse me")
            await here.expect_nothing()
            here.router.wake("bob")
            for number in range(5):
                await here.expect("bob", b"%d" % number)
            here.router.wake("bob")
            raw.send(b"again")
            await here.expect("bob", b"again")


async def test_an_inbox_is_bounded_in_bytes_and_free_again_once_read() -> None:
    async with door(replace(LIMITS, inbox_bytes=100_000)) as here:
        with stranger(here.router.endpoint, BOB) as raw:
            raw.send(b"let me in")
            await here.expect("bob", b"let me in")
            for room in (10, 4, 7):  # bodies that still fit, as four and then seven have been read
                for _ in range(room + 5):
                    raw.send(bytes(10_000))
                await here.counted("flooded", 5)
                here.router.counters["flooded"] = 0
                assert len(await here.router.recv_many(4 if room == 10 else 7)) == (4 if room == 10 else 7)
            assert len(await here.router.recv_many()) == 3


async def test_a_receive_from_the_router_is_cancelled_without_loss_and_woken_by_closing() -> None:
    codes = []

    async def wait(router: RouterSocket) -> None:
        try:
            await router.recv()
        except LinkError as error:
            codes.append(error.code)

    async with trio.open_nursery() as nursery:
        async with door() as here, here.dealer(ALICE) as dealer:
            await dealer.send(b"kept")
            while not here.router._inboxes:
                await trio.lowlevel.checkpoint()
            with trio.CancelScope() as scope:
                scope.cancel()
                await here.router.recv()
            assert scope.cancelled_caught
            await here.expect("alice", b"kept")
            nursery.start_soon(wait, here.router)
            await here.expect_nothing()
        nursery.cancel_scope.deadline = trio.current_time() + SURELY_S
    assert codes == ["link.closed"]


PINGS_AND_DIES = """
import select, socket, struct, zmq
from devices.limits import SocketLimits
from devices.zlink import Context

def command(name, body):
    return bytes([4, 1 + len(name) + len(body), len(name)]) + name + body

with Context() as ctx:
    raw, _ = ctx._open(zmq.ROUTER, SocketLimits(queue_messages=8, linger_s=0))
    port = raw.bind_to_random_port("tcp://127.0.0.1")
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x01NULL" + bytes(48))
    ready = b"\\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
    peer.recv(64, socket.MSG_WAITALL)  # its greeting
    peer.sendall(command(b"READY", ready))
    peer.recv(100)  # its READY
    message, ping = b"\\x00\\x03abc", command(b"PING", b"\\x00\\x64")
    peer.sendall(message * 12 + ping + message * 3)
    assert raw.poll(5000)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    select.select([], [], [], 0.2)  # let libzmq find the peer dead before anything is read
    count = 0
    while raw.poll(200):
        raw.recv_multipart()
        count += 1
    print(count)
"""


async def test_a_peer_that_pings_and_dies_unread_does_not_take_the_process_along() -> None:
    """The script speaks ZMTP 3.1 (ZeroMQ RFC 37) by hand; with a bounded queue inward it dies of SIGABRT."""
    with trio.fail_after(2 * SURELY_S):
        done = await trio.run_process([sys.executable, "-c", PINGS_AND_DIES], capture_stdout=True, check=False)
    assert done.returncode == 0
    assert 1 <= int(done.stdout) <= 15


async def test_both_ends_ask_the_system_to_notice_a_peer_that_has_gone_silent() -> None:
    async with (
        door(replace(LIMITS, silence_s=3.0)) as here,
        connect_dealer(
            here.ctx,
            here.router.endpoint,
            my_keys=ALICE,
            server_public_key=SERVER.public,
            limits=SocketLimits(silence_s=7.0),
        ) as dealer,
    ):
        await here.serves(dealer, b"hello")
        settings = []
        for connection in psutil.Process().net_connections("tcp"):
            if connection.raddr and here.address()[1] in (connection.laddr.port, connection.raddr.port):
                with tcp.socket(fileno=os.dup(connection.fd)) as end:
                    options = (tcp.TCP_KEEPIDLE, tcp.TCP_KEEPINTVL, tcp.TCP_KEEPCNT, tcp.TCP_USER_TIMEOUT)
                    settings.append([end.getsockopt(tcp.IPPROTO_TCP, option) for option in options])
                    assert end.getsockopt(tcp.SOL_SOCKET, tcp.SO_KEEPALIVE)
        assert sorted(settings) == [[1, 1, 3, 3000], [1, 1, 7, 7000]]
