"""Moves about alarms: who took care of one, and that it was over; the alarms themselves follow from the rest."""

from __future__ import annotations

from controller.core.move import Move


class AlarmTaken(Move, frozen=True, array_like=True, tag="alarm_taken"):
    """A person takes care of an alarm that stands since a time; who had it before has it no more."""

    key: str
    since_floor_s: float
    by: str


class AlarmOver(Move, frozen=True, array_like=True, tag="alarm_over"):
    """An alarm that had an owner stands no more; when it comes again it is a new one, and nobody's."""

    key: str


AnyAndonMove = AlarmTaken | AlarmOver
