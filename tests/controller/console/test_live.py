"""Live views: rendered once for all who look, never before it is durable, and never held up by anybody."""

from __future__ import annotations

from types import SimpleNamespace

import trio
from starlette.requests import Request

from controller.console.live import LISTENERS_MAX, PERIOD_S, PING_S, Live, View, as_event
from controller.console.views import events


class Floor:
    """A floor that counts how often it is drawn, and whose disk takes as long as it is told."""

    def __init__(self, disk_s: float = 0.0) -> None:
        self.drawn, self.now, self.disk_s = 0, "a", disk_s
        self.live = Live({"floor": View("stations", self.make)}, self.durable)

    def make(self, language: str) -> str:
        self.drawn += 1
        return f"<p>{language} {self.now}</p>"

    async def durable(self) -> None:
        await trio.sleep(self.disk_s)


async def heard(floor: Floor, language: str, into: list[bytes], is_welcome=lambda: True) -> None:
    async for event in floor.live.listen("floor", language, is_welcome):
        into.append(event)  # noqa: PERF401  one at a time, as they come


async def test_ten_listeners_cost_one_rendering_a_second_and_two_languages_two(autojump_clock):
    floor, heards = Floor(), [[] for _ in range(11)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        for into in heards[:10]:
            nursery.start_soon(heard, floor, "zh", into)
        nursery.start_soon(heard, floor, "en", heards[10])
        await trio.sleep(PERIOD_S * 3.5)
        nursery.cancel_scope.cancel()
    assert 6 <= floor.drawn <= 8, "3 to 4 renderings in each of two languages"
    assert all(into == [as_event("<p>zh a</p>")] for into in heards[:10]), "what did not change is told once"
    assert heards[10] == [as_event("<p>en a</p>")]


async def test_a_change_is_heard_within_a_period_and_nobody_draws_when_nobody_looks(autojump_clock):
    floor, into = Floor(), []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        await trio.sleep(60)
        assert floor.drawn == 0
        nursery.start_soon(heard, floor, "zh", into)
        await trio.sleep(PERIOD_S / 2)
        floor.now = "b"
        await trio.sleep(PERIOD_S)
        assert into == [as_event("<p>zh a</p>"), as_event("<p>zh b</p>")]
        await trio.sleep(PING_S + PERIOD_S)
        assert into[2:] == [b"event: alive\ndata: \n\n"]
        nursery.cancel_scope.cancel()


async def test_nothing_is_shown_before_it_is_on_the_disk(autojump_clock):
    floor, into = Floor(disk_s=30.0), []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        nursery.start_soon(heard, floor, "zh", into)
        await trio.sleep(29)
        assert as_event("<p>zh a</p>") not in into
        await trio.sleep(2)
        assert as_event("<p>zh a</p>") in into
        nursery.cancel_scope.cancel()


async def test_whoever_is_welcome_no_more_is_told_so_and_makes_room(autojump_clock):
    floor, into, welcome = Floor(), [], [True]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        nursery.start_soon(heard, floor, "zh", into, lambda: welcome[0])
        await trio.sleep(PERIOD_S)
        welcome[0] = False
        await trio.sleep(PING_S + PERIOD_S)
        assert into[-1] == b"event: ended\ndata: \n\n"
        drawn = floor.drawn
        await trio.sleep(60)
        assert floor.drawn <= drawn + 1
        nursery.cancel_scope.cancel()


async def test_whose_role_is_taken_away_sees_no_more_of_a_view_though_the_session_lasts(autojump_clock):
    floor, into, allowed = Floor(), [], [True]

    async def person(request):
        return SimpleNamespace(name="ann")

    console = SimpleNamespace(
        person=person,
        live=floor.live,
        may=lambda person, verb: (person.name, verb) == ("ann", "stations") and allowed[0],
        guard=SimpleNamespace(
            cookies=SimpleNamespace(session="s"), entrance=SimpleNamespace(is_in=lambda token: token == "t")
        ),
        pages=SimpleNamespace(language_of=lambda request: "zh"),
    )
    [route] = events.routes(console)
    scope = {"type": "http", "path_params": {"view": "floor"}, "headers": [(b"cookie", b"s=t")]}
    stream = (await route.endpoint(Request(scope))).body_iterator

    async def listen():
        async for event in stream:
            into.append(event)  # noqa: PERF401  one at a time, as they come

    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        nursery.start_soon(listen)
        await trio.sleep(PERIOD_S)
        assert into == [as_event("<p>zh a</p>")]
        allowed[0], floor.now = False, "b"
        await trio.sleep(PING_S + PERIOD_S)
        assert b"event: ended\ndata: \n\n" in into
        floor.now = "c"
        await trio.sleep(PING_S + PERIOD_S)
        assert as_event("<p>zh c</p>") not in into
        nursery.cancel_scope.cancel()


async def test_there_is_room_for_so_many_and_no_more(autojump_clock):
    floor = Floor()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        for _ in range(LISTENERS_MAX):
            assert floor.live.has_room()
            nursery.start_soon(heard, floor, "zh", [])
            await trio.testing.wait_all_tasks_blocked()
        assert not floor.live.has_room()
        nursery.cancel_scope.cancel()
    assert floor.live.has_room()


def test_markup_of_several_lines_is_one_event():
    assert as_event("<p>\n\n a</p>\n") == b"event: view\ndata: <p>\ndata:  a</p>\n\n"
