"""Claims: the same application is stored by one request at a time, other applications at once."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from controller.intake.claims import Claims


async def test_what_does_not_overlap_is_held_at_once():
    claims = Claims()
    async with claims.of(7, range(125)), claims.of(7, range(125, 250)), claims.of(8, range(125)):
        pass


async def test_what_overlaps_waits_for_the_one_before_it():
    claims, order = Claims(), []

    async def store(name: str, indexes: range, leave: trio.Event) -> None:
        async with claims.of(7, indexes):
            order.append(f"{name} begins")
            await leave.wait()
            order.append(f"{name} ends")

    first, second = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store, "first", range(125), first)
        await wait_all_tasks_blocked()
        nursery.start_soon(store, "second", range(124, 130), second)
        await wait_all_tasks_blocked()
        assert order == ["first begins"]
        first.set()
        await wait_all_tasks_blocked()
        assert order == ["first begins", "first ends", "second begins"]
        second.set()


async def test_of_many_that_want_the_same_each_has_it_alone():
    claims, inside, most = Claims(), 0, 0

    async def store() -> None:
        nonlocal inside, most
        async with claims.of(7, range(10)):
            inside += 1
            most = max(most, inside)
            await trio.lowlevel.checkpoint()
            inside -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(store)
    assert (inside, most) == (0, 1)


async def test_who_gives_up_waiting_or_working_leaves_nothing_held():
    claims = Claims()
    with trio.CancelScope() as working:
        async with claims.of(7, range(10)):
            with trio.CancelScope() as waiting:
                waiting.cancel()
                async with claims.of(7, range(10)):
                    raise AssertionError("two hold the same")
            assert waiting.cancelled_caught
            working.cancel()
            await trio.lowlevel.checkpoint()
    assert working.cancelled_caught
    async with claims.of(7, range(10)):
        pass
