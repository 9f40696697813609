"""Verbs of rights: who may what and who you are, and a role that is taken in an emergency."""

from __future__ import annotations

from typing import Any

import structlog

from controller import rights
from controller.core.break_glass import REASONS
from controller.core.rights_events import GlassAsked
from controller.core.state import FloorState
from controller.desk.desk import Args, BadArgument, Desk, Verb, text
from devices.peers import fingerprint

MAX_WORD = 32
log = structlog.get_logger()


def roles_of(desk: Desk, user: str) -> frozenset[str]:
    """Give the roles somebody has now: those of the key, and those an administrator took in an emergency."""
    own = desk.roles(user)
    if rights.ADMINISTRATOR not in own:
        return own  # who is an administrator no more keeps nothing of what one took
    return own | _taken(desk.state, user, desk.clock.now_floor_s()).keys()


def sees_stock(desk: Desk, user: str) -> bool:
    """Say whether somebody may see sums of stock; who may not counts blind."""
    return rights.may(roles_of(desk, user), "stock")


def glass_rows(state: FloorState, now_floor_s: float) -> list[dict[str, Any]]:
    """Give the roles that are taken in an emergency now."""
    return [
        {"by": name, "role": role, "reason": state.glass[name][role].reason, "left_s": left_s}
        for name in sorted(state.glass)
        for role, left_s in sorted(_taken(state, name, now_floor_s).items())
    ]


def _taken(state: FloorState, user: str, now_floor_s: float) -> dict[str, float]:
    """Give the roles somebody took, with the floor seconds left of each."""
    taken = state.glass.get(user, {})
    left = {role: glass.until_floor_s - now_floor_s for role, glass in taken.items()}
    return {role: left_s for role, left_s in left.items() if left_s > 0}


async def _rights(desk: Desk, user: str, args: Args) -> Any:
    mine = roles_of(desk, user)
    verbs = [
        {"verb": verb, "roles": rights.shown(roles), "may": rights.may(mine, verb)}
        for verb, roles in rights.VERB_RIGHTS.items()
    ]
    acts = [
        {
            "act": act,
            "propose": rights.shown(right.propose),
            "second": rights.shown(right.second),
            "may_propose": rights.may(mine, "act", act),
            "may_second": rights.may(mine, "second", act),
        }
        for act, right in rights.ACT_RIGHTS.items()
    ]
    taken = _taken(desk.state, user, desk.clock.now_floor_s())
    roles = [role for role in rights.ROLES if role in mine]
    return {"you": user, "roles": roles, "taken": taken, "verbs": verbs, "acts": acts}


async def _keys(desk: Desk, user: str, args: Args) -> Any:
    """Give who may connect, by the fingerprints that people compare: no key, and no secret."""
    keys = desk.state.peer_keys
    return [
        {
            "role": role,
            "name": name,
            "fingerprint": fingerprint(key.public),
            "next_fingerprint": fingerprint(key.next_public),
            "roles": list(key.roles),
            "since_floor_s": key.since_floor_s,
            "where": key.where,
            "pending": (role, name) in keys.pending,
        }
        for role, name, key in sorted(keys.all(), key=lambda one: one[:2])
    ]


async def _break_glass(desk: Desk, user: str, args: Args) -> Any:
    """Give an administrator a role for an hour of the floor, with an alarm."""
    role, reason = text(args, "role", MAX_WORD), text(args, "reason", MAX_WORD)
    if role not in rights.ROLES:
        raise BadArgument("role", f"one of {', '.join(rights.ROLES)}")
    if reason not in REASONS:
        raise BadArgument("reason", f"one of {', '.join(REASONS)}")
    turn = await desk.post(GlassAsked(role, reason, user)).wait()
    if turn.refused:
        return turn.refused
    until_floor_s = desk.state.glass[user][role].until_floor_s
    log.error("rights.glass_broken", by=user, role=role, reason=reason, until_floor_s=until_floor_s)
    return {"role": role, "until_floor_s": until_floor_s}


VERBS: dict[str, Verb] = {
    "rights": _rights,
    "keys": _keys,
    "break_glass": _break_glass,
}
