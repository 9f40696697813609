"""Mutations: from good bytes to bytes that are wrong in the ways that hurt decoders, all from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

GROWN_MAX_BYTES = 1 << 16  # what a mutation may make of small bytes; large ones only shrink or stay
NEST_MAX = 4_000
HEAD_BYTES = 1_024  # headers stand there: half of all places are chosen among these
TELLING = (0x00, 0x01, 0x7F, 0x80, 0x90, 0xA0, 0xC0, 0xC1, 0xD9, 0xDA, 0xFE, 0xFF, 0x0A, 0x22, 0x2C, 0x5B, 0x7B)
LENGTHS = tuple(
    value.to_bytes(size, "big") for size in (1, 2, 4) for value in (0, 1, 2 ** (8 * size - 1), 256**size - 1)
)
# heads of msgpack arrays, maps, texts, bytes and extensions, which say more than follows; openings of JSON, TOML, XML
LYING = (
    *(b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xde\xff\xff", b"\xdb\xff\xff\xff\xff"),
    *(b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x05", b"\xc7\xff\x01", b"\xd8\x00", b"\xcb\x7f\xf8" + bytes(6)),
    *(
        b"\xcf" + b"\xff" * 8,
        b"\xd3\x80" + bytes(7),
        b"9" * 5_000,
        b"1e999",
        b"\\ud800",
        b"\xed\xa0\x80",
        b'"""',
        b"\xef\xbb\xbf",
    ),
)
NESTS = (b"\x91", b"\x81\xa1a", b"[", b'{"a":', b"a=[", b"<a>", b"a.", b"\x92\xc0")

Mutate = Callable[[bytearray, Sequence[bytes], Random], bytearray]


def mutated(seeds: Sequence[bytes], rng: Random) -> bytes:
    """Give one of the seeds after one to four mutations."""
    body = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        body = rng.choice(MUTATIONS)(body, seeds, rng)
    return bytes(body)


def _place(body: bytearray, rng: Random) -> int:
    room = len(body) + 1
    return rng.randrange(min(room, HEAD_BYTES) if rng.random() < 0.5 else room)


def _flip(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    if body:
        body[_place(body, rng) % len(body)] ^= 1 << rng.randrange(8)
    return body


def _set(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    if body:
        body[_place(body, rng) % len(body)] = rng.choice(TELLING) if rng.random() < 0.5 else rng.randrange(256)
    return body


def _set_length(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    at, length = _place(body, rng), rng.choice(LENGTHS)
    body[at : at + len(length)] = length
    return body


def _truncate(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    return body[: _place(body, rng)]


def _delete(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    at = _place(body, rng)
    del body[at : at + rng.choice((1, 2, 8, 64, 1_000))]
    return body


def _splice(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    other = rng.choice(seeds)
    return body[: _place(body, rng)] + other[rng.randrange(len(other) + 1) :]


def _repeat(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    at = _place(body, rng)
    piece = body[at : at + rng.choice((1, 4, 30, 300))]
    times = min(rng.choice((1, 2, 20, 2_000)), max(0, GROWN_MAX_BYTES - len(body)) // max(1, len(piece)))
    return body[:at] + piece * times + body[at:]


def _lie(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    at, lie = _place(body, rng), rng.choice(LYING)
    body[at : at + rng.choice((0, 1, len(lie)))] = lie
    return body


def _nest(body: bytearray, seeds: Sequence[bytes], rng: Random) -> bytearray:
    nest, at = rng.choice(NESTS), _place(body, rng)
    times = min(rng.choice((2, 70, NEST_MAX)), max(0, GROWN_MAX_BYTES - len(body)) // len(nest))
    return body[:at] + nest * times + body[at:]


MUTATIONS: tuple[Mutate, ...] = (
    *(_flip, _flip, _flip, _set, _set, _set_length, _truncate, _delete, _splice, _repeat, _lie, _nest),
)
