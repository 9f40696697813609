"""Events about alarms: who takes care of one, and which are over."""

from __future__ import annotations

from controller.core.event import Event


class AlarmOwned(Event, frozen=True, array_like=True, tag="alarm_owned"):
    """A person takes care of an alarm, which the desk saw standing since a time."""

    key: str
    since_floor_s: float
    by: str


class AlarmsEnded(Event, frozen=True, array_like=True, tag="alarms_ended"):
    """Alarms that had an owner stand no more."""

    keys: list[str]


AnyAndonEvent = AlarmOwned | AlarmsEnded
