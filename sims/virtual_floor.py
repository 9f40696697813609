"""A whole floor in virtual time on trio: the product's live host, floor and driver, and a task for each station.

What is the product's: foreman, live host, floor, station driver, link protocol, memory links, messages as bytes.  What
stands in for the rest: commits take a constant time and write nothing, encoders take a constant time for each card, the
vault makes up what a card's number stands for.  The people are those of the heap floor.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

import trio

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.floor.floor import Floor
from controller.hosts.executor import run_inline
from controller.hosts.instant import ConstantCommits, Instant, VirtualConfig
from controller.hosts.live import LiveHost, Ticket
from controller.hosts.virtual import SimClock, VirtualFloorClock
from devices.defects import Step
from devices.driver import StationDriver
from devices.memlink import MemoryAddress, MemoryDealer
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_batches import Arrival
from sims.heap_floor import ENCODE_CARD_S, ENCODERS
from sims.heap_staff import HeapStaff
from sims.stations import SimulatedStation
from sims.virtual_vault import VirtualVault
from sims.world import World

CENTRE = "virtual"
ENCODE_JOBS_MAX = 64  # that may wait: as many as the foreman may ever give at once

Watch = Callable[[float, AnyMove], None]


class Diary:
    """What is to happen when, told one after the other: of one time, what was written first."""

    def __init__(self, clock: VirtualFloorClock, post: Callable[[e.AnyEvent], Ticket]) -> None:
        self._clock, self._post = clock, post
        self._entries: list[tuple[float, int, e.AnyEvent]] = []
        self._count = count()
        self._earlier = trio.Event()

    def push(self, at_floor_s: float, event: e.AnyEvent) -> None:
        """Let an event happen at a time."""
        heapq.heappush(self._entries, (at_floor_s, next(self._count), event))
        self._earlier.set()

    async def run(self) -> None:
        """Tell the foreman of each event at its time, until cancelled."""
        while True:
            self._earlier = trio.Event()
            now_floor_s = self._clock.now_floor_s()
            while self._entries and self._entries[0][0] <= now_floor_s:
                self._post(heapq.heappop(self._entries)[2])
            due_s = self._entries[0][0] / self._clock.scale if self._entries else math.inf
            with trio.move_on_at(due_s):
                await self._earlier.wait()


class VirtualFloor:
    """Everything on one floor, from one seed, for one `run`.

    Args:
        watch: are told every move with its stamp, in order, once it is committed.
    """

    def __init__(
        self,
        seed: int,
        *,
        floor: Sequence[StationSpec] = DEFAULT_FLOOR,
        faults: Faults = USUAL_FAULTS,
        config: CoreConfig | None = None,
        virtual: VirtualConfig | None = None,
        watch: Iterable[Watch] = (),
    ) -> None:
        self.foreman = Foreman(config or CoreConfig())
        self.world = World(seed, faults)
        self._specs, self._watch = floor, list(watch)
        self._virtual = virtual or VirtualConfig()
        self._address = MemoryAddress()
        self._seen: dict[str, trio.Event] = {}
        self.stations: list[SimulatedStation] = []

    async def run(self, clock: SimClock, arrivals: Iterable[Arrival], until_floor_s: float) -> None:
        """Let batches come and everything happen up to and with a floor time; commits that are under way end."""
        floor_clock = VirtualFloorClock(self._virtual.scale)
        self._clock = floor_clock
        commits = ConstantCommits(floor_clock, self._virtual.commit_s)
        host = LiveHost(self.foreman, floor_clock, commits, self._perform, self._committed)
        instant = Instant(clock, partial(self._decide, host))
        diary = Diary(floor_clock, instant.post)
        presses = [spec.name for spec in self._specs if spec.step is Step.LAMINATE]
        self._staff = HeapStaff(presses, diary.push)
        self._jobs, jobs = trio.open_memory_channel[e.Encode](ENCODE_JOBS_MAX)
        driver = StationDriver(CENTRE, floor_clock.now_floor_s, self._virtual.scale)
        async with trio.open_nursery() as nursery:
            self._floor = Floor(
                driver,
                VirtualVault(),
                self.foreman.state,
                instant.post,
                nursery,
                scale=self._virtual.scale,
                run_in=run_inline,
            )
            with self._address.serve() as router:
                for task in (commits.run, instant.run, host.run_timers, diary.run):
                    nursery.start_soon(task)
                for _ in range(ENCODERS):
                    nursery.start_soon(self._encode, jobs.clone(), instant)
                await nursery.start(driver.run, router, self._floor.heard)
                instant.post(e.ServiceBegan())
                await clock.settled(1)
                for spec in self._specs:
                    await self._switch_on(spec, nursery)
                self._staff.begin(0.0)
                for number, arrival in enumerate(arrivals, 1):
                    diary.push(arrival.at_floor_s, arrival.checked(number))
                await floor_clock.sleep_until(until_floor_s)
                await trio.sleep(self._virtual.commit_s)
                await clock.settled(1)
                nursery.cancel_scope.cancel()

    # ---- from the host -----------------------------------------------------------------------------------------

    def _perform(self, action: e.AnyAction) -> None:
        if isinstance(action, e.Encode):
            self._jobs.send_nowait(action)
        else:
            self._floor.perform(action)

    def _committed(self, at_floor_s: float, moves: Sequence[AnyMove]) -> None:
        now_floor_s = self._clock.now_floor_s()
        for move in moves:
            self._staff.saw(now_floor_s, move)
            for watch in self._watch:
                watch(at_floor_s, move)

    # ---- tasks -------------------------------------------------------------------------------------------------

    async def _encode(self, jobs: trio.MemoryReceiveChannel[e.Encode], instant: Instant) -> None:
        """Take one encode job after another, each for its constant time."""
        async for job in jobs:
            await self._clock.sleep_until(self._clock.now_floor_s() + ENCODE_CARD_S * len(job.cards))
            instant.post(e.CardsEncoded(job.job_id))

    async def _switch_on(self, spec: StationSpec, nursery: trio.Nursery) -> None:
        """Start a station and wait until the foreman hears of it: one after the other, so that their order is known."""
        station = SimulatedStation(spec, self.world, partial(self._dial, spec.name), by_load=True)
        self.stations.append(station)
        self._seen[spec.name] = trio.Event()
        nursery.start_soon(station.run)
        await self._seen[spec.name].wait()

    @asynccontextmanager
    async def _dial(self, name: str) -> AsyncIterator[MemoryDealer]:
        dealer = self._address.connect(name)
        try:
            yield dealer
        finally:
            dealer.close()

    def _decide(self, host: LiveHost, event: e.AnyEvent) -> Ticket:
        ticket = host.post(event)
        if isinstance(event, e.StationSeen):
            self._seen[event.station].set()
        return ticket
