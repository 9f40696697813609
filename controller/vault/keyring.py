"""The key ring: one random key for each batch, wrapped by the master key, in an append-only text file of its own.

The file `vault.keys` is ASCII, mode 0600.  Its first line is `cardmill vault keys 1`.  Every other line is one key:

    <batch number> <nonce, 24 hex digits> <wrapped key, 96 hex digits> <CRC-32 of the line up to here, 8 hex digits>

The wrapped key is AES-256-GCM of the 32-byte batch key under the master key, its 16-byte tag at the end, with the
text `cardmill batch key <batch number>` as associated data.  Lines are appended and synced before the key is used, so
what stands torn at the end of the file after a power cut was never used and is cut off.  The keys are in no database
and in no backup of one: a batch whose line is gone can never be read again.
"""

from __future__ import annotations

import os
import secrets
import threading
from binascii import crc32
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.vault.errors import KeyFileDamaged, KeyMissing, VaultStopped, WrongMasterKey
from controller.vault.keys import FILE_MODE, KEY_BYTES, require_private, sync_folder

HEADER = b"cardmill vault keys 1\n"
NONCE_BYTES = 12
TAG_BYTES = 16


class KeyRing:
    """The keys of all batches, opened.  Any thread may ask."""

    def __init__(self, path: Path, master: bytes) -> None:
        """Raises: KeyExposed, KeyFileDamaged, WrongMasterKey."""
        self._path, self._master = path, AESGCM(master)
        self._lock = threading.Lock()
        self._keys: dict[int, AESGCM] = {}
        self._is_broken = False
        self.torn_bytes = 0  # at the end of the file, to be cut off by `mend`
        if path.exists():
            require_private(path)
            self._load(path.read_bytes())

    def __contains__(self, batch_id: int) -> bool:
        return batch_id in self._keys

    def key(self, batch_id: int) -> AESGCM:
        """Give the key of a batch.  Raises: KeyMissing."""
        try:
            return self._keys[batch_id]
        except KeyError:
            raise KeyMissing(f"batch {batch_id} has no key: it was purged, or the key file is not whole") from None

    def key_or_new(self, batch_id: int) -> AESGCM:
        """Give the key of a batch; a new one is durable before it is given.  Raises: VaultStopped."""
        with self._lock:
            if batch_id not in self._keys:
                secret = secrets.token_bytes(KEY_BYTES)
                self._append(self._line(batch_id, secret))
                self._keys[batch_id] = AESGCM(secret)
            return self._keys[batch_id]

    def require(self, batch_ids: Iterable[int]) -> None:
        """Raises: KeyMissing: one of these batches, whose rows are stored, has no key."""
        lost = sorted(batch_id for batch_id in batch_ids if batch_id not in self._keys)
        if lost:
            raise KeyMissing(
                f"{self._path.name} lacks the keys of {len(lost)} batches, the first is {lost[0]}: "
                "restore the file from its backup"
            )

    def mend(self) -> None:
        """Make the file ready for appending: begun if it is new, and without a torn end."""
        whole = self._path.stat().st_size - self.torn_bytes if self._path.exists() else 0
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            os.ftruncate(file, whole)
            if whole == 0:
                os.pwrite(file, HEADER, 0)
            os.fsync(file)
        finally:
            os.close(file)
        sync_folder(self._path.parent)
        self.torn_bytes = 0

    def _append(self, line: bytes) -> None:
        if self._is_broken:
            raise VaultStopped(f"{self._path.name} could not be written before: restart the service")
        self._is_broken = True  # until it went well: a torn line is mended by the next start alone
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            try:
                written = os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise VaultStopped(f"{self._path.name} could not be written: {error.strerror}") from error
        if written != len(line):
            raise VaultStopped(f"{self._path.name} could not be written whole: the disk is full")
        self._is_broken = False

    def _line(self, batch_id: int, secret: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = self._master.encrypt(nonce, secret, _bound_to(batch_id))
        text = f"{batch_id} {nonce.hex()} {wrapped.hex()}".encode("ascii")
        return b"%b %08x\n" % (text, crc32(text))

    def _load(self, content: bytes) -> None:
        lines = content.splitlines(keepends=True)
        if lines and not HEADER.startswith(lines[0]):
            raise KeyFileDamaged(f"{self._path.name} does not begin as a key file: restore it from its backup")
        good = 1 if lines and lines[0] == HEADER else 0
        fields = [_fields(line) for line in lines[good:]]
        while fields and fields[-1] is None:
            fields.pop()
        for number, field in enumerate(fields, good + 1):
            if field is None:
                raise KeyFileDamaged(f"line {number} of {self._path.name} is damaged: restore the file from its backup")
            self._unwrap(*field)
        self.torn_bytes = sum(len(line) for line in lines[good + len(fields) :])

    def _unwrap(self, batch_id: int, nonce: bytes, wrapped: bytes) -> None:
        try:
            self._keys[batch_id] = AESGCM(self._master.decrypt(nonce, wrapped, _bound_to(batch_id)))
        except InvalidTag:
            raise WrongMasterKey(
                f"{self._path.name} was written under another master key: put the right one back"
            ) from None


def _bound_to(batch_id: int) -> bytes:
    return f"cardmill batch key {batch_id}".encode("ascii")


def _fields(line: bytes) -> tuple[int, bytes, bytes] | None:
    """Give batch number, nonce and wrapped key of a line, or None when it is torn or damaged."""
    text, _, check = line.rpartition(b" ")
    parts = text.split(b" ")
    if len(parts) != 3 or check != b"%08x\n" % crc32(text):
        return None
    try:
        batch_id, nonce, wrapped = int(parts[0]), bytes.fromhex(parts[1].decode()), bytes.fromhex(parts[2].decode())
    except ValueError:
        return None
    if len(nonce) != NONCE_BYTES or len(wrapped) != KEY_BYTES + TAG_BYTES:
        return None
    return batch_id, nonce, wrapped
