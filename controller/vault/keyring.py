"""The key ring: one random key for each batch, wrapped by the master key, in an append-only text file of its own.

The file `vault.keys` is ASCII, mode 0600.  Its first line is `cardmill vault keys 1`, every other line is one key (see
`key_line`).  Lines are appended and synced before the key is used, so what stands torn at the end of the file after a
power cut was never used and is cut off.  The keys are in no database and in no backup of one: a batch whose line is
gone can never be read again.  Beside it `vault.purged` says which keys were destroyed (see `tombs`).
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.vault.errors import KeyFileDamaged, KeyMissing, VaultStopped, WrongMasterKey
from controller.vault.key_line import KeyLine, Tomb, mark_of, read_line, wrap
from controller.vault.keys import FILE_MODE, KEY_BYTES, replace_private, require_private
from controller.vault.tombs import TOMBS_NAME, Tombs
from devices.folders import sync_folder

HEADER = b"cardmill vault keys 1\n"


class KeyRing:
    """The keys of all batches, opened.  Any thread may ask."""

    def __init__(self, path: Path, master: bytes) -> None:
        """Raises: KeyExposed, KeyFileDamaged, WrongMasterKey."""
        self._path, self._master = path, AESGCM(master)
        self._lock = threading.Lock()
        self._keys: dict[int, AESGCM] = {}
        self._marks: dict[int, bytes] = {}
        self._lines: dict[int, KeyLine] = {}  # as they stand in the file, so that a new one is made at once
        self._is_broken = False
        self._barred: set[int] = set()  # purged in this run: what still works on them gets no new key
        self._is_stale = False  # the file still holds a key that was destroyed
        self.tombs = Tombs(path.with_name(TOMBS_NAME))
        self.came_back: set[int] = set()  # batches whose destroyed key stands in the file: `mend` takes it out
        self.torn_bytes = 0  # at the end of the file, to be cut off by `mend`
        if path.exists():
            require_private(path)
            for one in self._read(path.read_bytes()):
                self._unwrap(one)

    def __contains__(self, batch_id: int) -> bool:
        return batch_id in self._keys

    def batches(self) -> list[int]:
        """Give the batches that have a key."""
        with self._lock:
            return sorted(self._keys)

    def key(self, batch_id: int) -> AESGCM:
        """Give the key of a batch.  Raises: KeyMissing."""
        try:
            return self._keys[batch_id]
        except KeyError:
            why = "it was purged" if self.tombs.has_batch(batch_id) else "it was purged, or the key file is not whole"
            raise KeyMissing(f"batch {batch_id} has no key: {why}") from None

    def key_or_new(self, batch_id: int) -> AESGCM:
        """Give the key of a batch; a new one is durable before it is given.  Raises: VaultStopped, KeyMissing."""
        with self._lock:
            if batch_id in self._barred:
                raise KeyMissing(f"batch {batch_id} has no key: it was purged")
            if batch_id not in self._keys:
                secret = secrets.token_bytes(KEY_BYTES)
                one = wrap(self._master, batch_id, secret)
                self._append(one.line())
                self._keep(one, secret)
            return self._keys[batch_id]

    def bar(self, batch_ids: Collection[int]) -> None:
        """Give no new keys to batches as long as this ring is open."""
        with self._lock:
            self._barred.update(batch_ids)

    def require(self, batch_ids: Iterable[int]) -> None:
        """Raises: KeyMissing: one of these batches, whose rows are stored, has no key, and it was not destroyed."""
        lost = sorted(one for one in batch_ids if one not in self._keys and not self.tombs.has_batch(one))
        if lost:
            raise KeyMissing(
                f"{self._path.name} lacks the keys of {len(lost):,} {'batch' if len(lost) == 1 else 'batches'}, "
                f"the first is {lost[0]}: restore the file from its backup"
            )

    def destroy(self, batch_ids: Collection[int]) -> None:
        """Destroy the keys of batches: on return they are in no file, and no file can bring them back.

        A batch without a key is passed over.  Cut short at any moment, the next `mend` brings it to its end.
        Raises: VaultStopped: it may be done or not; ask again after the next start.
        """
        with self._lock:
            doomed = [one for one in batch_ids if one in self._keys]
            if not doomed and not self._is_stale:
                return
            try:
                self.tombs.add(Tomb(one, self._marks[one]) for one in doomed)
                self._is_stale = True
                self._forget_buried()
                self._rewrite()
            except OSError as error:
                raise VaultStopped(f"keys could not be destroyed: {error.strerror}") from error

    def take(self, added: Collection[KeyLine], tombs: Collection[Tomb]) -> None:
        """Take the keys and tombs of a backup; a key that has a tomb, or is here, is the caller's to leave out.

        Raises: OSError; then nothing is taken, or tombs alone, and the same may be asked again.
        """
        with self._lock:
            self.tombs.add(tombs)
            self._forget_buried()
            for one in added:
                self._unwrap(one)
            self._rewrite()

    def lines(self) -> list[KeyLine]:
        """Give the keys as the file holds them, those that were destroyed left out."""
        with self._lock:
            return list(self._lines.values())

    def wrapped_anew(self, master: bytes) -> bytes:
        """Give what the file would hold under another master key."""
        other = AESGCM(master)
        fresh = [wrap(other, one.batch_id, one.secret(self._master)).line() for one in self.lines()]
        return b"".join([HEADER, *fresh])

    def mend(self) -> None:
        """Make the file ready for appending: begun if it is new, without a torn end, without destroyed keys."""
        if self.came_back:
            self._rewrite()
            return
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

    def _forget_buried(self) -> None:
        for one in [batch_id for batch_id, mark in self._marks.items() if Tomb(batch_id, mark) in self.tombs]:
            del self._keys[one], self._marks[one], self._lines[one]

    def _rewrite(self) -> None:
        """Put a new file in the place of the old one, with the keys that still hold."""
        replace_private(self._path, b"".join([HEADER, *(one.line() for one in self._lines.values())]))
        self.torn_bytes, self._is_stale = 0, False

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

    def _read(self, content: bytes) -> list[KeyLine]:
        """Give the whole lines of a file's content, and note how many bytes are torn.  Raises: KeyFileDamaged."""
        lines = content.splitlines(keepends=True)
        if lines and not HEADER.startswith(lines[0]):
            raise KeyFileDamaged(f"{self._path.name} does not begin as a key file: restore it from its backup")
        good = 1 if lines and lines[0] == HEADER else 0
        read = [read_line(line) for line in lines[good:]]
        while read and not isinstance(read[-1], KeyLine):
            read.pop()
        whole = [one for one in read if isinstance(one, KeyLine)]
        if len(whole) != len(read):
            number = good + 1 + next(i for i, one in enumerate(read) if not isinstance(one, KeyLine))
            raise KeyFileDamaged(f"line {number} of {self._path.name} is damaged: restore the file from its backup")
        self.torn_bytes = sum(len(line) for line in lines[good + len(read) :])
        return whole

    def _unwrap(self, one: KeyLine) -> None:
        try:
            secret = one.secret(self._master)
        except InvalidTag:
            raise WrongMasterKey(
                f"{self._path.name} was written under another master key: put the right one back"
            ) from None
        if Tomb(one.batch_id, mark_of(secret)) in self.tombs:
            self.came_back.add(one.batch_id)
        else:
            self._keep(one, secret)

    def _keep(self, one: KeyLine, secret: bytes) -> None:
        self._keys[one.batch_id], self._marks[one.batch_id] = AESGCM(secret), mark_of(secret)
        self._lines[one.batch_id] = one
