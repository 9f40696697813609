"""The bytes that a receipt's signature is over; `docs/receipts.md` describes them for other languages."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from controller.wire import Receipt

DOMAIN = "cardmill receipt 1"  # no signature of anything else begins so
NOT_SIGNED = frozenset({"texts", "signature"})  # sentences follow from the codes, and may be worded better some day

_double = struct.Struct(">d")


def signed_bytes(receipt: Receipt) -> bytes:
    """Give what is signed of a receipt: each value as its length in decimal, `:`, its bytes and `,`.

    First the domain, then the fields in their order on the wire, but for `NOT_SIGNED`.  Two receipts that differ in a
    signed field have different bytes, because each value says where it ends and each list how much follows.
    Cost: 6 us.
    """
    return b"".join(
        (
            _text(DOMAIN),
            _integer(receipt.number),
            _text(receipt.kind),
            _text(receipt.batch_number),
            _text(receipt.acceptance_number),
            _integer(receipt.index),
            _integer(receipt.case),
            _texts(receipt.codes),
            _texts(receipt.fields),
            _counts(receipt.counts),
            _value(_double.pack(receipt.at_floor_s)),
            _text(receipt.chain),
            _integer(receipt.revision),
            _text(receipt.centre),
            _text(receipt.upstream),
            _text(receipt.signer),
        )
    )


def written(*texts: str) -> bytes:
    """Give texts one after another, each as such a value: what is signed of other things than receipts."""
    return b"".join(map(_text, texts))


def _value(raw: bytes) -> bytes:
    return b"%d:%b," % (len(raw), raw)


def _text(text: str) -> bytes:
    return _value(text.encode("utf-8"))


def _integer(number: int) -> bytes:
    return _value(b"%d" % number)


def _texts(texts: Iterable[str]) -> bytes:
    values = [_text(text) for text in texts]
    return b"".join((_integer(len(values)), *values))


def _counts(counts: Mapping[str, int]) -> bytes:
    pairs = sorted((name.encode("utf-8"), count) for name, count in counts.items())
    return b"".join((_integer(len(pairs)), *(_value(name) + _integer(count) for name, count in pairs)))
