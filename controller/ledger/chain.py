"""The audit chain: each move carries the hash of all moves before it and of itself (law 9)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from controller.core.moves import AnyMove
from encoders.envelope import pack

HASH_BYTES = 32

_stamp = Struct(">d").pack
_number = Struct(">q").pack


class Head(NamedTuple):
    """The end of a chain: how many moves there are, and the last one's hash."""

    seq: int
    hash: bytes


GENESIS = Head(0, bytes(HASH_BYTES))


def link(previous: bytes, at_floor_s: float, body: bytes) -> bytes:
    """Give the hash (32 bytes) of a move from its predecessor's hash, its floor time and its msgpack body.

    It is BLAKE2b-256 over the three, the time as 8-byte big-endian IEEE 754; nothing of keys, nonces or commit
    groups is in it, so equal runs have equal heads.
    Raises: TypeError, struct.error: not bytes, or not a number.
    """
    # adding zero turns -0.0, which no database keeps, into 0.0
    return blake2b(previous + _stamp(at_floor_s + 0.0) + body, digest_size=HASH_BYTES).digest()


def event_link(previous: bytes, at_floor_s: float, move_seq_after: int, body: bytes) -> bytes:
    """Give the hash (32 bytes) of an event, whose chain beside the moves' own shows what was heard.

    It is BLAKE2b-256 over the hash before, the floor time, the last move's number (8 bytes, big-endian) and the body.
    Raises: TypeError, struct.error: not bytes, or not numbers.
    """
    stamps = _stamp(at_floor_s + 0.0) + _number(move_seq_after)
    return blake2b(previous + stamps + body, digest_size=HASH_BYTES).digest()


def head_of(moves: Iterable[tuple[float, AnyMove]], start: Head = GENESIS) -> Head:
    """Give the head after `moves`: the digest of a ledger that holds them."""
    seq, head = start
    for at_floor_s, move in moves:
        seq, head = seq + 1, link(head, at_floor_s, pack(move))
    return Head(seq, head)
