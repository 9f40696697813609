"""Folders whose files must outlive a power cut: made, their names made durable, and held by one process at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, durable, with those above it.  Raises: OSError."""
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.  Raises: OSError."""
    opened = _open(folder)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Make the folder if need be, and wait until no other process holds it so.  Raises: OSError."""
    make_folder(folder)
    lock = _open(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
