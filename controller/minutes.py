"""At most one row a minute of each thing that happens, however often it happens, and none of it uncounted."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

MINUTE_S = 60.0

Thing = TypeVar("Thing", bound=Hashable)


@dataclass(slots=True)
class _Row:
    told_s: float
    untold: int = 0


class Minutes(Generic[Thing]):
    """Counts.  The first of a kind is told at once, the others together when its minute is over.

    What is kept is bounded by the kinds there are; whoever adds what others name sees to that, by `is_kept` and `len`.
    """

    def __init__(self) -> None:
        self._rows: dict[Thing, _Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def is_kept(self, thing: Thing) -> bool:
        """Say whether a minute of this kind is open."""
        return thing in self._rows

    def add(self, thing: Thing, now_s: float) -> int:
        """Take one more; give how often it is to be told now, 0 when it waits."""
        row = self._rows.get(thing)
        if row is not None and now_s - row.told_s < MINUTE_S:
            row.untold += 1
            return 0
        times = 1 + (row.untold if row else 0)
        self._rows[thing] = _Row(now_s)
        return times

    def due(self, now_s: float) -> list[tuple[Thing, int]]:
        """Give what waited for its minute to end, with how often it was; its next minute begins."""
        found = []
        for thing, row in list(self._rows.items()):
            if now_s - row.told_s < MINUTE_S:
                continue
            if row.untold:
                found.append((thing, row.untold))
                self._rows[thing] = _Row(now_s)
            else:
                del self._rows[thing]
        return found
