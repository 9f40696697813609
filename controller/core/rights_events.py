"""Events about who may do what: refused attempts, and roles that are taken in an emergency."""

from __future__ import annotations

from controller.core.event import Event


class AttemptRefused(Event, frozen=True, array_like=True, tag="attempt_refused"):
    """Somebody tried what is not theirs to do, `count` times since the row before: see `rights_moves.Denied`."""

    by: str
    verb: str
    act: str
    code: str
    count: int


class GlassAsked(Event, frozen=True, array_like=True, tag="glass_asked"):
    """A person takes a role in an emergency, alone; `reason` is one of `core.break_glass.REASONS`."""

    role: str
    reason: str
    by: str


AnyRightsEvent = AttemptRefused | GlassAsked
