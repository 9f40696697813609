"""A controller small enough for tests: the real driver, no judgement, everything it was told in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from devices.defects import Step
from devices.driver import StationDriver
from devices.memlink import MemoryAddress, MemoryDealer
from devices.messages import JobDone, PositionWork, SheetWork, Start, StationState
from devices.protocol import Event, Finished, Joined, StateSeen
from encoders.envelope import pack
from encoders.face import PORTRAIT_BOX, SPECIMEN, FaceJob
from sims.floor import StationSpec
from sims.stations import SimulatedStation
from sims.world import World

SCALE = 100.0
EPOCH_FLOOR_S = 1_750_000_000.0


class FloorDesk:
    """A driver on the floor's clock, and what it told."""

    def __init__(
        self,
        centre: str = "C",
        settled_below: int = 0,
        epoch_floor_s: float = EPOCH_FLOOR_S,
        scale: float = SCALE,
    ) -> None:
        self._began_s, self._epoch_floor_s, self._scale = trio.current_time(), epoch_floor_s, scale
        self.driver = StationDriver(centre, self.now_floor_s, scale, settled_below=settled_below)
        self.told: list[tuple[str, Event]] = []
        self._news = trio.Event()

    def now_floor_s(self) -> float:
        return self._epoch_floor_s + (trio.current_time() - self._began_s) * self._scale

    def hear(self, station: str, event: Event) -> None:
        self.told.append((station, event))
        news, self._news = self._news, trio.Event()
        news.set()

    def of(self, station: str, *kinds: type[Event]) -> list[Event]:
        return [event for name, event in self.told if name == station and isinstance(event, kinds)]

    def states(self, station: str) -> list[tuple[StationState, str]]:
        return [(event.state, event.reason) for event in self.of(station, StateSeen)]

    async def until(self, wanted: Callable[[], bool], within_s: float = 600) -> None:
        with trio.fail_after(within_s):
            while not wanted():
                await self._news.wait()

    async def joined(self, *stations: str) -> None:
        await self.until(lambda: all(self.of(station, Joined) for station in stations))

    async def finished(self, station: str, job_id: int, within_s: float = 600) -> JobDone:
        found: list[JobDone] = []

        def there() -> bool:
            found[:] = [event.done for event in self.of(station, Finished) if event.done.job_id == job_id]
            return bool(found)

        await self.until(there, within_s)
        return found[0]

    async def does(self, station: str, start: Start, within_s: float = 600) -> JobDone:
        """Give a load, wait for its result, release it."""
        self.driver.start(station, start)
        done = await self.finished(station, start.job_id, within_s)
        self.driver.release(station, [start.job_id])
        return done


@asynccontextmanager
async def serving(desk: FloorDesk, address: MemoryAddress) -> AsyncIterator[FloorDesk]:
    with address.serve() as router:
        async with trio.open_nursery() as nursery:
            await nursery.start(desk.driver.run, router, desk.hear)
            yield desk
            nursery.cancel_scope.cancel()


def dial(address: MemoryAddress, name: str) -> Callable[[], AbstractAsyncContextManager[MemoryDealer]]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[MemoryDealer]:
        dealer = address.connect(name)
        try:
            yield dealer
        finally:
            dealer.close()

    return connect


@asynccontextmanager
async def stations(
    address: MemoryAddress, world: World, specs: Sequence[StationSpec], **options: bool
) -> AsyncIterator[dict[str, SimulatedStation]]:
    floor = {spec.name: SimulatedStation(spec, world, dial(address, spec.name), **options) for spec in specs}
    async with trio.open_nursery() as nursery:
        for station in floor.values():
            nursery.start_soon(station.run)
        yield floor
        nursery.cancel_scope.cancel()


def print_start(job_id: int, sheet_id: int) -> Start:
    positions = []
    for position in range(8):
        mark = f"{sheet_id}-{position}"
        job = FaceJob(front=(), back=(), control_mark=mark, specimen=SPECIMEN, mirrored=True, portrait_box=PORTRAIT_BOX)
        positions.append(PositionWork(face=pack(job)))
    return Start(job_id=job_id, step=Step.PRINT, sheets=[SheetWork(sheet_id, positions)])


def write_start(job_id: int, sheet_id: int) -> Start:
    work = [PositionWork(record=b"r%d" % sheet_id, portrait=b"p%d" % position) for position in range(8)]
    return Start(job_id=job_id, step=Step.WRITE, sheets=[SheetWork(sheet_id, work)])


def plain_start(job_id: int, step: Step, *sheet_ids: int) -> Start:
    return Start(job_id=job_id, step=step, sheets=[SheetWork(sheet_id) for sheet_id in sheet_ids])
