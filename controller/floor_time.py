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
BEHIND_MAX_S = 60.0  # real seconds


def open_clock(folder: Path, config: ClockConfig, last_floor_s: float | None = None) -> FloorClock:
    """Give the floor clock of a data folder.

    At the first start floor time begins at the configured epoch (or at real time); later it goes on from there, at
    the configured scale from now on.  `last_floor_s`: of the ledger's last move, None where there is none; a simulated
    clock of such a ledger is never begun anew, nor used when it stands far behind: floor time would fall back.
    Raises: ConfigError: the file cannot be used, or is gone, or is an older one.
    """
    path = folder / FILE
    now_wall_s = time.time()
    if not path.exists():
        if config.simulated and last_floor_s is not None:
            raise ConfigError(gone(folder, last_floor_s, config.scale))
        epoch = datetime.fromisoformat(config.epoch) if config.epoch else None
        if epoch is not None and epoch.tzinfo is None:
            epoch = epoch.replace(tzinfo=UTC)
        clock = FloorClock(epoch.timestamp() if epoch else now_wall_s, now_wall_s, config.scale)
    else:
        clock = _read(path)
        if is_behind(clock, config, last_floor_s):
            raise ConfigError(behind(folder, clock, last_floor_s or 0.0))
        if clock.scale != config.scale:  # from now on at another speed
            clock = FloorClock(clock.now_floor_s(), now_wall_s, config.scale)
    _write(path, clock)
    return clock


def read_clock(folder: Path, config: ClockConfig) -> FloorClock:
    """Give the floor clock as it goes now, whether a service runs or not, and write nothing.  Raises: ConfigError."""
    path = folder / FILE
    return _read(path) if path.exists() else FloorClock(time.time(), time.time(), config.scale)


def gone(folder: Path, last_floor_s: float, scale: float) -> str:
    """Give the sentence about the file of a simulated floor that is gone though its ledger has moves."""
    anew = json.dumps(_fields(FloorClock(last_floor_s, round(time.time(), 3), scale)))
    return (
        f"{FILE} is gone from {folder}, and floor time would fall back behind the ledger's last move: put it back, it "
        f"holds what stands under `clock` in the backup.json of a backup; without one write {anew} into it, and floor "
        "time goes on from that move"
    )


def is_behind(clock: FloorClock, config: ClockConfig, last_floor_s: float | None) -> bool:
    """Say whether a simulated floor's clock is an older one than its ledger's.

    A machine's clock may be set back by seconds, then floor time stands still so long; a real floor's clock follows
    the machine's, which its people set right.
    """
    return config.simulated and last_floor_s is not None and clock.real_s_until(last_floor_s) > BEHIND_MAX_S


def behind(folder: Path, clock: FloorClock, last_floor_s: float) -> str:
    """Give the sentence about a clock that stands far behind its ledger."""
    anew = json.dumps(_fields(FloorClock(last_floor_s, round(time.time(), 3), clock.scale)))
    return (
        f"{FILE} in {folder} is {last_floor_s - clock.now_floor_s():,.0f} floor seconds behind the ledger's last move: "
        "it is an older one, or this machine's clock was set back; put the right one back (it stands under `clock` in "
        f"the backup.json of a backup), or write {anew} into it, and floor time goes on from that move"
    )


def _fields(clock: FloorClock) -> dict[str, float]:
    return {"epoch_floor_s": clock.epoch_floor_s, "anchor_wall_s": clock.anchor_wall_s, "scale": clock.scale}


def _read(path: Path) -> FloorClock:
    try:
        saved = json.loads(path.read_text("utf-8"))
        return FloorClock(float(saved["epoch_floor_s"]), float(saved["anchor_wall_s"]), float(saved["scale"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} cannot be used: restore it, or remove it if no card was made yet") from None


def _write(path: Path, clock: FloorClock) -> None:
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8") as file:
        json.dump(_fields(clock), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
