"""The driver of all stations over an in-memory link: restarts, dead stations, strangers' words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from devices.defects import Step
from devices.driver import StationDriver
from devices.keys import LinkError
from devices.lies import JOB_NOT_GIVEN
from devices.memlink import MemoryAddress, MemoryDealer
from devices.messages import (
    Ask,
    ControllerSaid,
    Fate,
    JobDone,
    JobTaken,
    Magazine,
    Release,
    SheetResult,
    SheetWork,
    Start,
    StationState,
    Status,
    Welcome,
)
from devices.protocol import Back, Event, Finished, Joined, Lied, NeverSeen, Silent, StateSeen, Taken
from devices.station_side import Model, StationSide
from encoders.envelope import Opener, pack

OPENER: Opener[ControllerSaid] = Opener(ControllerSaid)


def start_of(job_id: int) -> Start:
    return Start(job_id=job_id, step=Step.PRINT, sheets=[SheetWork(job_id * 10)])


def done_of(job_id: int) -> JobDone:
    jam = SheetResult(job_id * 10, Fate.SPOILED, "P4")
    return JobDone(job_id=job_id, started_floor_s=1.0, ended_floor_s=31.0, sheets=[jam])


class Desk:
    """A driver that runs, and what it told."""

    def __init__(self, settled_below: int = 0) -> None:
        self.driver = StationDriver("C", lambda: trio.current_time() * 10, 10.0, settled_below=settled_below)
        self.told: list[tuple[str, Event]] = []
        self._news = trio.Event()

    def hear(self, station: str, event: Event) -> None:
        self.told.append((station, event))
        news, self._news = self._news, trio.Event()
        news.set()

    def of(self, station: str, *kinds: type[Event]) -> list[Event]:
        return [event for name, event in self.told if name == station and isinstance(event, kinds)]

    async def until(self, station: str, kind: type[Event], count: int = 1) -> Event:
        with trio.fail_after(120):
            while len(self.of(station, kind)) < count:
                await self._news.wait()
        return self.of(station, kind)[-1]


@asynccontextmanager
async def at_work(desk: Desk, address: MemoryAddress) -> AsyncIterator[Desk]:
    with address.serve() as router:
        async with trio.open_nursery() as nursery:
            await nursery.start(desk.driver.run, router, desk.hear)
            yield desk
            nursery.cancel_scope.cancel()


async def plain_station(dealer: MemoryDealer, job_s: float = 30.0, lost_memory: bool = False) -> None:
    """A station that does each job in `job_s` real seconds, over the real station side."""
    side = StationSide(Model(step=Step.PRINT, model="SIM", load_max=1), lost_memory=lost_memory)
    ends: dict[int, float] = {}

    async def say(messages) -> None:
        for message in messages:
            await dealer.send(pack(message))

    await say(side.begin(trio.current_time()))
    while True:
        with trio.move_on_after(0.25):
            told = side.received(OPENER.unpack(await dealer.recv()), trio.current_time())
            if told.work:
                ends[told.work.job_id] = trio.current_time() + job_s
                await say(side.entered(StationState.EXECUTE, "", 0.0, trio.current_time()))
            await say(told.replies)
        now_s = trio.current_time()
        for job_id in [job_id for job_id, end_s in ends.items() if end_s <= now_s]:
            del ends[job_id]
            await say(side.finished(done_of(job_id), now_s))
            await say(side.entered(StationState.IDLE, "", 0.0, now_s))
        await say(side.tick(now_s))


async def test_a_station_joins_does_its_job_and_is_released(autojump_clock):
    address = MemoryAddress()
    async with trio.open_nursery() as nursery, at_work(Desk(), address) as desk:
        nursery.start_soon(plain_station, address.connect("p1"))
        joined = await desk.until("p1", Joined)
        assert joined.hello.step == "print"
        desk.driver.start("p1", start_of(1))
        assert (await desk.until("p1", Finished)).done == done_of(1)
        desk.driver.release("p1", [1])
        await trio.sleep(20)
        assert desk.of("p1", Taken, Finished, Lied) == [Taken(1), Finished(done_of(1))]
        assert desk.driver.stations()["p1"] < 1.5
        nursery.cancel_scope.cancel()


async def test_the_welcome_brings_centre_and_floor_clock(autojump_clock):
    address = MemoryAddress()
    async with at_work(Desk(), address):
        await trio.sleep(5)
        dealer = address.connect("p1")
        await dealer.send(pack(Status(state=StationState.IDLE)))
        assert OPENER.unpack(await dealer.recv()) == Welcome(version=1, centre="C", floor_s=50.0, scale=10.0)


async def test_after_a_restart_the_open_job_is_asked_for_and_told_once(autojump_clock):
    address = MemoryAddress()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(plain_station, address.connect("p1"))
        async with at_work(Desk(), address) as desk:
            await desk.until("p1", Joined)
            desk.driver.start("p1", start_of(1))
            await desk.until("p1", Taken)
        await trio.sleep(40)  # the job ends while nobody listens
        desk = Desk(settled_below=2)
        desk.driver.ask("p1", 1)
        async with at_work(desk, address):
            assert (await desk.until("p1", Finished)).done == done_of(1)
            desk.driver.release("p1", [1])
            await desk.until("p1", Joined)
            await trio.sleep(20)
        assert len(desk.of("p1", Finished)) == 1
        assert desk.of("p1", Lied) == []
        nursery.cancel_scope.cancel()


async def test_a_result_that_was_durable_before_the_restart_is_released_unread(autojump_clock):
    address = MemoryAddress()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(plain_station, address.connect("p1"), 1.0)
        async with at_work(Desk(), address) as desk:
            await desk.until("p1", Joined)
            desk.driver.start("p1", start_of(1))
            await desk.until("p1", Finished)  # durable, and then the power fails before the release
        async with at_work(Desk(settled_below=2), address) as desk:
            await desk.until("p1", Joined)
            await trio.sleep(20)
            assert desk.of("p1", Finished, Lied) == []
        async with at_work(Desk(), address) as desk:  # one that knows nothing of it, to see that it is forgotten
            await trio.sleep(20)
            assert desk.of("p1", Lied) == []
        nursery.cancel_scope.cancel()


async def test_a_job_given_but_never_sent_is_never_seen_and_given_again(autojump_clock):
    address = MemoryAddress()
    desk = Desk(settled_below=9)
    desk.driver.ask("p1", 8)
    async with trio.open_nursery() as nursery, at_work(desk, address):
        nursery.start_soon(plain_station, address.connect("p1"))
        assert await desk.until("p1", NeverSeen) == NeverSeen(8)
        desk.driver.start("p1", start_of(8))
        await desk.until("p1", Finished)
        nursery.cancel_scope.cancel()


async def test_a_dead_station_is_told_silent_once_and_back_when_it_speaks(autojump_clock):
    address = MemoryAddress()
    async with trio.open_nursery() as nursery, at_work(Desk(), address) as desk:
        async with trio.open_nursery() as life:
            life.start_soon(plain_station, address.connect("p1"))
            await desk.until("p1", Joined)
            life.cancel_scope.cancel()
        await trio.sleep(60)
        assert desk.of("p1", Silent, Back) == [Silent()]
        assert desk.driver.stations()["p1"] > 55
        nursery.start_soon(plain_station, address.connect("p1"))
        await desk.until("p1", Back)
        nursery.cancel_scope.cancel()


async def test_fifty_four_dead_stations_cost_the_live_one_nothing(autojump_clock):
    """EXPECTATIONS 4.6: the live one does as many jobs in the same time."""

    async def jobs_in_an_hour(dead: int) -> int:
        address = MemoryAddress(queue_messages=8)
        async with trio.open_nursery() as nursery, at_work(Desk(), address) as desk:
            for number in range(dead):
                mute = address.connect(f"d{number}")
                await mute.send(pack(Status(state=StationState.IDLE)))  # and then never reads a word
                desk.driver.start(f"d{number}", start_of(1_000 + number))
            nursery.start_soon(plain_station, address.connect("p1"), 10.0)
            await desk.until("p1", Joined)
            job_id, until_s = 0, trio.current_time() + 3600
            while trio.current_time() < until_s:
                job_id += 1
                desk.driver.start("p1", start_of(job_id))
                await desk.until("p1", Finished, job_id)
                desk.driver.release("p1", [job_id])
            nursery.cancel_scope.cancel()
        return job_id

    alone = await jobs_in_an_hour(0)
    assert alone > 300
    assert await jobs_in_an_hour(54) >= 0.99 * alone


async def test_nonsense_is_an_event_and_the_station_is_served_on(autojump_clock):
    address = MemoryAddress()
    async with at_work(Desk(), address) as desk:
        dealer = address.connect("p1")
        for body in (b"", b"\xc1", b"\x81\xa4type\xa4nope", pack({"type": "taken", "job_id": -1}), b"\x93" * 5_000):
            await dealer.send(body)
        await dealer.send(pack(done_of(77)))
        await dealer.send(pack(JobTaken(job_id=5)))
        await dealer.send(pack(Status(state=StationState.IDLE)))
        await desk.until("p1", StateSeen)
        codes = [event.code for event in desk.of("p1", Lied)]
        assert codes[-1] == JOB_NOT_GIVEN
        assert len(codes) == 6
        assert all(code.startswith("envelope.") for code in codes[:5])


async def test_a_load_that_no_message_can_bring_is_an_event(autojump_clock):
    class ShortLink:
        def __init__(self, router):
            self.recv_many, self._send = router.recv_many, router.send

        def send(self, peer, body):
            if len(body) > 1_000:
                raise LinkError("link.too_long", len(body))
            self._send(peer, body)

    address, desk = MemoryAddress(), Desk()
    async with trio.open_nursery() as nursery:
        with address.serve() as router:
            await nursery.start(desk.driver.run, ShortLink(router), desk.hear)
            nursery.start_soon(plain_station, address.connect("p1"))
            await desk.until("p1", Joined)
            desk.driver.start("p1", Start(job_id=3, step="print", sheets=[SheetWork(n) for n in range(2_000)]))
            assert await desk.until("p1", Lied) == Lied("link.too_long", 3)
            desk.driver.start("p1", start_of(4))
            await desk.until("p1", Finished)
            nursery.cancel_scope.cancel()


async def test_calls_before_run_are_said_when_the_station_is_heard(autojump_clock):
    address, desk = MemoryAddress(), Desk()
    issue = Magazine(issue_id=4, first_body=100, sheets=50)
    desk.driver.magazine("l1", issue)
    desk.driver.ask("l1", 2)
    desk.driver.release("l1", [1])
    assert desk.driver.stations() == {"l1": None}
    async with at_work(desk, address):
        await trio.sleep(30)
        dealer = address.connect("l1")
        await dealer.send(pack(Status(state=StationState.IDLE)))
        heard = []
        with trio.move_on_after(4):
            while True:
                heard.append(OPENER.unpack(await dealer.recv()))
        assert isinstance(heard[0], Welcome)
        assert issue in heard
        assert Ask(job_id=2) in heard
        assert Release(job_ids=[1]) not in heard, "it is said when the station says that result again"


async def test_what_the_callback_raises_ends_the_driver(autojump_clock):
    def break_down(station: str, event: Event) -> None:
        raise ZeroDivisionError

    address = MemoryAddress()
    with address.serve() as router:
        await address.connect("p1").send(b"nonsense")
        with pytest.RaisesGroup(ZeroDivisionError):
            await StationDriver("C", lambda: 0.0, 1.0).run(router, break_down)
