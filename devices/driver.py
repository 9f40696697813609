"""The controller's link to all its stations: one socket, one protocol side for each station, one callback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from devices.keys import LinkError
from devices.lies import Load
from devices.messages import Magazine, Start, StationSaid, ToStation
from devices.protocol import RESEND_S, SILENT_S, Event, Heard, Lied
from devices.switchboard import Switchboard
from devices.zlink import Delivery
from encoders.envelope import EnvelopeError, Opener, pack

TICK_S = 0.25
AT_ONCE = 16  # messages between two looks at other tasks: a station says two at most ends of its work
MAX_SAID_BYTES = 1 << 20  # an inspected tray is 11 kB, a press load of 1,000 sheets 200 kB

OnEvent = Callable[[str, Event], None]


class Link(Protocol):
    """What the driver needs of a router: `devices.zlink` and `devices.memlink` have it."""

    async def recv_many(self, limit: int) -> Sequence[Delivery]:
        """1 to `limit` messages that lie ready."""
        ...

    def send(self, peer: bytes, body: bytes) -> None:
        """Hand over a message without waiting.  Raises: LinkError: it cannot reach the peer."""
        ...


class StationDriver:
    """Speaks with every station that a key lets in; a dead one costs nothing.

    The calls never wait and may come before `run`: what cannot be sent now is said again by the protocol, or asked
    for when the station is heard.  A station is known from the first call for it or the first word from it; two
    connections with one key are one station, answered where it spoke last.

    Args:
        centre: the installation's name, at most 64 characters; a station that knows another one forgets its work.
        floor_now_s, scale: the floor clock, for the welcome.
        settled_below: see `ControllerSide`.
        resend_s, silent_s: real seconds.
        refused: called with the code of each frame that is no message of a station.
    """

    def __init__(
        self,
        centre: str,
        floor_now_s: Callable[[], float],
        scale: float,
        *,
        settled_below: int = 0,
        resend_s: float = RESEND_S,
        silent_s: float = SILENT_S,
        refused: Callable[[str], None] = lambda code: None,
    ) -> None:
        self._floor_now_s, self._refused = floor_now_s, refused
        self._board = Switchboard(centre, scale, settled_below=settled_below, resend_s=resend_s, silent_s=silent_s)
        self._opener: Opener[StationSaid] = Opener(StationSaid, MAX_SAID_BYTES)
        self._peers: dict[str, bytes] = {}
        self._link: Link | None = None
        self._on_event: OnEvent = lambda station, event: None

    async def run(
        self, link: Link, on_event: OnEvent, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Drive until cancelled.  `on_event` must not wait; what it raises ends this."""
        self._link, self._on_event = link, on_event
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._tick)
                task_status.started()
                while True:
                    for delivery in await link.recv_many(AT_ONCE):
                        self._take(delivery)
        finally:
            self._link = None
            self._peers.clear()

    def start(self, station: str, start: Start) -> None:
        """Give a load.  Raises: ValueError: its step is none of the route."""
        self._say(station, self._board.start(station, start, trio.current_time()))

    def ask(self, station: str, job_id: int, load: Load | None = None) -> None:
        """Ask what became of a job; `load`, as the ledger has it, lets the result be checked in full."""
        self._say(station, self._board.ask(station, job_id, trio.current_time(), load))

    def release(self, station: str, job_ids: Sequence[int]) -> None:
        """Say that the results of these jobs are durable."""
        self._say(station, self._board.release(station, list(job_ids)))

    def magazine(self, station: str, magazine: Magazine) -> None:
        """Tell a laminate station what was issued to its magazine."""
        self._say(station, self._board.magazine(station, magazine, trio.current_time()))

    def stations(self) -> dict[str, float | None]:
        """Real seconds since each station was last heard, None for never, by name."""
        return self._board.heard_before_s(trio.current_time())

    # ---- inside ------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await trio.sleep(TICK_S)
            for station, heard in self._board.tick(trio.current_time()):
                self._follow(station, heard)

    def _take(self, delivery: Delivery) -> None:
        station = delivery.user
        try:
            message = self._opener.unpack(delivery.body)
        except EnvelopeError as error:
            self._refused(error.code)
            self._board.side(station)
            self._on_event(station, Lied(error.code))
            return
        self._peers[station] = delivery.peer
        self._follow(station, self._board.received(station, message, trio.current_time(), self._floor_now_s()))

    def _follow(self, station: str, heard: Heard) -> None:
        self._say(station, heard.messages)
        for event in heard.events:
            self._on_event(station, event)

    def _say(self, station: str, messages: Sequence[ToStation]) -> None:
        """Send what can be sent; the protocol says the rest again."""
        for message in messages:
            peer = self._peers.get(station)
            if self._link is None or peer is None:
                return
            try:
                self._link.send(peer, pack(message))
            except LinkError as error:
                if error.code != "link.too_long":
                    del self._peers[station]  # until it is heard again
                    return
                # the station claimed a load larger than one message can bring
                self._on_event(station, Lied(error.code, getattr(message, "job_id", 0)))
