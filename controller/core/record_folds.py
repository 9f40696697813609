"""How the moves about the record itself change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import record_moves as m
from controller.core.errors import UnknownThing
from controller.core.state import FloorState


def _folded(state: FloorState, at: float, move: m.TablesFolded) -> None:
    state.folded_day = move.day


def _approved(state: FloorState, at: float, move: m.PurgeApproved) -> None:
    state.used_id("purge", move.purge_id)
    state.purges[move.purge_id] = move.closed_before_floor_s


def _purged(state: FloorState, at: float, move: m.BatchesPurged) -> None:
    if move.purge_id not in state.purges:
        raise UnknownThing(f"purge {move.purge_id}")
    if move.is_last:
        del state.purges[move.purge_id]


def _keys_changed(state: FloorState, at: float, move: m.VaultKeysChanged) -> None:
    """Do nothing: the floor knows no keys."""


RECORD_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.TablesFolded: _folded,
    m.PurgeApproved: _approved,
    m.BatchesPurged: _purged,
    m.VaultKeysChanged: _keys_changed,
}
