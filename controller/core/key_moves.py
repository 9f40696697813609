"""Moves about the keys of the doors: who may connect, by which key, and what a person may do."""

from __future__ import annotations

from controller.core.move import Move


class KeyAllowed(Move, frozen=True, array_like=True, tag="key_allowed"):
    """A peer may connect by this public key, and a person has these roles from now on.

    `where`: `act`, two people approved it and the folder follows; `folder`, it was found in the folder of keys, put
    there past the service; `setup`, likewise, before any administrator was known.  Only `act` has people.
    """

    role: str
    name: str
    public: str
    roles: list[str]
    by: str
    second: str
    where: str


class KeyRevoked(Move, frozen=True, array_like=True, tag="key_revoked"):
    """A peer may not connect any more, by none of its keys; `where` as of `KeyAllowed`."""

    role: str
    name: str
    public: str  # the key it had
    by: str
    second: str
    where: str


class KeyRotated(Move, frozen=True, array_like=True, tag="key_rotated"):
    """A peer's keys change: `next_public` may connect too, or, when that is empty, `public` is the only one again."""

    role: str
    name: str
    public: str
    next_public: str
    by: str
    second: str
    where: str


class KeyInPlace(Move, frozen=True, array_like=True, tag="key_in_place"):
    """What two people approved for a peer stands in the folder of keys now."""

    role: str
    name: str


AnyKeyMove = KeyAllowed | KeyRevoked | KeyRotated | KeyInPlace
