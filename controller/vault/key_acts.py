"""What people did to the vault's keys and to the receipts' beside a running service, kept until the ledger has it.

Each act is a file of its own in `key_acts/`, durable before the act is done; the service records it, then removes the
file.  An act whose command was cut short is recorded although it may not have come to its end, and one whose file
outlives a power cut is recorded twice: too often is no loss, too seldom would be.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from controller.vault.keys import replace_private, sync_folder

FOLDER = "key_acts"
ROTATED, EXPORTED, BACKED_UP, RESTORED = "rotated", "exported", "backed_up", "restored"
RECEIPTS_ROTATED = "receipts_rotated"  # the key that signs receipts, which is none of the vault's
ACTS = (ROTATED, EXPORTED, BACKED_UP, RESTORED, RECEIPTS_ROTATED)
LONGEST_NAME = 32


@dataclass(frozen=True, slots=True)
class KeyAct:
    """Who did what to the keys."""

    what: str
    by: str


def note_act(folder: Path, act: KeyAct) -> None:
    """Make an act durable, before it is done.  Raises: OSError."""
    room = folder / FOLDER
    if not room.exists():
        room.mkdir(mode=0o700)
        sync_folder(folder)
    replace_private(room / f"{secrets.token_hex(8)}.json", json.dumps(asdict(act)).encode("ascii"))


def noted_acts(folder: Path) -> list[tuple[Path, KeyAct | None]]:
    """Give the acts that wait for the ledger, the oldest first; None stands for a file that cannot be read."""
    room = folder / FOLDER
    paths = sorted(room.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name)) if room.exists() else []
    return [(path, _read(path)) for path in paths]


def forget_act(path: Path) -> None:
    """Remove an act that the ledger has."""
    path.unlink(missing_ok=True)


def _read(path: Path) -> KeyAct | None:
    try:
        found = json.loads(path.read_text("ascii"))
        act = KeyAct(str(found["what"]), str(found["by"])[:LONGEST_NAME])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return act if act.what in ACTS else None
