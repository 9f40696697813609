"""The adapter's rules one by one: a bell swallowed on purpose, cancellation, order, faults, closing."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trio
import zmq
from trio.testing import wait_all_tasks_blocked

from devices.keys import LinkError
from devices.limits import SocketLimits
from devices.zlink import SHARE_FROM_BYTES, Socket
from tests.devices.test_zlink_stress import NaiveSocket, RawSocket, frames_socket

SOON_S, RINGS_WITHIN_S = 0.2, 5.0


@contextmanager
def dealers(queue_messages: int = 100) -> Iterator[tuple[RawSocket, RawSocket]]:
    """Two DEALERs that have spoken with each other; inproc, so that only the test decides what happens when."""
    with zmq.Context() as ctx, ctx.socket(zmq.DEALER) as here, ctx.socket(zmq.DEALER) as there:
        for raw in (here, there):
            raw.set_hwm(queue_messages)
            raw.linger = 0
        here.bind("inproc://here")
        there.connect("inproc://here")
        there.send(b"hello")
        assert here.recv() == b"hello"
        yield here, there


def rings(raw: RawSocket, within_s: float = 0.0) -> bool:
    """Whether the descriptor is readable; asking the system so leaves the mailbox as it is."""
    return bool(select.select([raw.FD], [], [], within_s)[0])


def swallow_bell(raw: RawSocket, call: Callable[[], object]) -> None:
    """Let the bell ring, then silence it by calls, with no await in between."""
    assert rings(raw, RINGS_WITHIN_S)
    while rings(raw):
        call()


def fill(raw: RawSocket) -> int:
    """Send until there is no room; returns how many."""
    count = 0
    while raw.poll(0, zmq.POLLOUT):
        raw.send(b"%d" % count, zmq.NOBLOCK)
        count += 1
    return count


async def test_a_reader_wakes_although_anothers_send_swallowed_the_bell() -> None:
    with dealers() as (here, there):
        link = frames_socket(here)
        async with link.working(), trio.open_nursery() as nursery:

            async def read() -> None:
                assert await link.recv() == [b"news"]

            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            there.send(b"news")
            swallow_bell(here, lambda: link.send_nowait(b"x"))
            nursery.cancel_scope.deadline = trio.current_time() + RINGS_WITHIN_S
        assert not nursery.cancel_scope.cancelled_caught


async def test_the_naive_loop_sleeps_through_the_same_bell() -> None:
    with dealers() as (here, there):
        naive = NaiveSocket(here)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(naive.recv_many, 1)
            await wait_all_tasks_blocked()
            there.send(b"news")
            swallow_bell(here, lambda: here.send(b"x", zmq.NOBLOCK))
            nursery.cancel_scope.deadline = trio.current_time() + SOON_S
        assert nursery.cancel_scope.cancelled_caught, "it woke: then the stress proves nothing"
        assert here.recv(zmq.NOBLOCK) == b"news"


@pytest.mark.parametrize("there_answers", [False, True])
async def test_a_writer_wakes_although_anothers_recv_swallowed_the_bell(there_answers: bool) -> None:
    with dealers(queue_messages=2) as (here, there):
        link = frames_socket(here)
        filled = fill(here)
        async with link.working(), trio.open_nursery() as nursery:
            nursery.start_soon(link.send_frames, b"last")
            await wait_all_tasks_blocked()
            assert not rings(here)
            if there_answers:
                there.send(b"answer")
            received = [there.recv() for _ in range(filled)]
            assert rings(here, RINGS_WITHIN_S)
            with trio.move_on_after(SOON_S):  # begins with a call and no await: it is this that swallows the bell
                assert await link.recv() == [b"answer"]
            nursery.cancel_scope.deadline = trio.current_time() + RINGS_WITHIN_S
        assert not nursery.cancel_scope.cancelled_caught
        assert len(received) == filled
        assert there.recv() == b"last"


async def test_a_message_that_comes_between_a_failed_recv_and_the_look_is_taken() -> None:
    with dealers() as (here, there):

        def take(raw: RawSocket) -> bytes:
            try:
                return raw.recv(zmq.NOBLOCK)
            except zmq.Again:
                there.send(b"news")
                assert rings(raw, RINGS_WITHIN_S)
                raise

        link = Socket(here, take)
        async with link.working():
            with trio.fail_after(RINGS_WITHIN_S):
                assert await link.recv() == b"news"


async def test_room_that_comes_between_a_failed_send_and_the_look_is_used() -> None:
    with dealers(queue_messages=2) as (here, there):
        left = [fill(here)]

        class Unlucky(Socket[bytes]):
            """Room comes just after its first send has failed, and another call swallows the bell."""

            def send_nowait(self, *frames: bytes) -> bool:
                done = super().send_nowait(*frames)
                if not done:
                    for _ in range(left.pop()):
                        there.recv()
                    swallow_bell(here, self._look)
                return done

        link = Unlucky(here, lambda raw: raw.recv(zmq.NOBLOCK))
        async with link.working():
            with trio.fail_after(RINGS_WITHIN_S):
                await link.send_frames(b"last")
        assert not left
        assert there.recv() == b"last"


async def test_a_cancelled_receive_takes_no_message() -> None:
    with dealers() as (here, there):
        link = frames_socket(here)
        async with link.working():
            there.send(b"kept")
            assert here.poll(RINGS_WITHIN_S * 1000)
            with trio.CancelScope() as scope:
                scope.cancel()
                await link.recv()
            assert scope.cancelled_caught
            assert await link.recv() == [b"kept"]


async def test_a_receive_cancelled_after_it_took_a_message_still_returns_it() -> None:
    with dealers() as (here, there):
        got = []

        def take(raw: RawSocket) -> bytes:
            message = raw.recv(zmq.NOBLOCK)
            scope.cancel()
            return message

        link = Socket(here, take)
        async with link.working():
            there.send(b"kept")
            with trio.CancelScope() as scope:
                got.append(await link.recv())
        assert got == [b"kept"]


async def test_a_cancelled_send_sends_nothing_and_the_next_keeps_its_place() -> None:
    with dealers(queue_messages=2) as (here, there):
        link = frames_socket(here)
        filled = fill(here)
        async with link.working(), trio.open_nursery() as nursery:
            with trio.move_on_after(SOON_S) as scope:
                await link.send_frames(b"cancelled")
            assert scope.cancelled_caught
            for number in range(5):
                nursery.start_soon(link.send_frames, b"%d" % number)
                await wait_all_tasks_blocked()
            received = [there.recv() for _ in range(filled)]
            while len(received) < filled + 5:
                await trio.lowlevel.checkpoint()
                if there.poll(0):
                    received.append(there.recv())
        assert received[filled:] == [b"0", b"1", b"2", b"3", b"4"]


async def test_recv_many_returns_what_is_ready_up_to_its_limit() -> None:
    with dealers() as (here, there):
        link = frames_socket(here)
        async with link.working():
            for number in range(10):
                there.send(b"%d" % number)
            got = []
            while len(got) < 10:
                batch = await link.recv_many(4)
                assert 1 <= len(batch) <= 4
                got += [int(frames[0]) for frames in batch]
            assert got == list(range(10))


async def test_a_flood_of_malformed_messages_is_counted_and_keeps_nobody_waiting() -> None:
    with dealers() as (here, _):
        flood = iter(range(100_000))

        def take(_: RawSocket) -> None:
            next(flood)  # StopIteration: the flood was taken in one go

        link: Socket[bytes] = Socket(here, take)
        async with link.working():
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(link.recv)
                    for _ in range(10):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
        assert 1 <= link.counters["malformed"] <= 100


async def test_closing_wakes_who_waits_with_a_coded_error() -> None:
    with dealers() as (here, _):
        link = frames_socket(here)

        async def read() -> None:
            with pytest.raises(LinkError, match="closed") as caught:
                await link.recv()
            assert caught.value.code == "link.closed"

        async with trio.open_nursery() as nursery:
            async with link.working():
                nursery.start_soon(read)
                await wait_all_tasks_blocked()
            link.close()
        with pytest.raises(LinkError, match="closed"):
            link.send_nowait(b"x")


async def test_an_error_of_the_body_leaves_as_it_is_with_its_own_cause() -> None:
    with dealers() as (here, _):
        link = frames_socket(here)

        async def divide() -> None:
            async with link.working():
                try:
                    raise KeyError("cause")
                except KeyError as cause:
                    raise ZeroDivisionError from cause

        with pytest.raises(ZeroDivisionError) as caught:
            await divide()
        assert isinstance(caught.value.__cause__, KeyError)


def test_limits_are_those_of_the_design() -> None:
    limits = SocketLimits()
    assert limits.max_message_bytes > 3.5 * 2**20 > SHARE_FROM_BYTES
    assert (limits.queue_messages, limits.handshake_s, limits.silence_s) == (50, 1.5, 4.0)
