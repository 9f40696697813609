"""Seals: one plaintext to one blob and back, bound to the number it is stored under."""

from __future__ import annotations

import secrets
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.vault.errors import Tampered

FORMAT = b"\x01"
NONCE_BYTES = 12
OVERHEAD_BYTES = len(FORMAT) + NONCE_BYTES + 16


class Kind(Enum):
    """What a sealed row holds."""

    APPLICATION = b"application"
    CARD = b"card"


def seal(key: AESGCM, kind: Kind, number: int, plain: bytes) -> bytes:
    """Give format byte, random nonce (12 bytes) and AES-256-GCM of `plain` with its tag.

    Kind and number are associated data: a blob stored under another number does not open.  With at most some
    20,000 seals under one batch key, two equal nonces are not to be expected (below 2**-67).
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + key.encrypt(nonce, plain, _bound_to(kind, number))


def unseal(key: AESGCM, kind: Kind, number: int, blob: bytes) -> bytes:
    """Give what was sealed.  Raises: Tampered."""
    nonce = blob[1 : 1 + NONCE_BYTES]
    try:
        if blob[:1] != FORMAT or len(blob) < OVERHEAD_BYTES:
            raise InvalidTag
        return key.decrypt(nonce, blob[1 + NONCE_BYTES :], _bound_to(kind, number))
    except InvalidTag:
        raise Tampered(f"the sealed {kind.name.lower()} {number} is not what was stored") from None


def _bound_to(kind: Kind, number: int) -> bytes:
    return b"cardmill %b %d" % (kind.value, number)
