"""Verbs of the andon: what is wrong now, and who takes care of it."""

from __future__ import annotations

from typing import Any

from controller.andon.words import row_of, without_sums
from controller.core.andon.alarm import Alarm
from controller.core.andon.andon import count_alarms
from controller.core.andon_events import AlarmOwned
from controller.core.turn import Refused
from controller.desk.desk import Args, Desk, Verb, text
from controller.desk.rights import sees_stock

KEY_MAX = 128
NONE = Refused("alarm.none", "no alarm of this key stands: it may be over, see `cardmill alarms`")


def standing_alarms(desk: Desk) -> list[Alarm]:
    """Give the alarms that stand now."""
    return desk.andon.alarms() if desk.andon else []


def counts(desk: Desk) -> dict[str, int]:
    """Give how many stand, by severity."""
    return count_alarms(standing_alarms(desk))


async def _alarms(desk: Desk, user: str, args: Args) -> Any:
    """Give what stands; no sentence tells a sum of stock, and those who count blind get none among the facts either."""
    now = desk.clock.now_floor_s()
    rows = [row_of(one, now) for one in standing_alarms(desk)]
    return rows if sees_stock(desk, user) else [without_sums(row) for row in rows]


async def _acknowledge(desk: Desk, user: str, args: Args) -> Any:
    """Let the person who asks take care of an alarm that stands."""
    key = text(args, "key", KEY_MAX)
    alarm = next((one for one in standing_alarms(desk) if one.key == key), None)
    if alarm is None:
        return NONE
    before = alarm.owner
    turn = await desk.post(AlarmOwned(key, alarm.since_floor_s, user)).wait()
    return turn.refused or {"key": key, "owner": user, "before": before}


VERBS: dict[str, Verb] = {
    "alarms": _alarms,
    "acknowledge": _acknowledge,
}
