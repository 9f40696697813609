"""The newest numbers of a rising sequence: a bounded memory that answers "before" for what it forgot."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class RecentIds:
    """Remember the `limit` highest numbers added; all up to the highest forgotten one count as remembered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ids = array("q")  # rising: eight bytes a number, a tenth of what a set and a queue take
        self._forgotten = 0

    def add(self, number: int) -> None:
        """Remember a number, 1 to 2**53."""
        if number in self:
            return
        self._ids.insert(bisect_left(self._ids, number), number)
        if len(self._ids) > self._limit:
            self._forgotten = self._ids.pop(0)

    def __contains__(self, number: int) -> bool:
        if number <= self._forgotten:
            return True
        place = bisect_left(self._ids, number)
        return place < len(self._ids) and self._ids[place] == number

    def __len__(self) -> int:
        return len(self._ids)
