"""Opening links: what can be wrong with endpoints and keys, and clients whose service is late, gone or not ours."""

from __future__ import annotations

import errno
import socket as tcp
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import trio
import zmq

from devices.keys import KeyPair, LinkError, LinkTimeout
from devices.limits import SocketLimits
from devices.peers import UPSTREAM
from devices.sync_dealer import SyncDealer
from devices.zap import RouterSocket, ZapCounts, serve_router, serve_zap
from devices.zlink import HANG_UPS, Body, Context, DealerSocket, _attach, connect_dealer
from tests.devices.test_zlink_hostile import ALICE, LIMITS, MALLORY, NEVER_S, SERVER, SURELY_S, door
from tests.devices.test_zlink_stress import frames_socket

NOWHERE = "tcp://127.0.0.1:9"
Answer = TypeVar("Answer")


def client(ctx: Context, endpoint: str) -> AbstractAsyncContextManager[DealerSocket]:
    return connect_dealer(ctx, endpoint, my_keys=ALICE, server_public_key=SERVER.public, limits=LIMITS)


def free_endpoint() -> str:
    with tcp.create_server(("127.0.0.1", 0)) as probe:
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("tcp://192.0.2.1:65535", "link.address_not_here"),
        ("tcp://no-such-interface:5000", "link.address_not_here"),
        ("tcp://127.0.0.1", "link.bad_endpoint"),
        ("tcp://127.0.0.1:99999", "link.bad_endpoint"),
        ("tcp://127.0.0.1:65536", "link.bad_endpoint"),
        ("tcp://127.0.0.1:abc", "link.bad_endpoint"),
        ("127.0.0.1:5000", "link.bad_endpoint"),
        ("http://127.0.0.1:5000", "link.bad_endpoint"),
        ("inproc://no-curve-there", "link.bad_endpoint"),
        ("ipc:///no/such/folder/socket", "link.bad_endpoint"),
        ("", "link.bad_endpoint"),
    ],
)
async def test_an_endpoint_that_cannot_be_bound_is_named_with_what_to_do(endpoint: str, code: str) -> None:
    async with door() as here:
        with pytest.raises(LinkError) as caught:
            async with serve_router(here.ctx, endpoint, role=UPSTREAM, server_keys=SERVER, limits=LIMITS):
                pass
        assert caught.value.code == code
        assert caught.value.sentence.startswith(endpoint)


async def test_a_taken_address_is_refused() -> None:
    async with door() as here:
        with pytest.raises(LinkError, match=r"link\.address_in_use: tcp://.* stop the program"):
            async with serve_router(here.ctx, here.router.endpoint, role=UPSTREAM, server_keys=SERVER):
                pass


def test_an_address_this_account_may_not_bind_is_refused() -> None:
    """Told by a bind that fails as the system's would: the tests may run as root, who may bind anything."""

    def bind(_: str) -> None:
        raise zmq.ZMQError(errno.EACCES)

    with zmq.Context() as ctx, ctx.socket(zmq.PAIR) as raw, ctx.socket(zmq.PAIR) as events:
        socket = frames_socket(events)
        with pytest.raises(LinkError, match=r"link\.address_denied: tcp://127\.0\.0\.1:80 .* port from 1024 up"):
            _attach(raw, socket, bind, "tcp://127.0.0.1:80")


async def test_every_router_with_a_wildcard_port_tells_its_own() -> None:
    async with door() as here:
        for endpoint in ("tcp://127.0.0.1:*", "tcp://127.0.0.1:0"):
            serving = serve_router(here.ctx, endpoint, role=UPSTREAM, server_keys=SERVER, limits=LIMITS)
            async with serving as other:
                assert other.endpoint.startswith("tcp://127.0.0.1:")
                assert int(other.endpoint.rsplit(":", 1)[1]) > 1023
                assert other.endpoint != here.router.endpoint


