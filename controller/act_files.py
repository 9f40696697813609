"""What somebody did beside the running service, kept as files of a folder until the ledger has it.

Each act is a file of its own, durable before the act is done; the service records it, then removes the file.  An act
whose command was cut short is recorded although it may not have come to its end, and one whose file outlives a power
cut is recorded twice: too often is no loss, too seldom would be.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from controller.vault.keys import replace_private
from devices.folders import sync_folder

Act = TypeVar("Act")


def write_act(room: Path, act: Mapping[str, str]) -> None:
    """Make an act durable in a folder that lies in one which is there.  Raises: OSError."""
    if not room.exists():
        room.mkdir(mode=0o700)
        sync_folder(room.parent)
    replace_private(room / f"{secrets.token_hex(8)}.json", json.dumps(act).encode("ascii"))


def acts_in(room: Path, read: Callable[[Mapping[str, object]], Act | None]) -> list[tuple[Path, Act | None]]:
    """Give the acts that wait for the ledger, the oldest first; None stands for a file that cannot be read.

    `read` gives an act of its fields, or None or KeyError, TypeError, ValueError when they are no act's.
    """
    paths = sorted(room.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name)) if room.exists() else []
    return [(path, _act_in(path, read)) for path in paths]


def forget_act(path: Path) -> None:
    """Remove an act that the ledger has."""
    path.unlink(missing_ok=True)


def _act_in(path: Path, read: Callable[[Mapping[str, object]], Act | None]) -> Act | None:
    try:
        return read(json.loads(path.read_text("ascii")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
