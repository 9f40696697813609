"""The floor clock: floor seconds for whatever happens on the floor, at a scale of real time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class FloorClock:
    """Floor seconds (since 1970, UTC) = epoch + scale x real seconds since the anchor.

    The anchor is a moment of the wall clock that the data folder remembers, so that floor time goes on while the
    service is down; within one run only the monotonic clock counts.
    """

    epoch_floor_s: float
    anchor_wall_s: float
    scale: float = 1.0
    _offset_s: float = 0.0

    def __post_init__(self) -> None:
        self._offset_s = time.time() - time.monotonic() - self.anchor_wall_s

    def now_floor_s(self) -> float:
        """Give the floor's time, to the millisecond."""
        return round(self.epoch_floor_s + self.scale * (time.monotonic() + self._offset_s), 3)

    def real_s_until(self, at_floor_s: float) -> float:
        """Give the real seconds until a floor time, 0 when it has passed."""
        return max(0.0, (at_floor_s - self.now_floor_s()) / self.scale)


def floor_date(at_floor_s: float) -> str:
    """Give the floor's day as `YYYYMMDD`."""
    return datetime.fromtimestamp(at_floor_s, UTC).strftime("%Y%m%d")


def day_start_floor_s(date: str) -> float:
    """Give the first floor second of a day `YYYYMMDD`.  Raises: ValueError when there is no such day."""
    return datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC).timestamp()


def floor_text(at_floor_s: float) -> str:
    """Give a floor time to be read, like `2026-01-05 08:00:03`; `--` for what is none: a station may say any number."""
    try:
        return datetime.fromtimestamp(at_floor_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return "--"
