"""What was sealed or read lately: a card at work is asked for again soon, and need not be looked up on the disk."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping

from controller.application import batch_of

APPLICATIONS_BYTES = 12 << 20  # some 700 with portraits of 17 KB: what lies between the encoders and the printers
CARDS_BYTES = 4 << 20  # some 2,500: what lies between the encoders and inspection


class AtHand:
    """Sealed rows by number, the newest of them up to a bound; for any thread.

    Only ciphertext lies here: a key that is destroyed closes it as it closes the file.  An application is read once
    the ledger says it is stored, and stays as it is from then on; a card that is encoded again is dropped first.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._rows: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "<AtHand>"

    def __len__(self) -> int:
        return len(self._rows)

    def keep(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Take rows as the newest; the oldest go."""
        with self._lock:
            for number, blob in rows:
                self._drop(number)
                self._rows[number] = blob
                self._bytes += len(blob)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._rows)))

    def find(self, numbers: Collection[int]) -> Mapping[int, bytes] | None:
        """Give these rows, None unless all of them are here."""
        found = {number: blob for number in numbers if (blob := self._rows.get(number)) is not None}
        return found if len(found) == len(numbers) else None

    def drop(self, numbers: Iterable[int]) -> None:
        """Let rows go that are to be stored again."""
        with self._lock:
            for number in numbers:
                self._drop(number)

    def forget(self, batch_ids: Collection[int]) -> None:
        """Let go of all rows of some batches."""
        with self._lock:
            for number in [number for number in self._rows if batch_of(number) in batch_ids]:
                self._drop(number)

    def _drop(self, number: int) -> None:
        blob = self._rows.pop(number, None)
        if blob is not None:
            self._bytes -= len(blob)
