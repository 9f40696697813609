"""Badges of the menu: what waits for the one who looks."""

from __future__ import annotations

from collections.abc import Mapping

from controller import rights
from controller.core.key_acts import KEY_ACTS
from controller.desk.desk import Desk
from controller.desk.rights import roles_of


def badges_of(desk: Desk, name: str) -> Mapping[str, int]:
    """Give by entry of the menu how much waits for somebody: of acts, those one may agree to."""
    roles = roles_of(desk, name)
    waiting = sum(may_agree(roles, name, act.verb, act.by) for act in desk.state.acts.values())
    return {"acts": waiting} if waiting else {}


def may_agree(roles: frozenset[str], name: str, verb: str, by: str) -> bool:
    """Say whether somebody may be the second person of an act."""
    return by != name and rights.may(roles, "second", verb)


def may_withdraw(roles: frozenset[str], name: str, verb: str, by: str) -> bool:
    """Say whether somebody may take an act back: one about keys only who proposed it."""
    return rights.may(roles, "withdraw", verb) and (verb not in KEY_ACTS or by == name)
