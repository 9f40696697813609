"""Events of one instant have an order of their own, and commits a constant time."""

from __future__ import annotations

import pytest
import trio

from controller.core import events as e
from controller.core.settings import SettingError
from controller.core.turn import Turn
from controller.hosts.instant import ConstantCommits, Instant, VirtualConfig, order_of
from controller.hosts.live import Ticket
from controller.hosts.virtual import SimClock, VirtualFloorClock, run_virtual

DONE = e.StepDone("p1", 7, 0.0, 1.0, [])
IDLE = e.StationReported("p1", "idle", "", 1.0)
OTHER = e.StationReported("c1", "idle", "", 1.0)
ENCODED = [e.CardsEncoded(number) for number in (9, 10)]
ASKED = [e.ActAsked("issue", {"sheets": number}, "ann") for number in (1, 2)]
ORDER = [DONE, OTHER, IDLE, *ENCODED, *ASKED]
SHUFFLES = 20


def turn() -> Turn:
    return Turn(state=None, config=None, now_floor_s=0.0)


def test_what_tasks_say_at_one_instant_is_posted_in_one_order_whoever_woke_first():
    async def main(clock: SimClock) -> list[e.AnyEvent]:
        posted: list[e.AnyEvent] = []

        def post(event: e.AnyEvent) -> Ticket:
            posted.append(event)
            return Ticket(turn())

        instant = Instant(clock, post)

        async def says(*events: e.AnyEvent) -> None:
            await trio.sleep(1.0)
            for event in events:
                await trio.lowlevel.checkpoint()
                instant.post(event)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(instant.run)
            for events in ([IDLE], [ENCODED[1]], [DONE], ASKED, [OTHER], [ENCODED[0]]):
                nursery.start_soon(says, *events)
            await trio.sleep(1.0)
            await clock.settled(1)
            assert trio.current_time() == 1.0
            nursery.cancel_scope.cancel()
        return posted

    for _ in range(SHUFFLES):
        assert run_virtual(main) == ORDER
    assert [order_of(event) for event in ORDER] == sorted(order_of(event) for event in ORDER)


def test_who_posts_before_the_instant_ends_is_told_of_the_turn_once_it_is_durable():
    async def main(clock: SimClock) -> list[object]:
        decided, told = Ticket(turn()), list[object]()
        instant = Instant(clock, lambda event: decided)
        early = instant.post(DONE)
        early.then(lambda one: told.append("early"))

        async def waits() -> None:
            told.append(await early.wait())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(instant.run)
            nursery.start_soon(waits)
            await clock.settled(1)
            early.then(lambda one: told.append("late"))
            assert told == []
            decided.set_durable()
            await clock.settled(1)
            nursery.cancel_scope.cancel()
        return [*told[:2], isinstance(told[2], Turn)]

    assert run_virtual(main) == ["early", "late", True]


def test_every_turn_is_durable_a_constant_time_after_its_stamp_and_in_order():
    async def main(clock: SimClock) -> list[tuple[str, float]]:
        floor, done = VirtualFloorClock(64.0), list[tuple[str, float]]()
        commits = ConstantCommits(floor, 0.25)

        def keep(name: str, at_floor_s: float) -> None:
            commits.keep(at_floor_s, None, [], lambda: done.append((name, floor.now_floor_s())))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(commits.run)
            keep("first", 0.0)
            keep("second", 0.0)
            await floor.sleep_until(3.1)
            keep("third", 3.1)
            await floor.sleep_until(100.0)
            keep("fourth", 100.0)
            await floor.sleep_until(200.0)
            nursery.cancel_scope.cancel()
        return done

    assert run_virtual(main) == [("first", 16.0), ("second", 16.0), ("third", 3.1 + 16.0), ("fourth", 116.0)]


@pytest.mark.parametrize("wrong", [{"commit_s": -0.1}, {"commit_s": float("nan")}, {"scale": 0.0}])
def test_settings_of_a_virtual_host_have_ranges(wrong):
    with pytest.raises(SettingError):
        VirtualConfig(**wrong)
    assert VirtualConfig(commit_s=0.5, scale=64.0).commit_floor_s == 32.0
