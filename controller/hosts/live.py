"""The foreman on the live floor: events are stamped at the door, actions wait for the commit they rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

import trio

from controller.core.events import AnyAction, AnyEvent, TimerFired
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.turn import Turn


class Keeper(Protocol):
    """Whoever makes turns durable, in order."""

    def keep(
        self, at_floor_s: float, event: AnyEvent | None, moves: Sequence[AnyMove], on_durable: Callable[[], None]
    ) -> None:
        """Take a turn without waiting; call back on the trio thread after its commit, and in this order.

        No event: the turn leaves nothing, and is to be told once all turns before it are durable.
        """


class Clock(Protocol):
    """What says what time it is: `controller.clock.FloorClock`, or a simulated one."""

    def now_floor_s(self) -> float:
        """Give the floor's time."""
        ...

    def real_s_until(self, at_floor_s: float) -> float:
        """Give the real seconds until a floor time, 0 when it has passed."""
        ...


class Ticket:
    """A turn on its way to the disk."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._durable = turn, trio.Event()
        self._told: list[Callable[[Turn], None]] = []

    async def wait(self) -> Turn:
        """Give the turn once it is durable: only then may anybody be told of it."""
        await self._durable.wait()
        return self._turn

    def then(self, told: Callable[[Turn], None]) -> None:
        """Call back with the turn once it is durable: for a host without tasks."""
        self._told.append(told)

    def set_durable(self) -> None:
        """Let those go on who wait."""
        self._durable.set()
        for told in self._told:
            told(self._turn)


class LiveHost:
    """Drives the foreman with the floor clock.  One task at a time calls `post`; it never waits.

    `on_turn` is called after the commit of each turn that moved anything, `perform` for each of its actions, `observe`
    with the real seconds the foreman took for each turn.
    """

    def __init__(
        self,
        foreman: Foreman,
        clock: Clock,
        keeper: Keeper,
        perform: Callable[[AnyAction], None],
        on_turn: Callable[[float, Sequence[AnyMove]], None],
        observe: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.foreman, self.clock = foreman, clock
        self._keeper, self._perform, self._on_turn, self._observe = keeper, perform, on_turn, observe
        self._last_floor_s = -math.inf
        self._wake_floor_s: float | None = None
        self._asleep_until_floor_s = math.inf
        self._rewound = trio.Event()

    def post(self, event: AnyEvent) -> Ticket:
        """Stamp an event and let the foreman decide; timers that were due before it go first."""
        at_floor_s = max(self.clock.now_floor_s(), self._last_floor_s)
        self._fire_due(at_floor_s)
        return self._handle(event, at_floor_s)

    async def run_timers(self) -> None:
        """Call the foreman at the times it asked for, until cancelled."""
        while True:
            self._rewound = trio.Event()
            self._asleep_until_floor_s = math.inf if self._wake_floor_s is None else self._wake_floor_s
            left_s = math.inf if self._wake_floor_s is None else self.clock.real_s_until(self._wake_floor_s)
            with trio.move_on_after(left_s):
                await self._rewound.wait()
                continue
            self.fire_timers()

    @property
    def wake_floor_s(self) -> float | None:
        """When the foreman wants to be called, None for never: for a caller that has a clock of its own."""
        return self._wake_floor_s

    def fire_timers(self) -> None:
        """Call the foreman for every time it asked for that has come."""
        self._fire_due(max(self.clock.now_floor_s(), self._last_floor_s))

    def start_after(self, at_floor_s: float) -> None:
        """Let no stamp come before a time: the last one the ledger holds."""
        self._last_floor_s = max(self._last_floor_s, at_floor_s)

    def _fire_due(self, at_floor_s: float) -> None:
        while self._wake_floor_s is not None and self._wake_floor_s <= at_floor_s:
            self._handle(TimerFired(), max(self._wake_floor_s, self._last_floor_s))

    def _handle(self, event: AnyEvent, at_floor_s: float) -> Ticket:
        self._last_floor_s = at_floor_s
        began_s = perf_counter()
        turn = self.foreman.handle(event, at_floor_s)
        self._observe(perf_counter() - began_s)
        self._wake_floor_s = turn.wake_floor_s
        if self._wake_floor_s is not None and self._wake_floor_s < self._asleep_until_floor_s:
            self._rewound.set()  # a later time is looked for when the earlier one has come: most turns only put it off
        ticket = Ticket(turn)

        def release() -> None:
            self._on_turn(at_floor_s, turn.moves)
            for action in turn.actions:
                self._perform(action)
            ticket.set_durable()

        # a turn without moves is kept too: what it answers rests on the turns before it; but when it was refused, it
        # leaves no row: state changes by moves alone, and whoever is refused again and again would fill the disk
        kept = None if turn.refused and not turn.moves else event
        self._keeper.keep(at_floor_s, kept, turn.moves, release)
        return ticket
