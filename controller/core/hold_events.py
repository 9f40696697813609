"""Events by which a person holds a card or a batch, and lets it go on."""

from __future__ import annotations

from controller.core.event import Event


class CardHoldAsked(Event, frozen=True, array_like=True, tag="hold_card"):
    """A person wants a card to go no further; `code` is a short word that says why."""

    card: int
    code: str
    by: str


class CardReleaseAsked(Event, frozen=True, array_like=True, tag="release_card"):
    """A person looked into it: a held card may go on."""

    card: int
    by: str


class BatchHoldAsked(Event, frozen=True, array_like=True, tag="hold_batch"):
    """A person wants all of a batch to go no further."""

    batch_id: int
    code: str
    by: str


class BatchReleaseAsked(Event, frozen=True, array_like=True, tag="release_batch"):
    """A person looked into it: a held batch may go on."""

    batch_id: int
    by: str


AnyHoldEvent = CardHoldAsked | CardReleaseAsked | BatchHoldAsked | BatchReleaseAsked
