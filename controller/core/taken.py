"""What one person took on: a role in an emergency, an alarm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Glass:
    """A role that somebody took in an emergency, alone."""

    reason: str
    since_floor_s: float
    until_floor_s: float


@dataclass(slots=True)
class AlarmOwner:
    """Who took care of an alarm, when, and since when the alarm stood then."""

    by: str
    owned_floor_s: float
    since_floor_s: float
