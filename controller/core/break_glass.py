"""Breaking the glass: one person takes a role in an emergency, for an hour, and everybody learns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import rights_events as e
from controller.core import rights_moves as m
from controller.core.turn import Turn
from devices.peers import PERSON_ROLES

GLASS_S = 3_600.0  # floor seconds that a role is taken for: longer is no emergency, it wants a key with that role
REASONS: Mapping[str, tuple[str, str]] = {  # why; a fixed list, so that no free text gets into the ledger
    "nobody_there": ("无人在岗", "nobody who has the role can be reached"),
    "key_lost": ("密钥失效", "the key of whoever has the role is lost, or was revoked"),
    "danger": ("人身或卡体危险", "people, blanks or cards are in danger"),
    "standstill": ("生产停顿", "the floor stands still until somebody decides"),
}


def _glass_asked(turn: Turn, event: e.GlassAsked) -> None:
    """Give the role; asked for again before its time has passed it lasts no longer, or one hour would become many."""
    if event.reason not in REASONS:
        turn.refuse("glass.reason", f"why you take a role is one of: {', '.join(REASONS)}")
    elif event.role not in PERSON_ROLES:
        turn.refuse("glass.role", f"a role is one of: {', '.join(PERSON_ROLES)}")
    elif event.role in turn.state.glass.get(event.by, {}):
        turn.refuse("glass.taken", "you have taken this role already: its time is in `cardmill rights`")
    else:
        turn.record(m.GlassBroken(event.by, event.role, event.reason, turn.now_floor_s + GLASS_S))


def _attempt_refused(turn: Turn, event: e.AttemptRefused) -> None:
    turn.record(m.Denied(event.by, event.verb, event.act, event.code, event.count))


def mend_glass(turn: Turn) -> None:
    """End the roles that were taken and whose time has passed."""
    for name, taken in list(turn.state.glass.items()):
        for role, glass in list(taken.items()):
            if glass.until_floor_s <= turn.now_floor_s:
                turn.record(m.GlassMended(name, role))
            else:
                turn.wake_at(glass.until_floor_s)


RIGHTS_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.AttemptRefused: _attempt_refused,
    e.GlassAsked: _glass_asked,
}
