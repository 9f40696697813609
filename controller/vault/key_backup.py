"""Backups of the key ring: wrapped keys with a last day, which a restore keeps to, and the tombs of destroyed ones.

    cardmill key backup 1
    created <YYYYMMDD, floor day>
    expires <YYYYMMDD, the last day it is taken>
    master <fingerprint of the master key, 16 hex digits>
    site <nonce, 24 hex digits> <wrapped site key, 96 hex digits>
    <the lines of keys and of destroyed ones, see `key_line`>
    check <SHA-256 of all before, 64 hex digits>

A batch that is closed after the backup was made may be purged one retention period later at the earliest; by then the
backup has expired.  Of one that was closed before, the ledger says when, whether it knows of the purge or not.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.vault.errors import BackupExpired, BackupUnusable, CannotWrite
from controller.vault.key_line import NONCE_BYTES, KeyLine, Tomb, mark_of, read_line
from controller.vault.keyring import KeyRing
from controller.vault.keys import create_private, fingerprint, require_private

LARGEST_FILE_BYTES = 64 << 20
FIRST_LINE = b"cardmill key backup 1\n"
_SITE = b"cardmill site key"
HEAD = re.compile(
    rb"cardmill key backup 1\n"
    rb"created (\d{8})\n"
    rb"expires (\d{8})\n"
    rb"master ([0-9a-f]{16})\n"
    rb"site ([0-9a-f]{24}) ([0-9a-f]{96})\n"
)


@dataclass(frozen=True, slots=True)
class KeyBackup:
    """What a backup of keys holds; all keys in it are wrapped by the master key of this fingerprint."""

    created: str  # YYYYMMDD, floor days
    expires: str
    fingerprint: str
    site: tuple[bytes, bytes] = field(repr=False)  # nonce, wrapped
    keys: tuple[KeyLine, ...] = field(repr=False)
    tombs: tuple[Tomb, ...] = field(repr=False)

    def site_key(self, master: bytes) -> bytes:
        """Give the site key.  Raises: BackupUnusable."""
        try:
            return AESGCM(master).decrypt(*self.site, _SITE)
        except InvalidTag:
            raise BackupUnusable("the site key in it does not open under its master key") from None

    def text(self) -> bytes:
        """Give the file's content."""
        head = f"cardmill key backup 1\ncreated {self.created}\nexpires {self.expires}\nmaster {self.fingerprint}\n"
        site = f"site {self.site[0].hex()} {self.site[1].hex()}\n"
        lines = [*(one.line() for one in self.keys), *(one.line() for one in self.tombs)]
        body = b"".join([head.encode("ascii"), site.encode("ascii"), *lines])
        return body + f"check {sha256(body).hexdigest()}\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup's keys."""

    added: int
    there: int  # before
    refused: int  # purged, or due to be


def backup_of(ring: KeyRing, master: bytes, site: bytes, created: str, expires: str) -> KeyBackup:
    """Give a backup of all that the ring holds now."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    wrapped = AESGCM(master).encrypt(nonce, site, _SITE)
    return KeyBackup(
        created, expires, fingerprint(master), (nonce, wrapped), tuple(ring.lines()), tuple(ring.tombs)
    )  # fmt: skip


def write_backup(path: Path, backup: KeyBackup) -> None:
    """Write a backup to a new file, mode 0600, whole or not at all.  Raises: CannotWrite."""
    try:
        create_private(path, backup.text())
    except FileExistsError:
        raise CannotWrite(f"{path} is there already, and no backup goes over another file: name a new one") from None
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written ({error.strerror}): name a file in a folder of yours") from None


def read_backup(path: Path) -> KeyBackup:
    """Give the backup of a file.  Raises: BackupUnusable, KeyExposed, OSError."""
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE_BYTES)
    if not content.startswith(FIRST_LINE):  # said before its mode: nobody should change that of another file
        raise BackupUnusable(f"{path.name} is no backup of keys: name a file that `cardmill keys backup` wrote")
    require_private(path)
    body, _, check = content.rpartition(b"check ")
    head = HEAD.match(body)
    lines = [read_line(line) for line in body[head.end() if head else 0 :].splitlines(keepends=True)]
    if head is None or check != f"{sha256(body).hexdigest()}\n".encode("ascii") or None in lines:
        raise BackupUnusable(f"{path.name} is no whole backup of keys: take another one")
    created, expires, mark = (head[place].decode() for place in (1, 2, 3))
    site = bytes.fromhex(head[4].decode()), bytes.fromhex(head[5].decode())
    keys = tuple(one for one in lines if isinstance(one, KeyLine))
    return KeyBackup(created, expires, mark, site, keys, tuple(one for one in lines if isinstance(one, Tomb)))


def require_usable(backup: KeyBackup, master: bytes, today: str) -> None:
    """Raises: BackupExpired; BackupUnusable: it is wrapped by another master key."""
    if today > backup.expires:
        raise BackupExpired(
            f"this backup of keys was to be used until {backup.expires}: what it opens may be purged since, "
            "so it is never taken again"
        )
    if fingerprint(master) != backup.fingerprint:
        raise BackupUnusable(
            f"it was made under the master key {backup.fingerprint}, the one here is {fingerprint(master)}: "
            "only that key opens it"
        )


def restore(
    backup: KeyBackup,
    ring: KeyRing,
    master: bytes,
    barred_of: Callable[[Collection[int]], Collection[int]],
    before_writing: Callable[[], None] = lambda: None,
) -> Restored:
    """Add to the ring what it lacks of a usable backup, and bury what may not come back.

    `barred_of` says which of some batches were purged, or closed longer ago than data is kept.
    Raises: BackupUnusable, OSError.
    """
    marked = _marked(backup, master)
    barred = set(barred_of([one.batch_id for one, _ in marked]))
    # what the ring itself still has is a purge's to destroy
    graves = {*backup.tombs, *(tomb for _, tomb in marked if tomb.batch_id in barred and tomb.batch_id not in ring)}
    live = [one for one, tomb in marked if tomb not in graves and tomb not in ring.tombs]
    added = [one for one in live if one.batch_id not in ring]
    before_writing()
    ring.take(added, graves)
    return Restored(len(added), len(live) - len(added), len(marked) - len(live))


def _marked(backup: KeyBackup, master: bytes) -> list[tuple[KeyLine, Tomb]]:
    """Give each key with the tomb it would have."""
    opener = AESGCM(master)
    try:
        return [(one, Tomb(one.batch_id, mark_of(one.secret(opener)))) for one in backup.keys]
    except InvalidTag:
        raise BackupUnusable("a key in it does not open under its master key") from None
