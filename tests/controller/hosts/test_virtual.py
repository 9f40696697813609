"""Virtual time: it jumps over rests, stands while work is outside trio, and knows the end of an instant."""

from __future__ import annotations

import time

import pytest
import trio
import zmq

from controller.hosts.executor import held_threads, run_inline
from controller.hosts.virtual import SimClock, VirtualFloorClock, run_virtual
from devices.memlink import MemoryAddress

JOB_S, WATCHDOG_S = 0.05, 5.0
ROUND_TRIPS, WITHIN_S = 200, 2.0
SHUFFLES = 30  # trio flips a coin for each batch of tasks that wake together


def test_a_week_of_rests_takes_no_time_and_ends_to_the_bit_where_it_was_asked_to():
    async def main(clock: SimClock) -> list[float]:
        woken = []
        for at in (0.1, 0.1 + 0.2, 604_800.3):
            await trio.sleep_until(at)
            woken.append(trio.current_time())
        return woken

    began = time.monotonic()
    assert run_virtual(main) == [0.1, 0.1 + 0.2, 604_800.3]
    assert time.monotonic() - began < 60.0


def test_a_thread_that_holds_the_clock_does_not_run_into_a_time_out_in_virtual_time():
    async def main(clock: SimClock) -> float:
        in_thread = held_threads(clock)
        with trio.fail_after(WATCHDOG_S):
            await in_thread(block, JOB_S)
        assert clock.held == 0
        return trio.current_time()

    assert run_virtual(main) == 0.0


def test_without_holding_the_clock_the_same_thread_fires_the_watchdog():
    async def main(clock: SimClock) -> bool:
        with trio.move_on_after(WATCHDOG_S) as watchdog:
            await trio.to_thread.run_sync(block, JOB_S, abandon_on_cancel=True)
        return watchdog.cancelled_caught

    assert run_virtual(main), "then holding proves nothing"


def test_inline_work_needs_neither_threads_nor_a_held_clock():
    async def main(clock: SimClock) -> tuple[int, float]:
        with trio.fail_after(WATCHDOG_S):
            found = await run_inline(sum, [1, 2, 3])
        return found, trio.current_time()

    assert run_virtual(main) == (6, 0.0)


def test_two_hundred_round_trips_over_real_zeromq_sockets_meet_no_time_out_that_is_none():
    async def main(clock: SimClock) -> tuple[int, float]:
        spurious = 0
        with zmq.Context() as context, context.socket(zmq.REQ) as asks, context.socket(zmq.REP) as answers:
            asks.linger = answers.linger = 0
            asks.connect(f"tcp://127.0.0.1:{answers.bind_to_random_port('tcp://127.0.0.1')}")
            for number in range(ROUND_TRIPS):
                with trio.move_on_after(WITHIN_S) as patience, clock.hold():
                    await exchange(asks, answers, b"%d" % number)
                spurious += patience.cancelled_caught
        return spurious, trio.current_time()

    assert run_virtual(main) == (0, 0.0)


def test_while_one_of_two_holds_the_clock_the_others_rest_does_not_end():
    async def main(clock: SimClock) -> list[str]:
        seen: list[str] = []

        async def rests() -> None:
            await trio.sleep(1.0)
            seen.append("rested")

        async def works() -> None:
            await held_threads(clock)(block, JOB_S)
            seen.append("worked")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(rests)
            nursery.start_soon(works)
        return seen

    assert run_virtual(main) == ["worked", "rested"]


def test_work_of_one_instant_goes_in_the_order_of_its_ranks_however_trio_shuffles_the_tasks():
    async def main(clock: SimClock) -> list[int]:
        seen: list[int] = []

        async def one(rank: int) -> None:
            await trio.sleep(1.0)
            await clock.settled(rank)
            seen.append(rank)

        async with trio.open_nursery() as nursery:
            for rank in (3, 1, 4, 2, 0):
                nursery.start_soon(one, rank)
        assert trio.current_time() == 1.0
        return seen

    assert [run_virtual(main) for _ in range(SHUFFLES)] == [[0, 1, 2, 3, 4]] * SHUFFLES


def test_the_end_of_an_instant_is_after_everything_that_follows_in_it_and_before_time_goes_on():
    async def main(clock: SimClock) -> list[str]:
        seen: list[str] = []
        address = MemoryAddress()

        async def serves() -> None:
            with address.serve() as router:
                for _ in range(3):
                    delivery = await router.recv()
                    router.send(delivery.peer, delivery.body + b"!")

        async def asks() -> None:
            dealer = address.connect("p1")
            for _ in range(3):
                await dealer.send(b"hello")
                seen.append((await dealer.recv()).decode())

        async def later() -> None:
            await trio.sleep(1e-9)
            seen.append("later")

        async with trio.open_nursery() as nursery:
            for task in (serves, asks, later):
                nursery.start_soon(task)
            await clock.settled()
            seen.append("settled")
        return seen

    for _ in range(SHUFFLES):
        assert run_virtual(main) == ["hello!"] * 3 + ["settled", "later"]


def test_who_waits_for_the_end_of_an_instant_can_be_cancelled_and_leaves_the_others_in_order():
    async def main(clock: SimClock) -> list[int]:
        seen: list[int] = []

        async def one(rank: int) -> None:
            await clock.settled(rank)
            seen.append(rank)

        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                scope.cancel()
                await clock.settled(0)
            for rank in (2, 1):
                nursery.start_soon(one, rank)
        return seen

    assert run_virtual(main) == [1, 2]


@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_the_floors_time_at_waking_is_to_the_bit_the_one_that_was_asked_for(scale):
    async def main(clock: SimClock) -> list[float]:
        floor, woken = VirtualFloorClock(scale), []
        for at in (0.1, 600.7, 86_400.1 / 3):
            await floor.sleep_until(at)
            assert floor.real_s_until(at) == 0.0
            woken.append(floor.now_floor_s())
        return woken

    assert run_virtual(main) == [0.1, 600.7, 86_400.1 / 3]


def block(for_s: float) -> None:
    """Keep a thread busy outside trio, without sleeping."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        pass


async def exchange(asks: zmq.Socket[bytes], answers: zmq.Socket[bytes], body: bytes) -> None:
    """Send there and back, as trio sees sockets: by waiting until a descriptor can be read."""
    asks.send(body)
    answers.send(await received(answers))
    assert await received(asks) == body


async def received(socket: zmq.Socket[bytes]) -> bytes:
    while not socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
        await trio.lowlevel.wait_readable(socket.getsockopt(zmq.FD))
    return socket.recv()
