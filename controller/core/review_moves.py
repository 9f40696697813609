"""Moves about single applications: another one contests it, a person looks at it, its upstream wants it express."""

from __future__ import annotations

from controller.core.move import Move


class CardContested(Move, frozen=True, array_like=True, tag="contested"):
    """Another person's application came with an open card's identity number, and neither may have a card.

    From now on only two people let the card go on.  One that was accepted stops; `stops` is false for one that was
    held, or stopped, before.
    """

    card: int
    rival: int  # the number of the other application's card
    stops: bool


class ApplicationSeen(Move, frozen=True, array_like=True, tag="looked"):
    """A person looked at fields of an application, before or after its card was made."""

    card: int
    fields: list[str]
    by: str
    reason: str


class CardHastened(Move, frozen=True, array_like=True, tag="hastened"):
    """Its upstream asked that a card goes before the others: it is express from now on, and due by then."""

    card: int
    due_floor_s: float
    by: str
    reason: str


AnyReviewMove = CardContested | ApplicationSeen | CardHastened
