"""The alarms of a running service: found when somebody asks, told once in the log, let go of when they are over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import trio

from controller.core.andon.alarm import Alarm, Conditions, Look
from controller.core.andon.andon import alarms, owned_and_over
from controller.core.andon.rules import Severity
from controller.core.andon_events import AlarmsEnded
from controller.core.events import AnyEvent
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.hosts.live import Ticket
from controller.refusals import Refusals
from controller.upkeep.disk import DiskWatch

log = structlog.get_logger()
LOOK_EVERY_S = 5.0  # real seconds: what comes and goes between two looks is told of nowhere
FRAMES_WITHIN_S = 300.0  # real seconds in which refused frames are counted
LEVELS = {Severity.PAGE: "error", Severity.TICKET: "warning", Severity.NOTE: "info"}


class Clock(Protocol):
    """What says what time it is on the floor."""

    def now_floor_s(self) -> float:
        """Give the floor's time."""
        ...


@dataclass(slots=True)
class Surroundings:
    """What the service knows of itself besides its ledger."""

    disk: DiskWatch | None = None
    refusals: Refusals | None = None
    is_insecure: bool = False
    now_s: Callable[[], float] = trio.current_time
    totals: deque[tuple[float, int]] = field(default_factory=deque)  # when, and how many frames were refused by then

    def conditions(self) -> Conditions:
        """Give what is true now."""
        disk = self.disk.line() if self.disk else {}
        return Conditions(
            disk=str(disk.get("state", "ok")),
            free_bytes=int(disk.get("free_bytes", 0)),
            is_insecure=self.is_insecure,
            refused_frames=self._frames() - self.totals[0][1] if self.totals else 0,
        )

    def note(self) -> None:
        """Remember how many frames were refused by now, and forget what is longer ago than anybody asks."""
        now = self.now_s()
        self.totals.append((now, self._frames()))
        while self.totals[0][0] < now - FRAMES_WITHIN_S:
            self.totals.popleft()

    def _frames(self) -> int:
        return self.refusals.frames if self.refusals else 0


class Andon:
    """The one list of alarms that desk, metrics and log take; only this keeps when each was seen first."""

    def __init__(
        self,
        state: FloorState,
        tally: Tally,
        config: CoreConfig,
        clock: Clock,
        around: Surroundings,
        post: Callable[[AnyEvent], Ticket],
    ) -> None:
        self._state, self._tally, self._config, self._clock = state, tally, config, clock
        self._around, self._post = around, post
        self._seen: Mapping[str, float] = {}
        self._told: dict[str, Alarm] = {}

    def alarms(self) -> list[Alarm]:
        """Give the alarms that stand now, the gravest first, of those the oldest."""
        return self._found(self._look())

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            await self.look()
            await trio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell the log once what began and what ended, and let the record end what was acknowledged and is over."""
        self._around.note()
        look = self._look()
        standing = self._found(look)
        self._tell(standing, look.now_floor_s)
        over = owned_and_over(look, standing)
        if over:
            await self._post(AlarmsEnded(over)).wait()

    def _look(self) -> Look:
        now = self._clock.now_floor_s()
        return Look(self._state, self._tally, self._config, now, self._around.conditions())

    def _found(self, look: Look) -> list[Alarm]:
        standing = alarms(look, self._seen)
        self._seen = {one.key: one.since_floor_s for one in standing}
        return standing

    def _tell(self, standing: list[Alarm], now_floor_s: float) -> None:
        now = {one.key: one for one in standing}
        for key, alarm in now.items():
            if key not in self._told:
                tell = getattr(log, LEVELS[alarm.severity])
                tell("alarm", key=key, severity=alarm.severity.value, since_floor_s=alarm.since_floor_s)
        for key, alarm in self._told.items():
            if key not in now:
                log.info("alarm over", key=key, stood_s=round(now_floor_s - alarm.since_floor_s, 3))
        self._told = now
