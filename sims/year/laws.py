"""The laws of a year together: they see every move once, in order, and none of the fold's code."""

from __future__ import annotations

from collections.abc import Iterable

from controller.core.moves import AnyMove
from sims.year.blank_laws import BlankLaws
from sims.year.broken import Broken
from sims.year.card_laws import CardLaws


class Laws:
    """Follows moves; `broken` has what went against a law."""

    def __init__(self) -> None:
        self.broken = Broken()
        self.blanks = BlankLaws(self.broken)
        self.cards = CardLaws(self.broken, self.blanks)
        self._last_floor_s = 0.0

    def see(self, at_floor_s: float, moves: Iterable[AnyMove]) -> None:
        """Take the moves of one turn."""
        if at_floor_s < self._last_floor_s:
            self.broken.note("law 7", f"a stamp of {at_floor_s} after one of {self._last_floor_s}")
        self._last_floor_s = at_floor_s
        blanks, cards = self.blanks.follow, self.cards.follow
        for move in moves:
            kind = type(move)
            try:
                if (about_blanks := blanks.get(kind)) is not None:
                    about_blanks(move)
                if (about_cards := cards.get(kind)) is not None:
                    about_cards(at_floor_s, move)
            except (KeyError, IndexError) as error:  # of what is over, or never was
                self.broken.note("law 1 or 2", f"a move of kind {kind.__name__} names {error}, which is not there")