async def test_a_unix_socket_serves_as_well_and_knows_who_asks(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/door"
    async with door() as here:
        serving = serve_router(here.ctx, endpoint, role=UPSTREAM, server_keys=SERVER, limits=LIMITS)
        async with serving as router, client(here.ctx, endpoint) as dealer:
            await dealer.send(b"hello")
            assert (await router.recv()).user == "alice"


BAD_KEYS = ["", "short", "x" * 39, "x" * 41, "é" * 40, '"' * 40, "#" * 40, ALICE.public[:-1] + "\0"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=range(len(BAD_KEYS)))  # keys are new in every process
async def test_a_bad_key_is_refused_by_a_sentence_that_does_not_repeat_it(key: str) -> None:
    async def serve() -> None:
        async with serve_router(here.ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=replace(SERVER, secret=key)):
            pass

    async def connect() -> None:
        async with connect_dealer(
            here.ctx, NOWHERE, my_keys=replace(ALICE, secret=key), server_public_key=SERVER.public
        ):
            pass

    async def connect_to() -> None:
        async with connect_dealer(here.ctx, NOWHERE, my_keys=ALICE, server_public_key=key):
            pass

    async with door() as here:
        for opening in (serve, connect, connect_to):
            with pytest.raises(LinkError, match=r"link\.bad_key: a key is 40 characters of Z85") as caught:
                await opening()
            assert len(key) < 10 or key not in str(caught.value)
    with pytest.raises(LinkError, match=r"link\.bad_key"):
        SyncDealer(NOWHERE, my_keys=ALICE, server_public_key=key)


async def test_without_a_zap_task_no_router_is_bound() -> None:
    with Context() as ctx, pytest.raises(LinkError, match=r"link\.no_zap"):
        async with serve_router(ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=SERVER):
            pass


async def test_after_the_zap_task_has_ended_nobody_gets_in_and_no_router_is_bound() -> None:
    ending = trio.CancelScope()

    async def zap(task_status: trio.TaskStatus[ZapCounts]) -> None:
        with ending:
            await serve_zap(ctx, lambda _role, _public: "anybody", task_status=task_status)

    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            await nursery.start(zap)
            serving = serve_router(ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=SERVER, limits=LIMITS)
            async with serving as router, client(ctx, router.endpoint) as before:
                await before.send(b"in")
                await router.recv()
                ending.cancel()
                while ctx.zap_bound:
                    await trio.lowlevel.checkpoint()
                async with client(ctx, router.endpoint) as after:
                    with trio.move_on_after(NEVER_S) as scope:
                        await after.send(b"nobody is asked about me")
                        await router.recv()
                    assert scope.cancelled_caught
                    assert router.counters["handshake"] == 1
        with pytest.raises(LinkError, match=r"link\.no_zap"):
            async with serve_router(ctx, "tcp://127.0.0.1:*", role=UPSTREAM, server_keys=SERVER):
                pass


async def test_a_dealer_waits_for_a_service_that_comes_later_and_comes_back() -> None:
    async with door() as here:
        endpoint = free_endpoint()
        async with client(here.ctx, endpoint) as dealer:
            for number in range(3):
                with trio.move_on_after(NEVER_S) as away:
                    await dealer.send(b"nobody is there")
                assert away.cancelled_caught
                serving = serve_router(here.ctx, endpoint, role=UPSTREAM, server_keys=SERVER, limits=LIMITS)
                with trio.fail_after(SURELY_S):
                    async with serving as router:
                        await dealer.send(b"%d" % number)
                        assert (await router.recv()).body == b"%d" % number, "nothing old is sent again"
                    while dealer.connected:
                        await trio.lowlevel.checkpoint()
            assert dealer.counters["handshake"] == 3


async def test_a_service_of_another_kind_is_told_apart() -> None:
    async def answer_as_a_web_server(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + bytes(100))
            await stream.receive_some()

    async with trio.open_nursery() as nursery:
        serving = partial(trio.serve_tcp, answer_as_a_web_server, 0, host="127.0.0.1")
        [listener] = await nursery.start(serving)
        endpoint = f"tcp://127.0.0.1:{listener.socket.getsockname()[1]}"
        with Context() as ctx:
            async with client(ctx, endpoint) as dealer:
                with trio.fail_after(SURELY_S), pytest.raises(LinkError) as caught:
                    await dealer.recv()
        assert caught.value.code == "link.not_cardmill"
        nursery.cancel_scope.cancel()


async def test_who_takes_every_call_and_hangs_up_at_once_is_given_up() -> None:
    calls = 0

    async def hang_up(stream: trio.SocketStream) -> None:
        nonlocal calls
        calls += 1
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, hang_up, 0, host="127.0.0.1"))
        with Context() as ctx:
            async with client(ctx, f"tcp://127.0.0.1:{listener.socket.getsockname()[1]}") as dealer:
                with trio.fail_after(6 * SURELY_S), pytest.raises(LinkError) as caught:
                    await dealer.recv()
        assert caught.value.code == "link.not_cardmill"
        assert calls >= HANG_UPS
        nursery.cancel_scope.cancel()


async def send_for_ever(dealer: DealerSocket) -> None:
    while True:
        await dealer.send(b"?")


async def test_a_dealer_cut_off_for_good_says_so_instead_of_waiting_for_ever() -> None:
    async with door() as here:
        short = replace(LIMITS, max_message_bytes=1000)
        connecting = connect_dealer(
            here.ctx, here.router.endpoint, my_keys=ALICE, server_public_key=SERVER.public, limits=short
        )
        async with connecting as dealer:
            await dealer.send(b"?")
            peer = (await here.router.recv()).peer
            here.router.send(peer, b"still good")
            here.router.send(peer, bytes(1001))
            with trio.fail_after(SURELY_S), pytest.raises(LinkError) as caught:
                await send_for_ever(dealer)
            assert caught.value.code == "link.not_cardmill"
            assert await dealer.recv() == b"still good"
            with pytest.raises(LinkError, match=r"link\.not_cardmill"):
                await dealer.recv()
            assert not dealer.connected


