"""How the moves about who may do what change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import rights_moves as m
from controller.core.errors import UnknownThing
from controller.core.state import FloorState
from controller.core.taken import Glass


def _denied(state: FloorState, at: float, move: m.Denied) -> None:
    """Do nothing: it is recorded for the audit."""


def _broken(state: FloorState, at: float, move: m.GlassBroken) -> None:
    state.glass.setdefault(move.by, {})[move.role] = Glass(move.reason, at, move.until_floor_s)


def _mended(state: FloorState, at: float, move: m.GlassMended) -> None:
    taken = state.glass.get(move.by, {})
    if taken.pop(move.role, None) is None:
        raise UnknownThing(f"no role {move.role} that {move.by} took")
    if not taken:
        del state.glass[move.by]


RIGHTS_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.Denied: _denied,
    m.GlassBroken: _broken,
    m.GlassMended: _mended,
}
