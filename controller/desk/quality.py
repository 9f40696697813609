"""Verbs of quality: held stations, and who works where."""

from __future__ import annotations

import re
from typing import Any

from controller.clock import floor_date
from controller.core.andon.of_stations import is_unattended
from controller.core.cards import State
from controller.core.events import HoldAsked, ReleaseAsked, SignedOn
from controller.core.holds import Hold
from controller.core.quarantine import DRIFT
from controller.core.state import FloorState, Station
from controller.desk.desk import Args, BadArgument, Desk, Verb, text

NAME = 64
CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")  # of a hold: no sentence, so that no person's name gets in
CERTIFICATE_ENDED = "certificate_ended"


async def _hold(desk: Desk, user: str, args: Args) -> Any:
    station, code = text(args, "station", NAME), text(args, "code", 32)
    if not CODE.fullmatch(code):
        raise BadArgument("code", "a short word of a-z, 0-9, _, . and -")
    return await desk.post(HoldAsked(station, code, user)).wait()


async def _release(desk: Desk, user: str, args: Args) -> Any:
    return await desk.post(ReleaseAsked(text(args, "station", NAME), user)).wait()


async def _holds(desk: Desk, user: str, args: Args) -> Any:
    state, now = desk.state, desk.clock.now_floor_s()
    return [
        {
            "station": name,
            "step": state.stations[name].step.value,
            "code": hold.code,
            "since_floor_s": hold.since_floor_s,
            "age_s": max(0.0, now - hold.since_floor_s),
            "by": hold.by,
            "to_do": _to_do(state, name, hold),
            "sheets": len(state.drifted[name].sheets) if name in state.drifted else 0,
            "in_flight": _in_flight(state, name),
        }
        for name, hold in sorted(state.station_holds.items())
    ]


def _in_flight(state: FloorState, station: str) -> list[dict[str, Any]]:
    """Give the sheets a station worked on before it was held for drift that are not inspected yet."""
    if station not in state.drifted:
        return []
    sheets = [state.sheets[one] for one in state.drifted[station].in_flight if one in state.sheets]
    return [
        {"sheet_id": one.sheet_id, "step": one.step.value, "cards": (one.live | one.suspect).bit_count()}
        for one in sheets
        if not one.quarantined
    ]


def _to_do(state: FloorState, name: str, hold: Hold) -> str:
    """Say in one sentence what ends a hold."""
    release = f"then `cardmill release {name}`, or take it off line and back on line at the machine"
    if hold.code != DRIFT:
        return f"{hold.by or 'the controller'} held it: settle `{hold.code}`, {release}"
    waiting = sum(card.state is State.QUARANTINED for card in state.cards.values())
    codes = ", ".join(sorted(state.station_warnings.get(name, {}))) or "none alone"
    return f"too many defects (codes: {codes}; {waiting} cards are inspected again): find the cause, {release}"


async def _sign_on(desk: Desk, user: str, args: Args) -> Any:
    """Sign the person who asks on at a station; `operator` empty signs whoever is there off."""
    station, operator = text(args, "station", NAME), args.get("operator", user)
    if operator not in (user, ""):
        raise BadArgument("operator", "your own name, or empty to sign off: nobody signs on for somebody else")
    known = desk.state.stations.get(station)
    if known is None or not operator:
        return await desk.post(SignedOn(station, operator, 0.0)).wait()
    post = known.step.value
    refused = desk.posts.refusal(operator, post, floor_date(desk.clock.now_floor_s()))
    if refused:
        return refused
    return await desk.post(SignedOn(station, operator, desk.posts.until_floor_s(operator, post))).wait()


def standing(state: FloorState, station: Station) -> dict[str, Any]:
    """Give what `stations` says of a station besides its machine: hold, warnings, who works there."""
    hold = state.station_holds.get(station.station)
    return {
        "reason": station.reason or _unattended(station) or _unsupplied(state, station),
        "hold": hold.code if hold else "",
        "warnings": sorted(state.station_warnings.get(station.station, {})),
        "operator": station.operator,
    }


def _unattended(station: Station) -> str:
    """Give the reason of an inspection station that runs, with a load or without, but not the person who was there."""
    return CERTIFICATE_ENDED if is_unattended(station) else ""


def _unsupplied(state: FloorState, station: Station) -> str:
    """Give the reason of a station that gets no work because something it was loaded with is used up."""
    used_up = state.stock.used_up(station.station)
    return f"no_supply {', '.join(used_up)}" if used_up else ""


VERBS: dict[str, Verb] = {
    "hold": _hold,
    "release": _release,
    "holds": _holds,
    "sign_on": _sign_on,
}
