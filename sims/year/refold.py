"""Law 7 on sampled weeks: books as a week began with them, its moves folded again, against the books in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date

from controller.config import Config
from controller.core.moves import AnyMove
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.upkeep.books import Books, decode_books, encode_books
from sims.year.broken import Broken

EVERY_WEEKS = 13  # one week of so many is folded again, the first one among them
WEEK_DAYS = 7


class Refold:
    """Folds what it is shown, on the days that are sampled, and compares at each day's end."""

    def __init__(self, books: Books, config: Config, first: date, broken: Broken) -> None:
        self._books, self._config, self._first, self._broken = books, config, first, broken
        self._again: Books | None = None
        self.days = 0  # compared

    def begin(self, day: date) -> None:
        """Hear that a day begins: a sampled week begins with a copy, by way of what a snapshot holds."""
        passed = (day - self._first).days
        week, weekday = divmod(passed, WEEK_DAYS)
        if week % EVERY_WEEKS:
            self._again = None
        elif not weekday:
            self._again = decode_books(encode_books(self._books), self._config)

    def saw(self, at_floor_s: float, moves: Sequence[AnyMove]) -> None:
        """Take the moves of one turn."""
        if self._again is not None:
            self._again.fold([(at_floor_s, move) for move in moves])

    def end(self, day: date) -> None:
        """Compare, field by field, what was folded again of a day."""
        again = self._again
        if again is None:
            return
        self.days += 1
        again.foreman.state.drift.signals.clear()  # the foreman acted on them, the fold of moves does not
        pairs = ((FloorState, again.foreman.state, self._books.foreman.state), (Tally, again.tally, self._books.tally))
        for kind, folded, used in pairs:
            for one in fields(kind):
                if getattr(folded, one.name) != getattr(used, one.name):
                    self._broken.note("law 7", f"{day}: folding the moves gives another {kind.__name__}.{one.name}")

    def over(self) -> None:
        """Hear that the year is over: where no day was compared nothing was shown."""
        if not self.days:
            self._broken.note("law 7", "no day was folded again, so nothing was compared")
