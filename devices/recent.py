"""The newest numbers of a rising sequence: a bounded memory that answers "before" for what it forgot."""

from __future__ import annotations

from collections import deque


class RecentIds:
    """Remember the last `limit` numbers added; all up to the highest forgotten one count as remembered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._order: deque[int] = deque()
        self._ids: set[int] = set()
        self._forgotten = 0

    def add(self, number: int) -> None:
        """Remember a number (1 or more); one that is remembered already stays where it is."""
        if number in self:
            return
        self._ids.add(number)
        self._order.append(number)
        if len(self._order) > self._limit:
            oldest = self._order.popleft()
            self._ids.discard(oldest)
            self._forgotten = max(self._forgotten, oldest)

    def __contains__(self, number: int) -> bool:
        return number <= self._forgotten or number in self._ids

    def __len__(self) -> int:
        return len(self._ids)
