"""What starves the floor: blanks, film, data or people, each with a sentence, so that no empty floor looks healthy."""

from __future__ import annotations

from dataclasses import dataclass

from controller.core.state import FloorState, Station
from devices.defects import Step
from devices.messages import POSITIONS, StationState


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that is missing, and where; `what` is one of vault, magazine, supply, material, station, data."""

    what: str
    where: str  # a station or step; empty: the whole floor
    en: str
    zh: str


def wants(state: FloorState) -> list[Want]:
    """Give what the floor has run out of, the widest first; empty when nothing is missing but perhaps work."""
    found = [*_missing_steps(state), *_blanks(state)]
    for station, supplies in sorted(state.stock.supplies.items()):
        for kind, supply in sorted(supplies.items()):
            if supply.units <= 0:
                en, zh = f"{station} has used up {kind} {supply.lot}", f"{station} 的 {kind} {supply.lot} 已用完"
                found.append(Want("supply", station, en, zh))
    for name, one in sorted(state.stations.items()):
        if one.state == StationState.SUSPENDED:
            reason = f" ({one.reason})" if one.reason else ""
            found.append(Want("material", name, f"{name} waits for material{reason}", f"{name} 待料{reason}"))
    return found


def _missing_steps(state: FloorState) -> list[Want]:
    known = {one.step for one in state.stations.values()}
    return [
        Want("station", step.value, f"no {step.value} station is known", f"没有 {step.value} 设备接入")
        for step in Step
        if step not in known
    ]


def _blanks(state: FloorState) -> list[Want]:
    stock = state.stock
    presses = sorted(name for name, one in state.stations.items() if one.step is Step.LAMINATE)
    found = []
    if not any(one.places == POSITIONS for one in stock.vault):
        found.append(Want("vault", "", "the vault holds no blanks", "库房没有空白卡"))
    empty = [name for name in presses if not stock.in_magazine(name, POSITIONS)]
    return found + [
        Want("magazine", name, f"the magazine of {name} is empty", f"{name} 料仓没有卡体") for name in empty
    ]


def standing(state: FloorState, made_last_hour: int) -> str:
    """Give the floor in a word: `starving`, `stopped`, `working`, `waiting` (work, none done) or `idle` (no work).

    Starving, with work or without: no press has blanks, or no station of some step has material.  Stopped: work, and
    a step all of whose stations are down or held.
    """
    by_step = {step: [one for one in state.stations.values() if one.step is step] for step in Step}
    presses = by_step[Step.LAMINATE]
    if presses and not any(state.stock.in_magazine(one.station, POSITIONS) for one in presses):
        return "starving"
    if any(mine and not any(_has_material(state, one) for one in mine) for mine in by_step.values()):
        return "starving"
    work = bool(state.unencoded or state.encode_jobs or any(state.ready.values()) or state.sheets or state.piles)
    if work and stopped_steps(state):
        return "stopped"
    if state.jobs or made_last_hour:
        return "working"
    return "waiting" if work else "idle"


def stopped_steps(state: FloorState) -> list[Step]:
    """Give the steps none of whose stations works, those without a station too."""
    working = {one.step for one in state.stations.values() if works(state, one)}
    return [step for step in Step if step not in working]


def _has_material(state: FloorState, station: Station) -> bool:
    return station.state != StationState.SUSPENDED and state.stock.has_supplies(station.station)


def works(state: FloorState, station: Station) -> bool:
    """Say whether a station is up, and the controller gives it work."""
    return station.state in (StationState.IDLE, StationState.EXECUTE) and station.station not in state.station_holds
