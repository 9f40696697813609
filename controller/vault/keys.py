"""Secret keys that stand in a file of their own: 32 random bytes, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from hashlib import blake2b
from pathlib import Path

from controller.vault.errors import KeyExposed, KeyFileDamaged
from devices.folders import sync_folder

KEY_BYTES = 32
FILE_MODE, PUBLIC_MODE = 0o600, 0o644
FINGERPRINT_BYTES = 8


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


def key_text(key: bytes) -> bytes:
    """Give what a key's file holds."""
    return f"{key.hex()}\n".encode("ascii")


def create_key(path: Path) -> bytes:
    """Make a new key, durable in a new file, and give it.  Raises: FileExistsError."""
    key = secrets.token_bytes(KEY_BYTES)
    create_private(path, key_text(key))  # never over an existing key
    return key


def create_private(path: Path, content: bytes) -> None:
    """Make a new file for its owner alone: durable on return, whole or not at all.  Raises: FileExistsError."""
    part = path.with_name(f"{path.name}.new")
    part.unlink(missing_ok=True)  # of an attempt that was cut short: nothing of it was ever used
    write_private(part, content)
    try:
        os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)


def fingerprint(key: bytes) -> str:
    """Give 16 hex digits by which people tell keys apart; nothing of the key can be had from them."""
    return blake2b(key, digest_size=FINGERPRINT_BYTES, person=b"cardmill key").hexdigest()


def write_private(path: Path, content: bytes) -> None:
    """Write a new file for its owner alone, its content durable; its name is so after `sync_folder`.

    Raises: FileExistsError.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def replace_private(path: Path, content: bytes) -> None:
    """Put a new content in the place of a file's: durable on return, and at any moment the old or the new, whole."""
    _replace(path, content, FILE_MODE)


def replace_public(path: Path, content: bytes) -> None:
    """Put a file in place as `replace_private` does, for everybody to read."""
    _replace(path, content, PUBLIC_MODE)


def require_private(path: Path) -> None:
    """Raises: KeyExposed: somebody but the owner may read or write the file."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyExposed(f"{path.name} has mode {mode:04o}: take it from others with `chmod 600`")


def _replace(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(f"{path.name}.new")
    part.unlink(missing_ok=True)
    write_private(part, content)
    part.chmod(mode)
    os.replace(part, path)
    sync_folder(path.parent)
