"""Who came in earlier batches of one file: kept in memory, from nothing, by the rules of the service's history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.checks.duplicates import Known, Person, Standing


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch that came before: its place, its content, and the day on which it is judged."""

    turn: int
    content: bytes
    received_on: str


class History:
    """The accepted and held of earlier batches, all open still; the numbers of the refused.

    A batch sees what came before its own turn, so that one that is sent again sees what it saw the first time.
    Memory: about 400 bytes an application.
    """

    def __init__(self) -> None:
        self._open: defaultdict[bytes, list[tuple[int, str, bytes]]] = defaultdict(list)
        self._taken: dict[str, int] = {}
        self._batches: dict[str, Seen] = {}

    def seen(self, batch_number: str) -> Seen | None:
        """Give the first batch of a number."""
        return self._batches.get(batch_number)

    def meet(self, batch_number: str, content: bytes, received_on: str) -> Seen:
        """Give a batch its turn, after all others."""
        return self._batches.setdefault(batch_number, Seen(len(self._batches), content, received_on))

    @property
    def turn(self) -> int:
        """Give the turn of a batch that would come now."""
        return len(self._batches)

    def known(self, rows: Iterable[Person], before: int) -> list[Known]:
        """Give what shares a number with one of the rows and came before a turn."""
        found: dict[tuple[str, bytes], Known] = {}
        looked_up: set[bytes] = set()
        for row in rows:
            if row.identity not in looked_up:
                looked_up.add(row.identity)
                for turn, number, person in self._open.get(row.identity, ()):
                    if turn < before:
                        found[number, row.identity] = Known(number, row.identity, person, Standing.OPEN)
            if self._taken.get(row.acceptance_number, before) < before:
                ended = Known(row.acceptance_number, b"", b"", Standing.ENDED)
                found[row.acceptance_number, b""] = ended
        return list(found.values())

    def enter(self, rows: Sequence[Person], are_open: Sequence[bool], turn: int) -> None:
        """Take a batch in: every acceptance number is used from now on, the numbers of the open ones are held."""
        for row, is_open in zip(rows, are_open, strict=True):
            if row.acceptance_number:
                self._taken.setdefault(row.acceptance_number, turn)
            if is_open:
                self._open[row.identity].append((turn, row.acceptance_number, row.person))
