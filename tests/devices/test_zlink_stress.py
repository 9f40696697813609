"""The adapter under duplex traffic, tiny queues, several tasks an end and random cancellation: each message once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
import trio
import zmq

from devices.keys import curve_keypair
from devices.limits import SocketLimits
from devices.zap import RouterSocket, serve_router, serve_zap
from devices.zlink import Context, Socket, connect_dealer

QUEUES = (1, 1, 2, 5, 50, 100)
TASKS = (1, 1, 1, 2, 3)  # an end: one alone has nobody to wake it by chance
PADS_BYTES = (0, 100, 5_000)
CUT_SHARES = (0.0, 0.0, 0.1, 0.4)  # of waits that are cut short: without any, a lost wake-up is a hang for good
SEEDS = range(66)  # a third each: DEALER with DEALER, DEALER with bare ROUTER, the service's router under CURVE
NAIVE_SEEDS = range(12)
HANG_S, NAIVE_HANG_S, LATE_S = 15.0, 1.0, 0.005

RawSocket = zmq.Socket[bytes]
Send = Callable[[bytes], Awaitable[None]]
Take = Callable[[], Awaitable[list[bytes]]]


class NaiveSocket:
    """What most snippets do: on EAGAIN wait for the descriptor, as if it meant "readable"."""

    def __init__(self, raw: RawSocket) -> None:
        self.raw = raw

    async def recv_many(self, limit: int) -> list[list[bytes]]:
        while True:
            try:
                return [self.raw.recv_multipart(zmq.NOBLOCK)]
            except zmq.Again:
                await self._wait()

    async def send_frames(self, *frames: bytes) -> None:
        while True:
            try:
                self.raw.send_multipart(frames, zmq.NOBLOCK)
                return
            except zmq.Again:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await trio.lowlevel.wait_readable(self.raw.FD)
        except trio.BusyResourceError:  # another task waits for it
            await trio.lowlevel.checkpoint()


@dataclass
class End:
    """What one end of the traffic does: who sends from it, and what it must get."""

    takes: Take
    expected: set[bytes]
    cut_share: float
    seen: Counter[bytes] = field(default_factory=Counter)
    disorder: int = 0

    async def receive(self, rnd: random.Random, tasks: int) -> None:
        """Take until all is there, with waits cut short at random; then look whether more comes."""
        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(self._receive, rnd, nursery.cancel_scope)
        with trio.move_on_after(LATE_S):
            while True:
                self.seen.update(await self.takes())

    async def _receive(self, rnd: random.Random, all_receivers: trio.CancelScope) -> None:
        latest: dict[bytes, int] = {}
        while True:
            with trio.move_on_after(rnd.random() * 0.0005 if rnd.random() < self.cut_share else HANG_S):
                for message in await self.takes():
                    sender, number = message.split(b":")[:2]
                    self.disorder += latest.get(sender, -1) >= int(number)
                    latest[sender] = int(number)
                    self.seen[message] += 1
            if len(self.seen) == len(self.expected):
                all_receivers.cancel()
            if rnd.random() < 0.02:
                await trio.sleep(0.0002)


async def send_all(send: Send, messages: list[bytes], rnd: random.Random, cut_share: float) -> None:
    """Send in order, with waits cut short at random: what was cancelled was not sent, and goes again."""
    for message in messages:
        while True:
            with trio.move_on_after(rnd.random() * 0.0005 if rnd.random() < cut_share else HANG_S) as attempt:
                await send(message)
            if not attempt.cancelled_caught:
                break


def messages_of(name: str, count: int, pad_bytes: int) -> list[bytes]:
    return [b"%s:%d:" % (name.encode(), number) + bytes(pad_bytes) for number in range(count)]


@dataclass
class Traffic:
    """All ends and senders of one run."""

    rnd: random.Random
    ends: list[End] = field(default_factory=list)
    senders: list[tuple[Send, list[bytes]]] = field(default_factory=list)

    def add(self, takes: Take, *sends: Send) -> None:
        """An end that takes what all of `sends`, one to three tasks each, send it."""
        pad_bytes, expected = self.rnd.choice(PADS_BYTES), set[bytes]()
        for send in sends:
            for _ in range(self.rnd.choice(TASKS)):
                messages = messages_of(f"{len(self.senders)}", 200, pad_bytes)
                self.senders.append((send, messages))
                expected.update(messages)
        self.ends.append(End(takes, expected, self.rnd.choice(CUT_SHARES)))

    async def run(self, hang_s: float) -> str:
        """What went wrong, or nothing."""
        cut_share = self.rnd.choice(CUT_SHARES)
        with trio.move_on_after(hang_s) as run:
            async with trio.open_nursery() as nursery:
                for end in self.ends:
                    nursery.start_soon(end.receive, self.rnd, self.rnd.choice(TASKS))
                for send, messages in self.senders:
                    nursery.start_soon(send_all, send, messages, self.rnd, cut_share)
        lost = sum(len(end.expected - end.seen.keys()) for end in self.ends)
        doubled = sum(end.seen.total() - len(end.seen) for end in self.ends)
        disorder = sum(end.disorder for end in self.ends)
        if run.cancelled_caught or lost or doubled or disorder:
            return f"hung {run.cancelled_caught}, lost {lost}, doubled {doubled}, out of order {disorder}"
        return ""


def raw_pair(ctx: zmq.Context[RawSocket], kind: int, rnd: random.Random, curve: bool) -> list[RawSocket]:
    """A bound socket of `kind` and a DEALER named A connected to it, with small queues and buffers."""
    bound, dealer = ctx.socket(kind), ctx.socket(zmq.DEALER)
    for raw in (bound, dealer):
        raw.set_hwm(rnd.choice(QUEUES))
        raw.sndbuf = raw.rcvbuf = 4096
        raw.linger = 0
    dealer.routing_id = b"A"
    if kind == zmq.ROUTER:
        bound.router_mandatory = 1  # or it drops what finds no room
    if curve:
        server, client = curve_keypair(), curve_keypair()
        bound.curve_server, bound.curve_secretkey = 1, server.secret.encode()
        dealer.curve_publickey, dealer.curve_secretkey = client.public.encode(), client.secret.encode()
        dealer.curve_serverkey = server.public.encode()
    dealer.connect(f"tcp://127.0.0.1:{bound.bind_to_random_port('tcp://127.0.0.1')}")
    return [bound, dealer]


def frames_socket(raw: RawSocket) -> Socket[list[bytes]]:
    return Socket(raw, lambda raw: raw.recv_multipart(zmq.NOBLOCK))


def last_frames(socket: Socket[list[bytes]] | NaiveSocket, limit: int) -> Take:
    async def take() -> list[bytes]:
        return [frames[-1] for frames in await socket.recv_many(limit)]

    return take


def addressed(socket: Socket[list[bytes]], *address: bytes) -> Send:
    async def send(message: bytes) -> None:
        await socket.send_frames(*address, message)

    return send


async def stress_bare_pair(rnd: random.Random, kind: int) -> str:
    curve = rnd.random() < 1 / 3
    with zmq.Context() as ctx:
        bound, dealer = (frames_socket(raw) for raw in raw_pair(ctx, kind, rnd, curve))
        async with bound.working(), dealer.working():
            await dealer.send_frames(b"hello")
            await bound.recv()
            traffic, limit = Traffic(rnd), rnd.choice((1, 1, 8))
            address = (b"A",) if kind == zmq.ROUTER else ()
            traffic.add(last_frames(dealer, limit), addressed(bound, *address))
            traffic.add(last_frames(bound, limit), dealer.send_frames)
            result = await traffic.run(HANG_S)
        bound.close()
        dealer.close()
    return result


async def stress_service(rnd: random.Random) -> str:
    """The service's router with one to three clients, all under CURVE; `send` never waits, so we watch the backlog."""
    server, client = curve_keypair(), curve_keypair()
    limits = [SocketLimits(queue_messages=rnd.choice(QUEUES), inbox_messages=10_000, linger_s=0) for _ in range(2)]
    traffic, limit = Traffic(rnd), rnd.choice((1, 1, 8))

    def answering(router: RouterSocket, peer: bytes) -> Send:
        async def send(message: bytes) -> None:
            await trio.lowlevel.checkpoint()
            while router.backlog(peer) > 100:
                await trio.lowlevel.checkpoint()
            router.send(peer, message)

        return send

    with Context() as ctx:
        async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
            await nursery.start(serve_zap, ctx, lambda _domain, _public: "client")
            serving = serve_router(ctx, "tcp://127.0.0.1:*", role="station", server_keys=server, limits=limits[0])
            router = await stack.enter_async_context(serving)
            sends = []
            for _ in range(rnd.randint(1, 3)):
                connecting = connect_dealer(
                    ctx, router.endpoint, my_keys=client, server_public_key=server.public, limits=limits[1]
                )
                dealer = await stack.enter_async_context(connecting)
                await dealer.send(b"hello")
                peer = (await router.recv()).peer
                sends.append(dealer.send)

                async def take_answers(dealer: Socket[bytes] = dealer) -> list[bytes]:
                    return await dealer.recv_many(limit)

                traffic.add(take_answers, answering(router, peer))

            async def take_requests() -> list[bytes]:
                return [bytes(delivery.body) for delivery in await router.recv_many(limit)]

            traffic.add(take_requests, *sends)
            result = await traffic.run(HANG_S)
            nursery.cancel_scope.cancel()
    return result


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_message_arrives_once_and_in_order_whatever_is_cancelled(seed: int) -> None:
    rnd = random.Random(seed)
    match seed % 3:
        case 0:
            assert await stress_bare_pair(rnd, zmq.DEALER) == ""
        case 1:
            assert await stress_bare_pair(rnd, zmq.ROUTER) == ""
        case _:
            assert await stress_service(rnd) == ""


async def naive_failure(seed: int) -> str:
    rnd = random.Random(seed)
    with zmq.Context() as ctx:
        ends = [NaiveSocket(raw) for raw in raw_pair(ctx, zmq.DEALER, rnd, curve=False)]
        traffic = Traffic(rnd)
        for here, there in (ends, ends[::-1]):
            traffic.add(last_frames(here, 1), there.send_frames)
        result = await traffic.run(NAIVE_HANG_S)
        for end in ends:
            trio.lowlevel.notify_closing(end.raw.FD)
            end.raw.close()
    return result


async def test_the_same_traffic_breaks_the_naive_loop() -> None:
    for seed in NAIVE_SEEDS:
        if await naive_failure(seed):
            return
    pytest.fail(f"{len(NAIVE_SEEDS)} seeds did not break the naive loop: the stress is too mild to prove anything")
