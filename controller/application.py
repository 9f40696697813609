"""One person's request for one card, as it stands on the wire."""

from __future__ import annotations

import msgspec

LAST_INDEX = 9_999  # a batch holds 1 to 10,000 applications
CARD_IDS_PER_BATCH = 10_000
ACCEPTANCE_DIGITS, BATCH_DIGITS = 22, 25  # of an acceptance number and of a batch's: both are text


class Application(msgspec.Struct, frozen=True):
    """The wire fields (DESIGN.md 8): all text, dates `YYYYMMDD`, only the portrait is bytes.

    A missing field is an empty one: the checks refuse it by its code, so that the peer learns all
    faults of a record at once.  Unknown fields are ignored.
    """

    acceptance_number: str = ""
    card_kind: str = ""
    identity_number: str = ""
    name: str = ""
    sex: str = ""
    ethnic: str = ""
    birth: str = ""
    address: str = ""
    address_county: str = ""
    authority: str = ""
    valid_from: str = ""
    valid_until: str = ""
    reason: str = ""
    production_type: str = ""
    fee_class: str = ""
    unit: str = ""
    portrait: bytes = b""

    def __repr__(self) -> str:
        """Say that an application is here, and nothing about the person (law 8)."""
        return "<Application>"


def card_id(batch_id: int, index: int) -> int:
    """Give the number by which the floor knows the application at `index` (0 to 9,999) of a batch."""
    return batch_id * CARD_IDS_PER_BATCH + index


def batch_of(card: int) -> int:
    """Give the batch a card belongs to."""
    return card // CARD_IDS_PER_BATCH


def index_of(card: int) -> int:
    """Give the place of a card's application in its batch, from 0."""
    return card % CARD_IDS_PER_BATCH


def control_mark(card: int) -> str:
    """Give the mark that pairs both sides of a face: the card's number on this floor."""
    return str(card)
