"""Who takes care of an alarm: the foreman records it, and that it is over; that it stands is for the desk to see.

Some alarms rest on counts and on the machine, which the foreman does not know; so what stands is found outside of it,
from the same state, and no time passes between the look and the event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import andon_events as e
from controller.core import andon_moves as m
from controller.core.turn import Turn

OWNERS_MAX = 1_000  # more than the list of alarms is ever long


def _owned(turn: Turn, event: e.AlarmOwned) -> None:
    owners = turn.state.alarm_owners
    known = owners.get(event.key)
    if known is not None and known.by == event.by:
        turn.refuse("alarm.owned", "you take care of this alarm already: see `cardmill alarms`")
    elif known is None and len(owners) >= OWNERS_MAX:
        turn.refuse("alarm.too_many", "too many alarms have an owner: end the causes of some of them first")
    else:
        turn.record(m.AlarmTaken(event.key, event.since_floor_s, event.by))


def _ended(turn: Turn, event: e.AlarmsEnded) -> None:
    for key in dict.fromkeys(event.keys):
        if key in turn.state.alarm_owners:
            turn.record(m.AlarmOver(key))


ANDON_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.AlarmOwned: _owned,
    e.AlarmsEnded: _ended,
}
