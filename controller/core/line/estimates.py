"""The estimator: a fold of the ledger's moves into the sums that a pretend line is made of, of bounded size."""

from __future__ import annotations

from controller.core.line.figures import Estimates
from controller.core.moves import AnyMove


class Estimator:
    """Folds every move of a ledger, in order; whatever came before it was made it does not know."""

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        raise NotImplementedError

    def estimates(self) -> Estimates:
        """Give what the moves so far say, a copy of its own."""
        raise NotImplementedError
