"""The key files of a data folder: opened as one, rotated, and put back, so that at any moment one pair opens.

`master.key` wraps what stands in `vault.keys`.  A rotation writes `vault.keys.next`, wrapped by the key in
`master.key.next`, then puts the first in its place, then the second.  Cut short in between, the next opening finds out
which master key opens `vault.keys` and ends the rotation, or takes it back.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from controller.vault.errors import KeyMissing, MasterKeyThere, WrongMasterKey
from controller.vault.keyring import KeyRing
from controller.vault.keys import (
    KEY_BYTES,
    create_key,
    fingerprint,
    key_text,
    load_key,
    replace_private,
)
from devices.folders import sync_folder

MASTER_KEY_NAME = "master.key"
SITE_KEY_NAME = "site.key"
KEYRING_NAME = "vault.keys"
NEXT = ".next"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The keys of a data folder: what opens the ring, the ring, and the key of the digests (law 8)."""

    master: bytes = field(repr=False)
    ring: KeyRing = field(repr=False)
    site: bytes = field(repr=False)


def open_key_files(folder: Path, *, may_create: bool) -> KeyFiles:
    """Open the keys of a folder that this process holds locked; master and site key are made if they may be.

    Raises: KeyMissing, KeyExposed, KeyFileDamaged, WrongMasterKey.
    """
    master, site = (_key(folder / name, may_create) for name in (MASTER_KEY_NAME, SITE_KEY_NAME))
    master, ring = _pair(folder, master)
    _settle(folder, master)
    return KeyFiles(master, ring, site)


def read_ring(folder: Path) -> tuple[bytes, KeyRing]:
    """Give master key and ring as they stand, and write nothing: others may hold the folder.  As `open_key_files`."""
    return _pair(folder, _key(folder / MASTER_KEY_NAME, may_create=False))


def rotate_master(folder: Path, before_writing: Callable[[], None] = lambda: None) -> str:
    """Wrap all batch keys by a new master key, and give its fingerprint.  Raises: as `open_key_files`; OSError."""
    files = open_key_files(folder, may_create=False)
    before_writing()
    files.ring.mend()
    fresh = secrets.token_bytes(KEY_BYTES)
    replace_private(folder / f"{KEYRING_NAME}{NEXT}", files.ring.wrapped_anew(fresh))
    replace_private(folder / f"{MASTER_KEY_NAME}{NEXT}", key_text(fresh))
    _put_in_place(folder, KEYRING_NAME)  # from here on the new one holds
    _put_in_place(folder, MASTER_KEY_NAME)
    return fingerprint(fresh)


def put_master_back(folder: Path, master: bytes, before_writing: Callable[[], None] = lambda: None) -> bool:
    """Put a master key back that is gone or wrong; say whether that was needed.

    Raises: WrongMasterKey: it does not open `vault.keys`.  MasterKeyThere: the one that is there does.  KeyFileDamaged,
    OSError.
    """
    path = folder / MASTER_KEY_NAME
    there = load_key(path)
    if there == master:
        return False
    if there is not None and _opens(folder, there):
        raise MasterKeyThere(f"{MASTER_KEY_NAME} is there and opens {KEYRING_NAME}: these shares are of an earlier one")
    KeyRing(folder / KEYRING_NAME, master)
    before_writing()
    replace_private(path, key_text(master))
    return True


def _opens(folder: Path, master: bytes) -> bool:
    try:
        _pair(folder, master)
    except WrongMasterKey:
        return False
    return True


def _pair(folder: Path, master: bytes) -> tuple[bytes, KeyRing]:
    """Give the master key that opens the ring, and the ring: after a rotation was cut short it may be the next one."""
    path = folder / KEYRING_NAME
    try:
        return master, KeyRing(path, master)
    except WrongMasterKey:
        fresh = load_key(folder / f"{MASTER_KEY_NAME}{NEXT}")
        if fresh is None:
            raise
        return fresh, KeyRing(path, fresh)


def _settle(folder: Path, master: bytes) -> None:
    """End a rotation whose ring is in place, or take back one that did not come so far."""
    path = folder / f"{MASTER_KEY_NAME}{NEXT}"
    if path.exists() and load_key(path) == master:
        _put_in_place(folder, MASTER_KEY_NAME)
    for name in (KEYRING_NAME, MASTER_KEY_NAME):
        for rest in (f"{name}{NEXT}", f"{name}{NEXT}.new", f"{name}.new"):
            (folder / rest).unlink(missing_ok=True)


def _put_in_place(folder: Path, name: str) -> None:
    os.replace(folder / f"{name}{NEXT}", folder / name)
    sync_folder(folder)


def _key(path: Path, may_create: bool) -> bytes:
    key = load_key(path)
    if key is not None:
        return key
    if not may_create:
        raise KeyMissing(f"{path.name} is gone, and what it opens is still there: restore it from its backup")
    return create_key(path)
