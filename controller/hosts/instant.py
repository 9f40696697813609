"""What happens at one instant of virtual time, handed to the host in an order of its own; and commits in it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import trio

from controller.core import events as e
from controller.core.moves import AnyMove
from controller.core.settings import require_range
from controller.core.turn import Turn
from controller.hosts.live import Ticket
from controller.hosts.virtual import SimClock, VirtualFloorClock

_RESULT, _REPORT, _ENCODED, _REST = range(4)
_RANKS: dict[type, int] = {
    e.StepDone: _RESULT,
    e.BundlePacked: _RESULT,
    e.StationSeen: _REPORT,
    e.StationReported: _REPORT,
    e.CardsEncoded: _ENCODED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualConfig:
    """What a virtual host is told, besides what its foreman is."""

    commit_s: float = 0.005  # virtual seconds from a turn to its commit
    scale: float = 1024.0  # floor seconds to a virtual one; a power of two keeps every time exact

    def __post_init__(self) -> None:
        require_range("virtual.commit_s", self.commit_s, 0, 60)
        require_range("virtual.scale", self.scale, 0.001, 100_000)

    @property
    def commit_floor_s(self) -> float:
        """Give the floor seconds of a commit: what a host without trio adds."""
        return self.commit_s * self.scale


def order_of(event: e.AnyEvent) -> tuple[int, str, int]:
    """Give the place of an event among those of its instant; of equal places the first posted goes first.

    A station's result comes before what it says of itself then, stations by name, encode jobs by number.
    """
    rank = _RANKS.get(type(event), _REST)
    if isinstance(event, e.CardsEncoded):
        return rank, "", event.job_id
    return rank, getattr(event, "station", "") if rank != _REST else "", 0


class LateTicket(Ticket):
    """A turn that is not decided yet: its event waits for the end of the instant."""

    def __init__(self) -> None:
        self._posted, self._wanted = trio.Event(), list[Callable[[Turn], None]]()
        self._ticket: Ticket | None = None

    def bind(self, ticket: Ticket) -> None:
        """Take the ticket of the turn, now that the host has decided it."""
        self._ticket = ticket
        for told in self._wanted:
            ticket.then(told)
        self._posted.set()

    async def wait(self) -> Turn:
        """Give the turn once it is durable."""
        await self._posted.wait()
        assert self._ticket is not None
        return await self._ticket.wait()

    def then(self, told: Callable[[Turn], None]) -> None:
        """Call back with the turn once it is durable."""
        if self._ticket is None:
            self._wanted.append(told)
        else:
            self._ticket.then(told)


class Instant:
    """Keeps what is posted until nothing else can happen at this instant, and posts it in the order of `order_of`.

    Tasks that wake at one time do so in an order of trio's luck; what they say reaches the foreman in this one.
    """

    def __init__(self, clock: SimClock, post: Callable[[e.AnyEvent], Ticket]) -> None:
        self._clock, self._post = clock, post
        self._waiting: list[tuple[tuple[int, str, int], int, e.AnyEvent, LateTicket]] = []
        self._count = count()
        self._some = trio.Event()

    def post(self, event: e.AnyEvent) -> Ticket:
        """Let an event happen at this instant."""
        ticket = LateTicket()
        heapq.heappush(self._waiting, (order_of(event), next(self._count), event, ticket))
        self._some.set()
        return ticket

    async def run(self) -> None:
        """Post what waits at the end of each instant, until cancelled."""
        while True:
            await self._some.wait()
            self._some = trio.Event()
            await self._clock.settled()
            due, self._waiting = self._waiting, []
            while due:
                _, _, event, ticket = heapq.heappop(due)
                ticket.bind(self._post(event))


class ConstantCommits:
    """Makes turns durable a constant time after their stamps, in order (`hosts.live.Keeper`)."""

    def __init__(self, clock: VirtualFloorClock, commit_s: float) -> None:
        self._clock, self._commit_s = clock, commit_s
        self._kept: deque[tuple[float, Callable[[], None]]] = deque()
        self._some = trio.Event()

    def keep(
        self, at_floor_s: float, event: e.AnyEvent | None, moves: Sequence[AnyMove], on_durable: Callable[[], None]
    ) -> None:
        """Take a turn without waiting."""
        self._kept.append((at_floor_s / self._clock.scale + self._commit_s, on_durable))
        self._some.set()

    async def run(self) -> None:
        """Commit what is kept, each turn at its time, until cancelled."""
        while True:
            await self._some.wait()
            self._some = trio.Event()
            while self._kept:
                await trio.sleep_until(self._kept[0][0])
                self._kept.popleft()[1]()
