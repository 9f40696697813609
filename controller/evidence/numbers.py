"""Which receipt numbers of one upstream a file holds, as runs without a gap."""

from __future__ import annotations

from bisect import bisect_right

from controller.evidence.errors import Unreadable

RUNS_MAX = 100_000


class Numbers:
    """A set of numbers that is small where they follow each other."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    @property
    def first(self) -> int:
        """Give the least number."""
        return self._firsts[0]

    @property
    def last(self) -> int:
        """Give the greatest number."""
        return self._lasts[-1]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def add(self, first: int, last: int) -> None:
        """Take the numbers from `first` to `last`.  Raises: Unreadable: they have too many gaps to be kept."""
        begin = bisect_right(self._firsts, first) - 1
        if begin < 0 or self._lasts[begin] < first - 1:
            begin += 1
        end = bisect_right(self._firsts, last + 1)
        if begin < end:  # it touches these runs
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end], self._lasts[begin:end] = [first], [last]
        if len(self._firsts) > RUNS_MAX:
            raise Unreadable(f"more than {RUNS_MAX:,} gaps between its numbers: this is no file of one upstream")

    def gaps(self) -> list[tuple[int, int]]:
        """Give the numbers that lack between the least and the greatest, as (first, last)."""
        return [(last + 1, first - 1) for last, first in zip(self._lasts, self._firsts[1:], strict=False)]
