"""What people did to the vault's keys and to the receipts' beside a running service, kept until the ledger has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from controller.act_files import acts_in, write_act

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
    write_act(folder / FOLDER, asdict(act))


def noted_acts(folder: Path) -> list[tuple[Path, KeyAct | None]]:
    """Give the acts that wait for the ledger, the oldest first; None stands for a file that cannot be read."""
    return acts_in(folder / FOLDER, _read)


def _read(found: Mapping[str, object]) -> KeyAct | None:
    act = KeyAct(str(found["what"]), str(found["by"])[:LONGEST_NAME])
    return act if act.what in ACTS else None
