"""Who a peer may be: the roles, the names, what people may be trusted with, and the fingerprint of a key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

UPSTREAM, STATION, OPERATOR = "upstream", "station", "operator"
ROLES = (UPSTREAM, STATION, OPERATOR)
ADMINISTRATOR = "administrator"
PERSON_ROLES = ("operator", "supervisor", "stock_keeper", "quality", "auditor", ADMINISTRATOR)  # of an OPERATOR's key
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
FINGERPRINT_CHARS = 16
LOOPBACK = re.compile(r"tcp://(127(\.\d{1,3}){3}|\[::1\]):.+|ipc://.+")  # nobody beyond this machine reaches it
BETWEEN_ROLES = re.compile(r"[\s,]+")

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
KEY_BYTES, KEY_CHARS = 32, 40
PRIME = 2**255 - 19  # of X25519


def read_roles(text: str) -> frozenset[str]:
    """The roles that a line names, apart by blanks or commas.  Raises: ValueError: its text is a word that is none."""
    words = frozenset(filter(None, BETWEEN_ROLES.split(text)))
    for word in sorted(words.difference(PERSON_ROLES)):
        raise ValueError(word)
    return words


def roles_line(roles: Iterable[str]) -> str:
    """The line that `read_roles` reads, in the order of PERSON_ROLES."""
    held = set(roles)
    return " ".join(role for role in PERSON_ROLES if role in held)


def key_text(key: bytes) -> str:
    """Z85 of a key's 32 bytes: each 4 bytes, big-endian, are 5 characters.  Source: ZeroMQ RFC 32."""
    words = [int.from_bytes(key[start : start + 4]) for start in range(0, KEY_BYTES, 4)]
    return "".join(Z85[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


def z85_bytes(key: str) -> bytes | None:
    """The 32 bytes of a key's Z85; None: its length, a character or a sum is wrong."""
    digits = [Z85.find(char) for char in key]
    if len(digits) != KEY_CHARS or min(digits) < 0:
        return None
    groups = [digits[start : start + 5] for start in range(0, KEY_CHARS, 5)]
    words = [sum(digit * 85**power for digit, power in zip(group, (4, 3, 2, 1, 0), strict=True)) for group in groups]
    return b"".join(word.to_bytes(4) for word in words) if max(words) < 1 << 32 else None


def is_public(key: str) -> bool:
    """Whether this is a public key, and the only spelling of it: a number below the prime.

    X25519 takes others modulo the prime and without their top bit, so one secret would have two keys, and two names.
    Source: RFC 7748, 5.
    """
    found = z85_bytes(key)
    return found is not None and int.from_bytes(found, "little") < PRIME


def fingerprint(public: str) -> str:
    """What people compare: the first 16 hex digits of the SHA-256 of a public key; of none, nothing."""
    key = z85_bytes(public)
    return hashlib.sha256(key).hexdigest()[:FINGERPRINT_CHARS] if key and is_public(public) else ""
