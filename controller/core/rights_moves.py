"""Moves about who may do what: refused attempts, and roles that were taken in an emergency."""

from __future__ import annotations

from controller.core.move import Move


class Denied(Move, frozen=True, array_like=True, tag="denied"):
    """Somebody tried what is not theirs to do, and nothing came of it.

    `verb` is one that exists, `act` the act that `act`, `second` or `withdraw` was about (empty: none that exists),
    `code` the refusal's; `count` attempts alike since the row before.  Nothing else of the request is kept.
    """

    by: str
    verb: str
    act: str
    code: str
    count: int


class GlassBroken(Move, frozen=True, array_like=True, tag="glass_broken"):
    """A person took a role in an emergency, alone, until a time: an alarm; two-person acts still take two people."""

    by: str
    role: str
    reason: str
    until_floor_s: float


class GlassMended(Move, frozen=True, array_like=True, tag="glass_mended"):
    """The time of a role that was taken in an emergency has passed."""

    by: str
    role: str


AnyRightsMove = Denied | GlassBroken | GlassMended
