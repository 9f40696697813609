"""Tombs: which keys were destroyed, in a file of their own, so that no other file can bring one back unseen.

The file `vault.purged` is ASCII, mode 0600: a first line `cardmill destroyed keys 1`, then a line for each key (see
`key_line`).  A tomb is durable before its key is taken out of `vault.keys`; a key that has one is not taken from there
any more, whoever put it back.  It knows a key by a hash of it, so a number that is given again has a key of its own.
No backup holds this file, because an older one must never take its place; backups of keys carry its lines along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from controller.vault.errors import KeyFileDamaged
from controller.vault.key_line import Tomb, read_line
from controller.vault.keys import replace_private, require_private

TOMBS_NAME = "vault.purged"
HEADER = b"cardmill destroyed keys 1\n"


class Tombs:
    """The keys that were destroyed.  One thread at a time adds."""

    def __init__(self, path: Path) -> None:
        """Raises: KeyExposed, KeyFileDamaged."""
        self._path, self._content = path, HEADER
        self._all: set[Tomb] = set()
        self._batches: set[int] = set()
        if path.exists():
            require_private(path)
            self._content = path.read_bytes()
            self._take(self._read(self._content))

    def __iter__(self) -> Iterator[Tomb]:
        return iter(sorted(self._all))

    def __contains__(self, tomb: Tomb) -> bool:
        return tomb in self._all

    def has_batch(self, batch_id: int) -> bool:
        """Say whether a key of this batch was destroyed."""
        return batch_id in self._batches

    def add(self, tombs: Iterable[Tomb]) -> None:
        """Make more tombs durable.  Raises: OSError, and then there are none of them, or all."""
        fresh = set(tombs) - self._all
        if not fresh:
            return
        content = self._content + b"".join(tomb.line() for tomb in sorted(fresh))
        replace_private(self._path, content)
        self._content = content
        self._take(fresh)

    def _take(self, tombs: Iterable[Tomb]) -> None:
        for tomb in tombs:
            self._all.add(tomb)
            self._batches.add(tomb.batch_id)

    def _read(self, content: bytes) -> set[Tomb]:
        header, *lines = content.splitlines(keepends=True) or [b""]
        tombs = [read_line(line) for line in lines]
        whole = {tomb for tomb in tombs if isinstance(tomb, Tomb)}
        if header != HEADER or not all(isinstance(tomb, Tomb) for tomb in tombs):
            raise KeyFileDamaged(f"{self._path.name} is damaged: restore it with `cardmill keys restore`, or remove it")
        return whole
