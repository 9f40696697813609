"""What a data folder must hold before a service opens anything in it: both databases or neither, and no backup's files.

A start that is refused here has not written a byte: a backup stays what it was, and no empty database is begun beside
the one that is left.
"""

from __future__ import annotations

from pathlib import Path

from controller.backup.errors import NotRestored
from controller.backup.manifest import NAME as BACKUP_NAME
from controller.ledger.errors import LedgerDamaged
from controller.ledger.store import ledger_place
from controller.vault.key_files import KEYRING_NAME
from controller.vault.store import vault_place

PUT_BACK = "put it back, or restore a backup with `cardmill restore`"


def require_own_files(folder: Path, url: str = "") -> None:
    """Make sure that a service may open the folder, and write nothing.

    Raises: NotRestored: the folder is a backup.  LedgerDamaged: one of the two databases is gone.
    """
    if (folder / BACKUP_NAME).exists():
        raise NotRestored(
            f"{folder} holds {BACKUP_NAME}, these are the files of a backup: restore them with `cardmill restore` into "
            "a data folder of their own, and start on that one"
        )
    lost = lost_ledger(folder, url) or lost_vault(folder, url)
    if lost:
        raise LedgerDamaged(lost)


def lost_ledger(folder: Path, url: str = "") -> str:
    """Give the sentence about a ledger that is gone, nothing where it is there or was never begun."""
    ledger, vault = ledger_place(folder, url).path, vault_place(folder, url).path
    if url or ledger.exists() or not (vault.exists() or _has_keys(folder)):
        return ""
    beside = vault.name if vault.exists() else KEYRING_NAME
    return f"{ledger.name} is gone, and {beside} beside it is still there: {PUT_BACK}"


def lost_vault(folder: Path, url: str = "", *, has_moves: bool = False) -> str:
    """Give the sentence about a vault that is gone; `has_moves`: the ledger has some, so there was one."""
    vault = vault_place(folder, url).path
    if url or vault.exists() or not (has_moves or _has_keys(folder)):
        return ""
    beside = KEYRING_NAME if _has_keys(folder) else "a ledger with moves"
    return f"{vault.name} is gone, and {beside} beside it is still there: {PUT_BACK}"


def _has_keys(folder: Path) -> bool:
    """Say whether keys of batches were ever written: an empty file is left by a first start that was cut short."""
    path = folder / KEYRING_NAME
    return path.exists() and path.stat().st_size > 0
