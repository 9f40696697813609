"""A card's stand-in for application, record, portrait and face: a few bytes each, as different as real ones are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b, sha256

import msgspec

from controller.application import control_mark
from controller.ledger.inbox import InboxRow
from encoders.envelope import Opener, pack


class Token(msgspec.Struct, frozen=True, array_like=True):
    """What an upstream sends instead of an application: no person, no picture, but an identity of its own."""

    acceptance_number: str
    identity: int
    person: int
    unit: str
    codes: list[str] = []
    fields: list[str] = []
    express: bool = False


@dataclass(frozen=True, slots=True)
class TokenCard:
    """What is made of a token: bytes that stand for the chip's record and portrait."""

    record: bytes
    portrait: bytes


_tokens: Opener[Token] = Opener(Token)


def row_of(index: int, encoded: bytes) -> InboxRow:
    """Give what the inbox keeps of a token.  `controller.intake.examination` does this for real applications."""
    token = _tokens.unpack(encoded)
    return InboxRow(
        index,
        token.acceptance_number,
        sha256(encoded).digest(),
        _digest(token.identity),
        _digest(token.identity, token.person),
        token.unit,
        token.express,
        "11",
        token.codes,
        token.fields,
    )


def card_of(encoded: bytes) -> TokenCard:
    """Give what stands for the chip's content of one token."""
    made = blake2b(encoded, digest_size=16).digest()
    return TokenCard(made[:8], made[8:])


def face_of(card: int) -> bytes:
    """Give what stands for a face: its control mark, which pairs both sides."""
    return control_mark(card).encode()


def _digest(*parts: int) -> bytes:
    return blake2b(pack(parts), digest_size=16).digest()
