"""How the moves about alarms change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import andon_moves as m
from controller.core.errors import UnknownThing
from controller.core.state import FloorState
from controller.core.taken import AlarmOwner


def _taken(state: FloorState, at: float, move: m.AlarmTaken) -> None:
    state.alarm_owners[move.key] = AlarmOwner(move.by, at, move.since_floor_s)


def _over(state: FloorState, at: float, move: m.AlarmOver) -> None:
    if state.alarm_owners.pop(move.key, None) is None:
        raise UnknownThing(f"no owner of the alarm {move.key}")


ANDON_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.AlarmTaken: _taken,
    m.AlarmOver: _over,
}
