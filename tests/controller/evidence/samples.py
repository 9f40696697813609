"""Receipts to be signed, by example and by hypothesis, and keys that are nobody's."""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from controller.evidence.public_keys import PublicKeys
from controller.evidence.signing import Signer
from controller.wire import Receipt

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32) for one in (1, 2))
SIGNER, OTHER_SIGNER = Signer(KEY, "cardmill"), Signer(OTHER, "cardmill")
KEYS = PublicKeys([KEY.public_key()])

texts = st.text(max_size=12)
counts = st.integers(-(2**53), 2**53)
receipts = st.builds(
    Receipt,
    number=counts,
    kind=texts,
    batch_number=texts,
    acceptance_number=texts,
    index=counts,
    case=counts,
    codes=st.lists(texts, max_size=3),
    fields=st.lists(texts, max_size=3),
    texts=st.lists(texts, max_size=3),
    counts=st.dictionaries(texts, counts, max_size=3),
    at_floor_s=st.floats(allow_nan=False, allow_infinity=False),
    chain=texts,
    revision=counts,
)


def receipt(number: int, upstream: str = "north", signer: Signer = SIGNER, **changes: object) -> Receipt:
    """Give a signed receipt."""
    plain = Receipt(
        number=number, kind="accepted", batch_number="5201020000002026031200001", index=number,
        acceptance_number=f"{number:022d}", at_floor_s=1_773_302_400.0 + number, chain=f"{number:064x}",
    )  # fmt: skip
    return signer.signed(msgspec.structs.replace(plain, **changes), upstream)


def lines_of(*receipts: Receipt) -> list[bytes]:
    """Give the lines that an upstream keeps."""
    return [msgspec.json.encode(one) + b"\n" for one in receipts]
