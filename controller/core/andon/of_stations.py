"""Alarms of the line and its stations: who is silent, broken, held or unfed, and which step stands for it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.core.andon.alarm import Found, Look
from controller.core.calendar import calendar_of
from controller.core.holds import Hold
from controller.core.quarantine import DRIFT
from controller.core.starving import Want, standing, stopped_steps, wants, works
from controller.core.state import SILENT, Station
from controller.core.why.sentences import Facts
from devices.defects import Step
from devices.messages import StationState

WRONG_STATES = {StationState.ABORTED: "station.aborted", StationState.HELD: "station.machine_held"}
OF_WANTS = {
    "vault": "stock.vault_empty",
    "magazine": "station.magazine_empty",
    "supply": "station.unsupplied",
    "material": "station.no_material",
    "station": "step.missing",
}


def of_stations(look: Look) -> Iterator[Found]:
    """Give what is wrong with the line, its steps and its stations."""
    for want in wants(look.state):
        if want.where not in look.state.stations or not look.is_gone(want.where):
            yield _wanted(look, want)
    for name, station in sorted(look.state.stations.items()):
        if look.is_gone(name):
            continue
        yield from _machine(look, station)
        hold = look.state.station_holds.get(name)
        if hold:
            yield _held(name, station, hold)
        if is_unattended(station):
            yield Found("station.unattended", name, station.operator_until_floor_s, {"station": name})
    yield from _line(look)


def is_unattended(station: Station) -> bool:
    """Say whether an inspection station runs, with a load or without, but not the person who was there."""
    runs = station.state in (StationState.IDLE, StationState.EXECUTE)
    ended = not station.operator and station.operator_until_floor_s > 0
    return station.step is Step.INSPECT and runs and ended


def _wanted(look: Look, want: Want) -> Found:
    station = look.state.stations.get(want.where)
    facts: Facts = {}
    if want.what == "supply":
        facts = {"station": want.where, "supplies": ", ".join(look.state.stock.used_up(want.where))}
    elif want.what == "station":
        facts = {"step": want.where}
    elif station is not None:
        facts = {"station": want.where, "reason": station.reason}
    since = station.since_floor_s if station is not None and want.what == "material" else None
    return Found(OF_WANTS[want.what], want.where, since, facts)


def _machine(look: Look, station: Station) -> Iterator[Found]:
    """Give what a station says of itself; a silence is none before it has lasted."""
    facts: Facts = {"station": station.station, "step": station.step.value, "reason": station.reason}
    if station.state == SILENT:
        if not is_quiet_awhile(look, station):
            yield Found("station.silent", station.station, station.since_floor_s, facts)
    elif station.state in WRONG_STATES:
        yield Found(WRONG_STATES[StationState(station.state)], station.station, station.since_floor_s, facts)


def is_quiet_awhile(look: Look, station: Station) -> bool:
    """Say whether a station is silent for so short a time that nothing is known of it: after a start all are."""
    return station.state == SILENT and look.now_floor_s - station.since_floor_s < look.config.andon.silent_s


def _held(name: str, station: Station, hold: Hold) -> Found:
    code = "station.drift" if hold.code == DRIFT else "station.held"
    facts: Facts = {"station": name, "step": station.step.value, "hold": hold.code, "by": hold.by or "the foreman"}
    return Found(code, name, hold.since_floor_s, facts)


def _line(look: Look) -> Iterator[Found]:
    """Give what stands, while the floor should work; what is silent since a moment may be working yet."""
    state, now = look.state, look.now_floor_s
    if calendar_of(look.config.calendar).closes_at("", now) <= now:
        return
    word = standing(state, look.tally.window.sums(now)["made"])
    if word == "starving":
        yield Found("floor.starving", "", None, {})
    if word != "stopped":
        return
    for step in stopped_steps(state):
        mine = [one for one in state.stations.values() if one.step is step]
        if not any(is_quiet_awhile(look, one) for one in mine):
            yield Found(
                "step.stopped", step.value, _down_since(look, mine), {"step": step.value, "stations": len(mine)}
            )


def _down_since(look: Look, stations: list[Station]) -> float | None:
    """Give since when none of them works: since the last of them was lost."""
    holds = look.state.station_holds
    times = [
        holds[one.station].since_floor_s if one.station in holds and works_itself(one) else one.since_floor_s
        for one in stations
        if not works(look.state, one)
    ]
    return max(times, default=None)


def works_itself(station: Station) -> bool:
    """Say whether nothing is wrong with a machine."""
    return station.state in (StationState.IDLE, StationState.EXECUTE)
