"""The lock on a data folder: one process at a time works in it, and the kernel lets go of it whatever happens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.ledger.errors import LedgerInUse

LOCK_NAME = "cardmill.lock"


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder, made if need be, for this process.  Its lock file stays behind: what counts is the lock.

    Raises: LedgerInUse: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerInUse(str(folder), _owner(file)) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def _owner(file: int) -> int:
    """Give the process number that the holder wrote, 0 if it did not come to that."""
    text = os.pread(file, 20, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else 0
