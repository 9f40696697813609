"""Signatures of receipts, worked out from the words of `docs/receipts.md` alone: no code of the service is asked."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sims.conformance.errors import ConformanceError

_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)
_FIELDS: tuple[tuple[str, Any], ...] = (  # in the order of the page's table; missing keys take its defaults
    *(("number", 0), ("kind", ""), ("batch_number", ""), ("acceptance_number", ""), ("index", -1), ("case", 0)),
    *(("codes", []), ("fields", []), ("counts", {}), ("at_floor_s", 0.0), ("chain", ""), ("revision", 0)),
    *(("centre", ""), ("upstream", ""), ("signer", "")),
)


def signer_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """Give the keys of a `receipts.public` file by their ids.  Raises: ConformanceError: it holds none; OSError."""
    try:
        found = [load_pem_public_key(block) for block in _BLOCK.findall(path.read_bytes())]
    except ValueError:
        found = []
    keys = [key for key in found if isinstance(key, Ed25519PublicKey)]
    if not keys:
        raise ConformanceError(f"{path.name} holds no Ed25519 public key in PEM")
    return {sha256(key.public_bytes_raw()).hexdigest()[:16]: key for key in keys}


def is_signed_by(receipt: Mapping[str, Any], key: Ed25519PublicKey) -> bool:
    """Say whether a receipt, as the map that came, carries a good signature of a key."""
    values = ["cardmill receipt 1", *(receipt.get(name, default) for name, default in _FIELDS)]
    values[_PLACE_OF_TIME] = float(values[_PLACE_OF_TIME])
    try:
        key.verify(receipt["signature"], b"".join(map(_as_bytes, values)))
    except InvalidSignature:
        return False
    return True


def _as_bytes(value: Any) -> bytes:
    match value:
        case list():
            return _as_bytes(len(value)) + b"".join(map(_as_bytes, value))
        case dict():
            pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-8"))
            return _as_bytes(len(pairs)) + b"".join(_as_bytes(name) + _as_bytes(count) for name, count in pairs)
        case float():
            raw = struct.pack("!d", value)
        case _:
            raw = str(value).encode("utf-8")
    return str(len(raw)).encode("ascii") + b":" + raw + b","


_PLACE_OF_TIME = 1 + [name for name, _ in _FIELDS].index("at_floor_s")
