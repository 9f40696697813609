"""Where floor time stands across restarts: a small file in the data folder remembers its anchor."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from controller.clock import FloorClock
from controller.config import ClockConfig, ConfigError

FILE = "clock.json"


def open_clock(folder: Path, config: ClockConfig) -> FloorClock:
    """Give the floor clock of a data folder.

    At the first start floor time begins at the configured epoch (or at real time); later it goes on from there, at
    the configured scale from now on.  Raises: ConfigError when the file cannot be used.
    """
    path = folder / FILE
    now_wall_s = time.time()
    if not path.exists():
        epoch = datetime.fromisoformat(config.epoch) if config.epoch else None
        if epoch is not None and epoch.tzinfo is None:
            epoch = epoch.replace(tzinfo=UTC)
        clock = FloorClock(epoch.timestamp() if epoch else now_wall_s, now_wall_s, config.scale)
    else:
        clock = _read(path)
        if clock.scale != config.scale:  # from now on at another speed
            clock = FloorClock(clock.now_floor_s(), now_wall_s, config.scale)
    _write(path, clock)
    return clock


def read_clock(folder: Path, config: ClockConfig) -> FloorClock:
    """Give the floor clock as it goes now, whether a service runs or not, and write nothing.  Raises: ConfigError."""
    path = folder / FILE
    return _read(path) if path.exists() else FloorClock(time.time(), time.time(), config.scale)


def _read(path: Path) -> FloorClock:
    try:
        saved = json.loads(path.read_text("utf-8"))
        return FloorClock(float(saved["epoch_floor_s"]), float(saved["anchor_wall_s"]), float(saved["scale"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} cannot be used: restore it, or remove it if no card was made yet") from None


def _write(path: Path, clock: FloorClock) -> None:
    fields = {"epoch_floor_s": clock.epoch_floor_s, "anchor_wall_s": clock.anchor_wall_s, "scale": clock.scale}
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
