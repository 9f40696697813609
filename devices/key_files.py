"""The files of keys: pairs and public halves, written whole or not at all, and read with care."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devices.folders import held_alone, sync_folder
from devices.keys import KeyFileError, KeyPair, curve_keypair, public_from_secret
from devices.peers import NAME, z85_bytes

LONGEST_FILE_BYTES = 256


def new_pair(folder: Path, name: str) -> KeyPair:
    """A fresh pair, kept as `<name>.secret` (mode 0600 from the start) and `<name>.public` in `folder`.

    Raises: KeyFileError: keys.bad_name, keys.exists, keys.io.
    """
    check_name(name)
    pair = curve_keypair()
    with locked(folder):
        for path in paths_of(folder, name):
            if path.exists():
                raise KeyFileError("keys.exists", path)
        write_pair(folder, name, pair)
    return pair


def read_pair(folder: Path, name: str) -> KeyPair:
    """The pair of `<folder>/<name>.secret`.

    Raises: KeyFileError: keys.bad_name, keys.missing, keys.mode, keys.bad_key, keys.io; keys.mismatch, where a
    `<name>.public` lies beside it that belongs to another secret.
    """
    check_name(name)
    secret_path, public_path = paths_of(folder, name)
    secret = read_key(secret_path, is_secret=True)
    pair = KeyPair(public_from_secret(secret), secret)
    if public_path.exists() and read_public(public_path) != pair.public:
        raise KeyFileError("keys.mismatch", public_path)
    return pair


def read_public(path: Path) -> str:
    """The key in a `.public` file.  Raises: KeyFileError: keys.missing, keys.bad_key, keys.io."""
    return read_key(path, is_secret=False)


def check_name(name: str) -> None:
    """Raises: KeyFileError keys.bad_name."""
    if not NAME.fullmatch(name):
        raise KeyFileError("keys.bad_name", repr(name))


def paths_of(folder: Path, name: str) -> tuple[Path, Path]:
    """Where the two halves of a pair are kept."""
    return folder / f"{name}.secret", folder / f"{name}.public"


def visible(folder: Path) -> list[Path]:
    """What is in a folder by name, but for what is hidden; of no folder, nothing."""
    return sorted(path for path in folder.iterdir() if path.name[0] != ".") if folder.exists() else []


def read_line(path: Path, *, is_secret: bool = False) -> str:
    """The text of a small file without blanks around it; of what is no file, nothing.

    Raises: KeyFileError: keys.missing, keys.io; keys.mode: others may use a secret.
    """
    # not blocking, or a pipe laid in place of the file would stop the service
    with explained(path), open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if is_secret and mode & 0o077:
            raise KeyFileError("keys.mode", shlex.quote(str(path)))
        return file.read(LONGEST_FILE_BYTES).decode("ascii", "replace").strip() if stat.S_ISREG(mode) else ""


def read_key(path: Path, *, is_secret: bool) -> str:
    """The key in a file.  Raises: KeyFileError: as `read_line`; keys.bad_key."""
    text = read_line(path, is_secret=is_secret)
    if z85_bytes(text) is None:
        raise KeyFileError("keys.bad_key", path)
    return text


def write_pair(folder: Path, name: str, pair: KeyPair) -> None:
    """Keep a pair; the folder is locked."""
    secret_path, public_path = paths_of(folder, name)
    write_line(secret_path, pair.secret, 0o600)
    write_line(public_path, pair.public, 0o644)


def write_line(path: Path, line: str, mode: int) -> None:
    """Put a file of one line in place whole and durable, or not at all; the folder is locked."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)  # left by a crash: under the lock nobody else is writing it
    try:
        with open(unfinished, "x", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove(path: Path) -> bool:
    """Whether a file was there; it is gone now, durably."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if need be and keep other processes from writing keys in it."""
    with explained(folder), held_alone(folder):
        yield


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What the system refuses becomes a KeyFileError keys.missing or keys.io."""
    try:
        yield
    except FileNotFoundError as error:
        raise KeyFileError("keys.missing", error.filename or path) from None
    except OSError as error:
        raise KeyFileError("keys.io", f"{error.filename or path}: {error.strerror}") from None
