"""How the moves about the record itself change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import record_moves as m
from controller.core.errors import UnknownThing
from controller.core.state import FloorState

# stations, manifests and people's notes hold numbers of these that a restored ledger does not know to be used
OUTSIDE_NUMBERS = (
    *("job", "sheet", "bundle", "consignment", "issue", "act"),
    *("destruction", "shift", "count", "arrival", "purge"),
)


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
    state.altered = sorted({*state.altered, *move.altered} - {batch_id for batch_id, _ in move.batches})


def _keys_changed(state: FloorState, at: float, move: m.VaultKeysChanged) -> None:
    """Do nothing: the floor knows no keys."""


def _account_changed(state: FloorState, at: float, move: m.AccountChanged) -> None:
    """Do nothing: the floor knows people by the names that their acts carry."""


def _restored(state: FloorState, at: float, move: m.LedgerRestored) -> None:
    for noun in OUTSIDE_NUMBERS:
        state.last_id[noun] += move.step
    for queue in state.waiting.values():
        queue.clear()  # what lay there is suspect by the next moves
    state.restored_step, state.reconciling = move.step, True


def _reconciled(state: FloorState, at: float, move: m.RestoreReconciled) -> None:
    state.reconciling = False


RECORD_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.TablesFolded: _folded,
    m.PurgeApproved: _approved,
    m.BatchesPurged: _purged,
    m.VaultKeysChanged: _keys_changed,
    m.AccountChanged: _account_changed,
    m.LedgerRestored: _restored,
    m.RestoreReconciled: _reconciled,
}
