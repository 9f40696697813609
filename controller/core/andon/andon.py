"""The andon: what is wrong now as one ordered list without doubles, each with its cause, age, owner and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

from controller.core.andon.alarm import Alarm, Found, Look
from controller.core.andon.of_cards import of_cards
from controller.core.andon.of_centre import of_centre
from controller.core.andon.of_stations import is_quiet_awhile, of_stations
from controller.core.andon.rules import LISTED_MAX, REST, REST_TO_DO, RULES, Severity

_GRAVITY = {severity: place for place, severity in enumerate(Severity)}


def alarms(look: Look, seen: Mapping[str, float]) -> list[Alarm]:
    """Give the alarms that stand, the gravest first, of those the oldest; each key once.

    `seen`: when each alarm was on the list first, for causes that no record dates.
    Of a code at most LISTED_MAX + 1 that nobody owns.
    """
    by_key: dict[str, Alarm] = {}
    for found in _all(look):
        if found.key not in by_key:
            by_key[found.key] = _dated(look, seen, found)
    return sorted(_shortened(look, by_key.values()), key=_order)


def count_alarms(standing: Iterable[Alarm]) -> dict[str, int]:
    """Give how many alarms there are of each severity, the gravest first."""
    counts = Counter(one.severity for one in standing)
    return {severity.value: counts[severity] for severity in Severity}


def owned_and_over(look: Look, standing: Iterable[Alarm]) -> list[str]:
    """Give the keys that have an owner and stand no more: their acknowledgement ends.

    What was wrong with a station that is silent for a moment is not known to be over: after a start all are silent.
    """
    keys = {one.key for one in standing}
    return [key for key in look.state.alarm_owners if key not in keys and not _is_unheard(look, key)]


def _is_unheard(look: Look, key: str) -> bool:
    code, _, name = key.partition(" ")
    stations = look.state.stations
    if code == "step.stopped":
        return any(is_quiet_awhile(look, one) for one in stations.values() if one.step == name)
    station = stations.get(name) if code.startswith("station.") else None
    return station is not None and is_quiet_awhile(look, station)


def _all(look: Look) -> Iterator[Found]:
    yield from of_centre(look)
    yield from of_stations(look)
    yield from of_cards(look)


def _order(alarm: Alarm) -> tuple[int, float, str]:
    return _GRAVITY[alarm.severity], alarm.since_floor_s, alarm.key


def _dated(look: Look, seen: Mapping[str, float], found: Found) -> Alarm:
    """Give a cause its time and its owner.

    A cause without a time is as old as it was when it was acknowledged, or first seen; so is one of a station, which
    says its state anew after each start, and may say any time.
    """
    owner, since, now = look.state.alarm_owners.get(found.key), found.since_floor_s, look.now_floor_s
    if since is None or not since <= now:  # a NaN is no time either
        since = min(seen.get(found.key, now), now)
    if owner and (found.since_floor_s is None or found.code.startswith("station.")):
        since = min(since, owner.since_floor_s)
    to_do = REST_TO_DO if found.subject == REST else RULES[found.code].to_do
    alarm = Alarm(found.key, found.code, found.subject, since, found.facts, to_do)
    return _owned(look, alarm)


def _owned(look: Look, alarm: Alarm) -> Alarm:
    owner = look.state.alarm_owners.get(alarm.key)
    if owner is None:
        return alarm
    return Alarm(
        *(alarm.key, alarm.code, alarm.subject, alarm.since_floor_s, alarm.facts, alarm.to_do),
        owner=owner.by,
        owned_floor_s=owner.owned_floor_s,
    )


def _shortened(look: Look, found: Iterable[Alarm]) -> Iterator[Alarm]:
    """Give the oldest of each code, those with an owner first, and one alarm for the rest."""
    in_order = sorted(found, key=lambda one: (one.code, not one.owner, one.since_floor_s, one.key))
    for code, group in groupby(in_order, attrgetter("code")):
        mine = list(group)
        listed = sum(bool(one.owner) for one in mine) + LISTED_MAX  # an owned one that was not listed would end
        yield from mine[:listed]
        rest = mine[listed:]
        if rest:
            since = min(one.since_floor_s for one in rest)
            count = sum(int(one.facts["count"]) if one.subject == REST else 1 for one in rest)
            yield _owned(look, Alarm(f"{code} {REST}", code, REST, since, {"count": count}, REST_TO_DO))
