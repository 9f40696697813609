"""How the moves about the keys of the doors change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import key_moves as m
from controller.core.errors import UnknownThing
from controller.core.peer_keys import PeerKey
from controller.core.state import FloorState


def _allowed(state: FloorState, at: float, move: m.KeyAllowed) -> None:
    known = state.peer_keys.of(move.role, move.name)
    next_public = known.next_public if known and known.public == move.public else ""
    key = PeerKey(move.public, next_public, list(move.roles), at, move.where)
    state.peer_keys.put(move.role, move.name, key)
    state.peer_keys.note(move.role, move.name, move.where, at)


def _revoked(state: FloorState, at: float, move: m.KeyRevoked) -> None:
    state.peer_keys.remove(move.role, move.name)
    state.peer_keys.note(move.role, move.name, move.where, at)


def _rotated(state: FloorState, at: float, move: m.KeyRotated) -> None:
    known = state.peer_keys.of(move.role, move.name)
    if known is None:
        raise UnknownThing(f"no keys of {move.role} {move.name}")
    key = PeerKey(move.public, move.next_public, known.roles, at, move.where)
    state.peer_keys.put(move.role, move.name, key)
    state.peer_keys.note(move.role, move.name, move.where, at)


def _in_place(state: FloorState, at: float, move: m.KeyInPlace) -> None:
    if (move.role, move.name) not in state.peer_keys.pending:
        raise UnknownThing(f"no change of the keys of {move.role} {move.name}")
    state.peer_keys.pending.remove((move.role, move.name))


KEY_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.KeyAllowed: _allowed,
    m.KeyRevoked: _revoked,
    m.KeyRotated: _rotated,
    m.KeyInPlace: _in_place,
}
