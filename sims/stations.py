"""A simulated station: a machine, its memory of jobs, and the link it speaks over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from random import Random

import trio

from devices.keys import LinkError
from devices.messages import ControllerSaid, FromStation, Start, StationState
from devices.station_side import Model, StationSide, Told
from encoders.envelope import EnvelopeError, Opener, pack
from sims.bad_line import Dealer, bad_line
from sims.clock import StationClock
from sims.floor import StationSpec
from sims.machine import Machine
from sims.world import World

BEAT_S = 0.25
REDIAL_S = 2.0  # after the service refused the key, or is no Cardmill service
OUTBOX_MESSAGES = 256
CROWDED_MESSAGES = 16  # from here on nothing is repeated: the line is down, and all of it is said again later
OPERATOR = "operator"

Dial = Callable[[], AbstractAsyncContextManager[Dealer]]


class SimulatedStation:
    """One station of a floor.

    Args:
        spec: what it is and how fast.
        world: what it works on; shared by the stations of a floor.
        dial: opens the link, again each time it failed.
        lost_memory: see `StationSide`.
        by_load: see `Machine`.
        report: is told a sentence when the link fails.
    """

    def __init__(
        self,
        spec: StationSpec,
        world: World,
        dial: Dial,
        *,
        lost_memory: bool = False,
        by_load: bool = False,
        report: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.spec = spec
        self.clock = StationClock()
        self.side = StationSide(
            Model(step=spec.step, model=spec.model, load_max=spec.load_max), lost_memory=lost_memory
        )
        self.machine = Machine(spec, world, self.clock, self._enter, by_load=by_load)
        self.nonsense = 0  # frames that were no message of a controller
        self._dial, self._report, self._wire = dial, report, world.faults.wire
        self._random = Random(f"line {world.seed} {spec.name}")
        self._off_line = False
        self._job = trio.CancelScope()
        self._opener: Opener[ControllerSaid] = Opener(ControllerSaid)
        self._load_in, self._load_out = trio.open_memory_channel[Start](1)
        self._outbox_in, self._outbox_out = trio.open_memory_channel[bytes](OUTBOX_MESSAGES)

    async def run(self) -> None:
        """Work until cancelled, whether there is a service or not."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._work)
            nursery.start_soon(self._beat)
            nursery.start_soon(self._keep_link)

    def take_off_line(self) -> None:
        """Stop, as the operator at the machine may: at once when idle, else when the load is out."""
        self._off_line = True
        if self.side.state is StationState.IDLE and not self.side.running:
            self._rest()

    def put_on_line(self) -> None:
        """Take loads again."""
        self._off_line = False
        if self.side.state is StationState.STOPPED:
            self._rest()

    # ---- the machine -------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            start = await self._load_out.receive()
            if start.job_id != self.side.running:
                continue  # forgotten on its way into the machine
            with trio.CancelScope() as self._job:
                done = await self.machine.run(start)
                self._say(self.side.finished(done, trio.current_time()))
                await self.machine.refill()
            self._rest()

    def _rest(self) -> None:
        """Be ready for a load, or off line."""
        since_floor_s = self.clock.now_floor_s()
        if self._off_line:
            self._enter(StationState.STOPPED, OPERATOR, since_floor_s)
            return
        if self.side.state is not StationState.STOPPED and self.machine.free_floor_s:
            since_floor_s = self.machine.free_floor_s
        self._enter(StationState.IDLE, "", since_floor_s)

    def _enter(self, state: StationState, reason: str, at_floor_s: float) -> None:
        self._say(self.side.entered(state, reason, at_floor_s, trio.current_time()))

    # ---- the link ----------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            if self._outbox_in.statistics().current_buffer_used < CROWDED_MESSAGES:
                self._say(self.side.tick(trio.current_time()))
            await trio.sleep(BEAT_S)

    async def _keep_link(self) -> None:
        """Hold a link open; one that failed for good is opened anew."""
        while True:
            try:
                async with self._dial() as dealer, bad_line(dealer, self._wire, self._random) as line:
                    self._say(self.side.begin(trio.current_time()))
                    fault = await self._exchange(line)
            except LinkError as error:
                fault = error
            self._report(f"{self.spec.name}: {fault.sentence}")
            await trio.sleep(REDIAL_S)

    async def _exchange(self, line: Dealer) -> LinkError:
        """Listen and speak until the link fails; give how."""
        faults: list[LinkError] = []
        async with trio.open_nursery() as nursery:

            async def until_fault(task: Callable[[Dealer], Awaitable[None]]) -> None:
                try:
                    await task(line)
                except LinkError as error:
                    faults.append(error)
                    nursery.cancel_scope.cancel()

            nursery.start_soon(until_fault, self._listen)
            nursery.start_soon(until_fault, self._speak)
        return faults[0]

    async def _listen(self, line: Dealer) -> None:
        while True:
            body = await line.recv()
            try:
                message = self._opener.unpack(body)
            except EnvelopeError:
                self.nonsense += 1
                continue
            self._follow(self.side.received(message, trio.current_time()))

    async def _speak(self, line: Dealer) -> None:
        async for body in self._outbox_out:
            await line.send(body)

    def _follow(self, told: Told) -> None:
        """Do what a message asks."""
        if told.welcome:
            self.clock.set(told.welcome.floor_s, told.welcome.scale, anew=told.forgotten)
        if told.forgotten:
            self.machine.empty()
            self._job.cancel()
        self._say(told.replies)
        if told.magazine:
            change = self.machine.take_out if told.magazine.out else self.machine.fill
            change(told.magazine.first_body, told.magazine.sheets, told.magazine.places)
        if told.work:
            self._load_in.send_nowait(told.work)

    def _say(self, messages: list[FromStation]) -> None:
        """Hand to the line what it has room for; whatever matters is said again."""
        for message in messages:
            try:
                self._outbox_in.send_nowait(pack(message))
            except trio.WouldBlock:
                return
