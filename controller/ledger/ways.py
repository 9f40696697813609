"""The ways of cards in the state tables: the core's table of moves in plain text, with the receipts they call for."""

from __future__ import annotations

from typing import NamedTuple

from controller.core.cards import MOVES
from controller.ledger.receipts import kind_of


class Way(NamedTuple):
    """What a cause does to cards: from which states, to which one, and the receipt it calls for, if any."""

    before: frozenset[str]
    after: str
    kind: str | None


def way_of(cause: str) -> Way:
    """Give the core's table for one cause.  Raises: ValueError: it leads to several states, or to several receipts."""
    ways = {before: after for (before, name), after in MOVES.items() if name == cause}
    [(after, kind)] = {(after.value, kind_of(before, after)) for before, after in ways.items()}
    return Way(frozenset(before.value for before in ways), after, kind)


WAYS = {cause: way_of(cause) for _, cause in MOVES}
