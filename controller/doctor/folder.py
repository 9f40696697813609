"""The data folder: its modes, its disk, who works in it, its floor clock, and the backups made of it."""

from __future__ import annotations

import os
import stat
import time
from datetime import datetime
from pathlib import Path

from controller.backup.manifest import read_manifest
from controller.backup.take import whole_backups
from controller.config import Config, ConfigError
from controller.doctor.finding import Finding, ok, warning, wrong
from controller.floor_time import FILE as CLOCK_FILE
from controller.floor_time import behind, gone, is_behind, read_clock
from controller.ledger.lock import LOCK_NAME
from controller.upkeep.disk import MIB, RESERVE_NAME, free_bytes

LOCKS = Path("/proc/locks")
PRIVATE = ("ledger.db", "vault.db")
BACKUP_OLD_S = 26 * 3_600.0  # a day, and two hours for a backup that takes long
CLOCK_FIRST_S = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()


def running_pid(folder: Path, locks: Path = LOCKS) -> int | None:
    """Give the process that holds the folder, 0 for one of another name space, None for nobody.

    The lock itself is not tried: a service that starts in that moment would be refused.
    """
    try:
        found = (folder / LOCK_NAME).stat()
        held = locks.read_text("ascii").splitlines()
    except OSError:
        return None
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in held:
        words = line.split()
        if "FLOCK" in words and place in words:
            return int(words[4])
    return None


def look_at_folder(folder: Path) -> list[Finding]:
    """Say whether the folder is there, its owner's alone, and who works in it."""
    if not folder.is_dir():
        return [wrong("data folder", f"{folder} is not there: start the service once, or give it with --data")]
    pid = running_pid(folder)
    who = "nobody works in it" if pid is None else f"process {pid or 'of another container'} works in it"
    open_to = [path.name for path in (folder, *(folder / name for name in PRIVATE)) if _others_may(path)]
    if open_to:
        text = f"{', '.join(open_to)} may be read by others: `chmod go-rwx` them; {who}"
        return [warning("data folder", text)]
    return [ok("data folder", f"{folder} is its owner's alone; {who}")]


def _others_may(path: Path) -> bool:
    """Say whether others get at a file or folder; a file in a closed folder is closed."""
    if path.is_file() and not stat.S_IMODE(path.parent.stat().st_mode) & 0o077:
        return False
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def look_at_disk(folder: Path, config: Config) -> list[Finding]:
    """Compare what is free with the limits of section [storage]."""
    free, least = free_bytes(folder), config.storage.free_min_mib * MIB
    reserve = folder / RESERVE_NAME
    held, wanted = reserve.stat().st_size if reserve.exists() else 0, config.storage.reserve_mib * MIB
    shown = f"{free >> 20:,} MiB are free"
    if config.storage.url:
        shown += " in the data folder (PostgreSQL's own disk is not looked at)"
    if free < wanted // 4 or (reserve.exists() and held == 0 < wanted):
        return [wrong("disk", f"{shown} and the reserve is spent or about to be: free space now")]
    if free < least:
        text = f"{shown}, no batch is taken in below {config.storage.free_min_mib:,}: free some"
        return [warning("disk", text)]
    return [ok("disk", f"{shown}; the reserve holds {held >> 20:,} MiB")]


def look_at_clock(folder: Path, config: Config, last_floor_s: float | None) -> list[Finding]:
    """Say whether wall clock and floor clock can be what they say; `last_floor_s`: of the ledger's last event."""
    if time.time() < CLOCK_FIRST_S:
        return [wrong("clock", "this machine's clock stands before 2026: set it before the service starts")]
    if not (folder / CLOCK_FILE).exists():
        if last_floor_s is None:
            return [ok("clock", "the floor clock begins with the first start")]
        if not config.clock.simulated:
            return [warning("clock", f"{CLOCK_FILE} is gone: the next start makes it anew from this machine's clock")]
        return [wrong("clock", gone(folder, last_floor_s, config.clock.scale))]
    try:
        clock = read_clock(folder, config.clock)
    except ConfigError as error:
        return [wrong("clock", str(error))]
    if is_behind(clock, config.clock, last_floor_s):
        return [wrong("clock", behind(folder, clock, last_floor_s or 0.0))]
    behind_s = (last_floor_s or 0.0) - clock.now_floor_s()
    if behind_s > 1.0:
        text = (
            f"the floor clock is {behind_s:,.0f} s behind the ledger's last event: floor time stands still until then"
        )
        return [warning("clock", f"{text}; look whether this machine's clock was set back")]
    return [ok("clock", "the floor clock is after the ledger's last event")]


def look_at_backups(backups: Path | None, centre: str) -> list[Finding]:
    """Say how old the newest whole backup is."""
    if backups is None:
        return [warning("backups", "no folder of backups was given: name it with --backups")]
    found = whole_backups(backups, centre)
    if not found:
        return [wrong("backups", f"{backups} holds no whole backup of {centre}: run `cardmill backup {backups}`")]
    age_s = time.time() - datetime.fromisoformat(read_manifest(found[-1]).taken_at).timestamp()
    text = f"the newest of {len(found)} is {age_s / 3_600:,.1f} h old"
    if age_s > BACKUP_OLD_S:
        return [warning("backups", f"{text}: run `cardmill backup {backups}` every day")]
    return [ok("backups", text)]
