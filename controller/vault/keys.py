"""Secret keys that stand in a file of their own: 32 random bytes, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from controller.vault.errors import KeyExposed, KeyFileDamaged

KEY_BYTES = 32
FILE_MODE = 0o600


def load_key(path: Path) -> bytes | None:
    """Give the key in a file, which holds it as 64 hex digits, or None when there is no file.

    Raises: KeyExposed, KeyFileDamaged.
    """
    if not path.exists():
        return None
    require_private(path)
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:  # a UnicodeDecodeError is one too
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileDamaged(f"{path.name} does not hold {KEY_BYTES} bytes in hex digits: restore it from its backup")
    return key


def create_key(path: Path) -> bytes:
    """Make a new key, durable in a new file, and give it.  Raises: FileExistsError."""
    key = secrets.token_bytes(KEY_BYTES)
    part = path.with_name(f"{path.name}.new")
    part.unlink(missing_ok=True)  # of a start that was cut short: no key of it was ever used
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        os.write(file, f"{key.hex()}\n".encode("ascii"))
        os.fsync(file)
    finally:
        os.close(file)
    os.link(part, path)  # never over an existing key, and whole or not at all
    part.unlink()
    sync_folder(path.parent)
    return key


def require_private(path: Path) -> None:
    """Raises: KeyExposed: somebody but the owner may read or write the file."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyExposed(f"{path.name} has mode {mode:04o}: take it from others with `chmod 600`")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
