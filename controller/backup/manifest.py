"""The manifest of a backup, `backup.json`: what it holds, how far it goes, and the digests of its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from controller.backup.errors import BackupDamaged

NAME = "backup.json"
FORMAT = 1
LEDGER_FILE, VAULT_FILE = "ledger.db", "vault.db"
PIECE_BYTES = 1 << 20

Progress = Callable[[str, int, int], None]
"""(what is done, bytes or rows done, of how many); must return at once."""


def tell_nobody(what: str, done: int, whole: int) -> None:
    """Say nothing of how far it is."""


class CopiedFile(msgspec.Struct, frozen=True):
    """One database file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is.  Nothing of a person and nothing of a key is in it."""

    format: int = FORMAT
    program: str
    centre: str
    simulated: bool
    engine: str  # that it was copied from: sqlite or postgresql; the files are SQLite's either way
    taken_at: str  # real time, UTC
    schema: int
    vault_schema: int
    head_seq: int
    head_hash: str
    event_seq: int
    event_hash: str
    floor_s: float  # of the last event
    receipts: dict[str, int]  # upstream -> its last receipt
    clock: dict[str, float]  # the floor clock's anchor, as the data folder had it
    files: dict[str, CopiedFile]
    audited: bool  # the whole ledger was verified, not its end alone


def program_version() -> str:
    """Give the version of this program."""
    try:
        return version("cardmill")
    except PackageNotFoundError:
        return "unknown"


def digest_of(path: Path, tell: Progress = tell_nobody) -> CopiedFile:
    """Give size and SHA-256 of a file.  Raises: OSError."""
    digest, done, whole = hashlib.sha256(), 0, path.stat().st_size
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            tell(f"digest of {path.name}", done, whole)
    return CopiedFile(done, digest.hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, durably.  Raises: OSError."""
    with open(folder / NAME, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Give the manifest of a backup.  Raises: BackupDamaged: there is none, or it is not what this program wrote."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupDamaged(f"{folder} is no whole backup: there is no {NAME}; choose another one") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BackupDamaged(f"{NAME} of {folder} cannot be read ({type(error).__name__}): choose another one") from None
    if found.format != FORMAT:
        raise BackupDamaged(
            f"this backup has format {found.format}, this program reads {FORMAT}: use the newer program"
        )
    if set(found.files) != {LEDGER_FILE, VAULT_FILE}:
        raise BackupDamaged(f"{NAME} does not name {LEDGER_FILE} and {VAULT_FILE}: choose another backup")
    return found


def check_files(folder: Path, manifest: Manifest, tell: Progress = tell_nobody) -> None:
    """Compare the files of a backup with their digests.  Raises: BackupDamaged, OSError."""
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise BackupDamaged(f"{name} is missing in {folder}: choose another backup")
        if digest_of(path, tell) != wanted:
            raise BackupDamaged(f"{name} is not what was copied, its digest differs: choose another backup")