async def in_a_thread(call: Callable[[SyncDealer], Answer], endpoint: str, keys: KeyPair = ALICE) -> Answer:
    """What a call of the synchronous dealer returns, while trio goes on here."""

    def work() -> Answer:
        with SyncDealer(endpoint, my_keys=keys, server_public_key=SERVER.public, limits=LIMITS) as dealer:
            return call(dealer)

    with trio.fail_after(SURELY_S):
        return await trio.to_thread.run_sync(work)


async def test_the_synchronous_dealer_asks_and_is_answered() -> None:
    def ask(dealer: SyncDealer) -> list[bytes]:
        answers = []
        for number in range(20):
            dealer.send(b"%d" % number, SURELY_S)
            answers.append(bytes(dealer.recv(SURELY_S)))
        return answers

    async def answer(router: RouterSocket) -> None:
        while True:
            delivery = await router.recv()
            router.send(delivery.peer, b"%s: %s" % (delivery.user.encode(), delivery.body))

    async with door() as here, trio.open_nursery() as nursery:
        nursery.start_soon(answer, here.router)
        assert await in_a_thread(ask, here.router.endpoint) == [b"alice: %d" % number for number in range(20)]
        nursery.cancel_scope.cancel()


async def test_the_last_message_of_a_synchronous_dealer_is_sent_before_it_closes() -> None:
    limits = replace(LIMITS, linger_s=SURELY_S)
    async with door() as here:

        def tell() -> None:
            with SyncDealer(
                here.router.endpoint, my_keys=ALICE, server_public_key=SERVER.public, limits=limits
            ) as dealer:
                dealer.send(bytes(1 << 20), SURELY_S)

        with trio.fail_after(SURELY_S):
            await trio.to_thread.run_sync(tell)
            assert len((await here.router.recv()).body) == 1 << 20


async def test_an_answer_that_comes_after_the_time_is_up_is_not_lost() -> None:
    is_late, has_come = threading.Event(), threading.Event()

    def ask(dealer: SyncDealer) -> Body:
        dealer.send(b"?", SURELY_S)
        with pytest.raises(LinkTimeout) as caught:
            dealer.recv(0.05)
        assert caught.value.code == "link.timeout"
        is_late.set()
        assert has_come.wait(SURELY_S)
        return dealer.recv(SURELY_S)

    async def answer_late(router: RouterSocket) -> None:
        delivery = await router.recv()
        await trio.to_thread.run_sync(is_late.wait)
        router.send(delivery.peer, b"!")
        has_come.set()

    async with door() as here, trio.open_nursery() as nursery:
        nursery.start_soon(answer_late, here.router)
        assert await in_a_thread(ask, here.router.endpoint) == b"!"


async def test_the_synchronous_dealer_tells_an_absent_service_from_one_that_refuses_it() -> None:
    def ask(dealer: SyncDealer) -> LinkError:
        with pytest.raises(LinkError) as caught:
            dealer.send(b"?", 0.5)
        with pytest.raises(LinkError) as again:
            dealer.recv(0.05)
        assert again.value.code == caught.value.code
        return caught.value

    async with door() as here:
        absent = await in_a_thread(ask, free_endpoint())
        assert (absent.code, isinstance(absent, LinkTimeout)) == ("link.unreachable", True)
        refused = await in_a_thread(ask, here.router.endpoint, MALLORY)
        assert (refused.code, isinstance(refused, LinkTimeout)) == ("link.key_refused", False)


def test_an_answer_taken_as_the_time_runs_out_is_returned() -> None:
    async def answered_just_too_late() -> bytes:
        late = trio.current_time() + 0.05
        while trio.current_time() < late:
            pass
        return b"answer"

    with SyncDealer(free_endpoint(), my_keys=ALICE, server_public_key=SERVER.public, limits=LIMITS) as dealer:
        assert trio.run(dealer._call, 0.01, answered_just_too_late) == b"answer"


def test_a_message_longer_than_the_limit_is_not_sent() -> None:
    limits = SocketLimits(max_message_bytes=10, linger_s=0)
    connecting = SyncDealer(free_endpoint(), my_keys=ALICE, server_public_key=SERVER.public, limits=limits)
    with connecting as dealer, pytest.raises(LinkError, match=r"link\.too_long: 11 bytes"):
        dealer.send(bytes(11), SURELY_S)


NEVER_ENDING = """
import zmq

from devices.zlink import Context

with Context() as ctx:
    stuck = ctx._raw.socket(zmq.DEALER)
    stuck.connect("tcp://127.0.0.1:9")
    stuck.send(b"nobody takes it")
    stuck.linger = -1
print("closed", flush=True)
"""


def test_a_program_ends_although_libzmq_would_wait_for_ever_for_one_of_its_sockets() -> None:
    ended = subprocess.run([sys.executable, "-c", NEVER_ENDING], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "closed\n"), ended.stderr
