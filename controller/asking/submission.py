"""What a batch's sender computes: the bytes of each application and the digest that closes the batch."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from controller.application import Application
from encoders.envelope import pack


def encode_application(application: Application) -> bytes:
    """Give one application as it travels: a msgpack map with all wire fields, empty ones too.

    Raises: UnicodeEncodeError: a text holds a lone surrogate, which msgpack text cannot carry.
    """
    return pack(application)


def batch_digest(encoded: Iterable[bytes]) -> str:
    """Give the digest of a batch from its encoded applications in order, as 64 lower-case hex digits.

    It is SHA-256 over the applications' own SHA-256 digests, so a receiver can check it without keeping the
    applications together.  Source: `controller.wire.OpenBatch`.
    """
    whole = sha256()
    for application in encoded:
        whole.update(sha256(application).digest())
    return whole.hexdigest()
