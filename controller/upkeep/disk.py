"""The disk under the data folder: watched, so that new work stops in time; a reserve is kept for ending the old.

Below `storage.free_min_mib` intake says `busy`.  The reserve is a file that holds `storage.reserve_mib` of the disk:
when less than a quarter of that is free it is emptied, so that receipts, stations' results and people's decisions can
still be written; it is made again once there is room for it above the limit of intake.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
import trio

from controller.config import StorageConfig

log = structlog.get_logger()

RESERVE_NAME = "reserve.fill"
LOOK_S = 2.0  # real seconds between two looks
BUSY_S = 10.0  # real seconds after which an upstream may ask again
MIB = 1 << 20
FULL_WORDS = ("SQLITE_FULL", "SQLITE_IOERR", "disk is full", "No space left", "File too large")
ADVICE = "free some space on the disk of the data folder, or look whether the disk is sound, then start the service"

FreeOf = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """Give the bytes that this process could still write under a folder.  Raises: OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def with_advice(sentence: str) -> str:
    """Give a sentence that ends the service with what to do, where the disk is why."""
    return f"{sentence}; {ADVICE}" if any(word in sentence for word in FULL_WORDS) else sentence


class DiskWatch:
    """How much is free, whether new work is let in, and the reserve.  Only the service's own process changes it.

    With PostgreSQL the database may lie on another disk, which this does not see.
    """

    def __init__(self, folder: Path, config: StorageConfig, free_of: FreeOf = free_bytes) -> None:
        self._folder, self._free_of, self._is_elsewhere = folder, free_of, bool(config.url)
        self._path = folder / RESERVE_NAME
        self._free_min_bytes, self._reserve_max_bytes = config.free_min_mib * MIB, config.reserve_mib * MIB
        self._floor_bytes = self._reserve_max_bytes // 4
        self.free_bytes = free_of(folder)
        self.reserve_bytes = self._held_bytes()
        self._was_low = False

    @property
    def is_low(self) -> bool:
        """Whether no new work is to be taken in."""
        return self.free_bytes < self._free_min_bytes

    @property
    def is_reserve_spent(self) -> bool:
        """Whether the reserve was given up and could not be made again yet: somebody must free space now."""
        return self.reserve_bytes < self._reserve_max_bytes

    def line(self) -> dict[str, Any]:
        """Give what operators see."""
        state = "reserve_given_up" if self.is_reserve_spent else "low" if self.is_low else "ok"
        return {
            "state": state,
            "free_bytes": self.free_bytes,
            "free_min_bytes": self._free_min_bytes,
            "reserve_bytes": self.reserve_bytes,
            "watched": "the data folder, not PostgreSQL's" if self._is_elsewhere else "the data folder",
        }

    def relieve(self) -> None:
        """Give the reserve up if the disk is nearly full: before the databases are opened, which write too."""
        self.free_bytes = self._free_of(self._folder)
        if self.reserve_bytes and self.free_bytes < self._floor_bytes:
            self._give_up()

    def look(self) -> None:
        """Look once, and give the reserve up or make it again, which may take seconds."""
        if self._see():
            self._make()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look every `LOOK_S` until cancelled."""
        if self._is_elsewhere:
            log.info("only the data folder's disk is watched: the database is PostgreSQL's")
        while True:
            if self._see():
                await trio.to_thread.run_sync(self._make)
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            await trio.sleep(LOOK_S)

    def _see(self) -> bool:
        """Look what is free; say whether the reserve is to be made and there is room for it."""
        self.relieve()
        missing = self._reserve_max_bytes - self.reserve_bytes
        if missing < 0:  # the settings ask for less than they did
            os.truncate(self._path, self._reserve_max_bytes)
            self.reserve_bytes = self._held_bytes()
        if self.is_low != self._was_low:
            self._was_low = self.is_low
            word = "disk low: nothing new is taken in" if self.is_low else "disk has room again"
            (log.warning if self.is_low else log.info)(word, free_bytes=self.free_bytes, needs=self._free_min_bytes)
        return missing > 0 and self.free_bytes >= self._free_min_bytes + missing

    # ---- the reserve -----------------------------------------------------------------------------------------

    def _held_bytes(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _give_up(self) -> None:
        os.truncate(self._path, 0)
        self.reserve_bytes, was_free = 0, self.free_bytes
        self.free_bytes = self._free_of(self._folder)
        log.error("disk.reserve_given_up", free_bytes=was_free, then_free_bytes=self.free_bytes, do=ADVICE)

    def _make(self) -> None:
        """Hold the reserve; without room for it nothing is held."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, self._reserve_max_bytes)
            os.fsync(file)
        except OSError as error:
            os.ftruncate(file, 0)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                log.warning("the reserve cannot be made", reason=error.strerror)
        finally:
            os.close(file)
        self.reserve_bytes = self._held_bytes()
        self.free_bytes = self._free_of(self._folder)
