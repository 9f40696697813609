"""The controller's sides of the links to all its stations, without I/O: one table, from which any driver speaks."""

from __future__ import annotations

from collections.abc import Iterator

from devices.lies import Load
from devices.messages import VERSION, FromStation, Magazine, Start, ToStation, Welcome
from devices.protocol import RESEND_S, SILENT_S, ControllerSide, Heard


class Switchboard:
    """One `ControllerSide` for each station; a station is known from the first call for it, or the first word from it.

    Args:
        centre: the installation's name, at most 64 characters; a station that knows another one forgets its work.
        scale: floor seconds per real second, for the welcome.
        settled_below: see `ControllerSide`.
        resend_s, silent_s: real seconds.
    """

    def __init__(
        self,
        centre: str,
        scale: float,
        *,
        settled_below: int = 0,
        resend_s: float = RESEND_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._centre, self._scale = centre, scale
        self._settled_below, self._resend_s, self._silent_s = settled_below, resend_s, silent_s
        self._sides: dict[str, ControllerSide] = {}

    def side(self, station: str) -> ControllerSide:
        """Give the side of a station, a fresh one when it is new."""
        side = self._sides.get(station)
        if side is None:
            side = self._sides[station] = ControllerSide(
                station, settled_below=self._settled_below, resend_s=self._resend_s, silent_s=self._silent_s
            )
        return side

    # ---- what the caller wants: each gives what is to be sent --------------------------------------------------

    def start(self, station: str, start: Start, now_s: float) -> list[ToStation]:
        """Give a load.  Raises: ValueError: its step is none of the route."""
        return self.side(station).start(start, now_s)

    def ask(self, station: str, job_id: int, now_s: float, load: Load | None = None) -> list[ToStation]:
        """Ask what became of a job; `load`, as the ledger has it, lets the result be checked in full."""
        return self.side(station).ask(job_id, now_s, load)

    def release(self, station: str, job_ids: list[int]) -> list[ToStation]:
        """Say that the results of these jobs are durable."""
        return self.side(station).release(job_ids)

    def magazine(self, station: str, magazine: Magazine, now_s: float) -> list[ToStation]:
        """Tell a laminate station what was issued to its magazine."""
        return self.side(station).magazine(magazine, now_s)

    # ---- what stations and time bring --------------------------------------------------------------------------

    def received(self, station: str, message: FromStation, now_s: float, now_floor_s: float) -> Heard:
        """Take one message of a station; a welcome, when one is due, stands first among the messages."""
        heard = self.side(station).received(message, now_s)
        if heard.welcome:
            welcome = Welcome(version=VERSION, centre=self._centre, floor_s=now_floor_s, scale=self._scale)
            heard.messages.insert(0, welcome)
        return heard

    def tick(self, now_s: float) -> Iterator[tuple[str, Heard]]:
        """Give, station by station, what is to be said again and who fell silent."""
        for station, side in list(self._sides.items()):
            yield station, side.tick(now_s)

    def heard_before_s(self, now_s: float) -> dict[str, float | None]:
        """Give the real seconds since each station was last heard, None for never, by name."""
        return {
            name: None if side.heard_s is None else now_s - side.heard_s for name, side in sorted(self._sides.items())
        }
