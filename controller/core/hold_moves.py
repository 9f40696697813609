"""Moves about holds: a person keeps a card or a whole batch from being planned, packed and sent, or lets it go on."""

from __future__ import annotations

from controller.core.move import Move


class CardHeld(Move, frozen=True, array_like=True, tag="card_held"):
    """A person holds an open card: from now on it is put on no sheet, into no bundle and sent nowhere."""

    card: int
    code: str  # a short word that says why
    by: str


class CardReleased(Move, frozen=True, array_like=True, tag="card_released"):
    """A person lets a held card go on."""

    card: int
    by: str


class BatchHeld(Move, frozen=True, array_like=True, tag="batch_held"):
    """A person holds an open batch: all of its cards, as one hold."""

    batch_id: int
    code: str
    by: str


class BatchReleased(Move, frozen=True, array_like=True, tag="batch_released"):
    """A person lets a held batch go on; its cards with a hold of their own stay held."""

    batch_id: int
    by: str


AnyHoldMove = CardHeld | CardReleased | BatchHeld | BatchReleased
