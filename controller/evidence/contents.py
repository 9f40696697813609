"""What a file of receipts said under each number: as many as there are, on disk and not in memory."""

from __future__ import annotations

import sqlite3
from types import TracebackType

CACHE_KIB = 16_384  # of memory; what is beyond lies in a file that has no name and goes with the process
_TABLE = "CREATE TABLE content (stream INTEGER, number TEXT, digest BLOB, PRIMARY KEY (stream, number)) WITHOUT ROWID"


class Contents:
    """The digest of the first content of each number, by stream.  Of one thread."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("", isolation_level=None)  # a temporary database of its own
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._kept.execute(f"PRAGMA {pragma}")
        self._kept.execute(_TABLE)
        self._kept.execute("BEGIN")

    def __enter__(self) -> Contents:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._kept.close()

    def first_of(self, stream: int, number: int, digest: bytes) -> bytes | None:
        """Give what was kept under this number before, None when nothing was: then this is kept.

        Cost: 5 us.  Raises: sqlite3.Error: the disk is full.
        """
        key = (stream, str(number))  # a number may be longer than SQLite's integers
        done = self._kept.execute("INSERT INTO content VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (*key, digest))
        if done.rowcount:
            return None
        row = self._kept.execute("SELECT digest FROM content WHERE stream = ? AND number = ?", key).fetchone()
        before: bytes = row[0]
        return before
