"""What stations say of themselves, who works at them, and which get no work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core import moves as m
from controller.core.quality_moves import OperatorSignedOn, StationHeld, StationReleased
from controller.core.state import SILENT
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import StationState

LOAD_MAX = (100, 200)  # sheets of a load, cards of a bundle: a job of more would be too long for one message


def silence(turn: Turn, station: str) -> None:
    """Nothing is known of a station until it is heard again."""
    if turn.state.stations[station].state != SILENT:
        turn.record(m.StationChanged(station, SILENT, "", turn.now_floor_s))


def _station_seen(turn: Turn, event: e.StationSeen) -> None:
    if event.step not in list(Step):
        turn.record(m.StationLied(event.station, "station.unknown_step", 0))
        return
    state = turn.state
    known = state.stations.get(event.station)
    if known and known.job_id and known.step != event.step:
        turn.record(m.StationLied(event.station, "station.other_step", known.job_id))
        return
    load_max = min(event.load_max, LOAD_MAX[event.step == Step.PACK])
    if not known or (known.step, known.load_max, known.model) != (event.step, load_max, event.model):
        turn.record(m.StationJoined(event.station, event.step, event.model, load_max))
    _report(turn, event.station, event.state, event.reason, turn.now_floor_s)
    if known and known.job_id:
        turn.act(e.AskJob(known.job_id, event.station))
    left: dict[int, tuple[int, int]] = {}  # issue -> first and last body sheet that were not drawn yet
    for one in state.stock.magazines.get(event.station, ()):
        left[one.issue_id] = (left.get(one.issue_id, (one.first, 0))[0], one.first + one.sheets - 1)
    told = [
        e.FillMagazine(event.station, issue, first, last - first + 1, places=state.stock.places_of(first))
        for issue, (first, last) in left.items()
    ]
    taken = state.stock.taken.get(event.station, ())  # it may have missed that, or be told of a range with a gap now
    told += [e.FillMagazine(event.station, one.issue_id, one.first, one.sheets, True, one.places) for one in taken]
    for action in sorted(told, key=lambda one: one.issue_id):
        turn.act(action)


def _station_reported(turn: Turn, event: e.StationReported) -> None:
    if event.station in turn.state.stations:
        since = event.since_floor_s or turn.now_floor_s
        _report(turn, event.station, event.state, event.reason, since)


def _report(turn: Turn, station: str, state: str, reason: str, since_floor_s: float) -> None:
    known = turn.state.stations[station]
    if (known.state, known.reason) != (state, reason):
        turn.record(m.StationChanged(station, state, reason, since_floor_s))
    hold = turn.state.station_holds.get(station)
    if hold and hold.off_line and state == StationState.IDLE:
        turn.record(StationReleased(station))  # its operator took it off line, and back: it was looked after


def _nonsense(turn: Turn, event: e.StationSpokeNonsense) -> None:
    turn.record(m.StationLied(event.station, event.code, event.job_id))


# ---- holds, and who works where ----------------------------------------------------------------------------------


def _hold_asked(turn: Turn, event: e.HoldAsked) -> None:
    if event.station not in turn.state.stations:
        turn.refuse("station.unknown", "no station of this name ever said hello: see `cardmill stations`")
    elif event.station in turn.state.station_holds:
        turn.refuse("station.held", "this station is held already: see `cardmill holds`")
    else:
        turn.record(StationHeld(event.station, event.code, event.by))


def _release_asked(turn: Turn, event: e.ReleaseAsked) -> None:
    if event.station not in turn.state.station_holds:
        turn.refuse("station.not_held", "the controller holds no station of this name: see `cardmill holds`")
    else:
        turn.record(StationReleased(event.station, event.by))


def _signed_on(turn: Turn, event: e.SignedOn) -> None:
    if event.station not in turn.state.stations:
        turn.refuse("station.unknown", "no station of this name ever said hello: see `cardmill stations`")
    else:
        turn.record(OperatorSignedOn(event.station, event.operator, event.until_floor_s))


def end_sign_ons(turn: Turn) -> None:
    """Sign people off whose certificate for their post has ended; the move keeps its end, which says why."""
    for name, station in turn.state.stations.items():
        until_floor_s = station.operator_until_floor_s
        if not station.operator or not until_floor_s:
            continue
        if until_floor_s <= turn.now_floor_s:
            turn.record(OperatorSignedOn(name, "", until_floor_s))
        else:
            turn.wake_at(until_floor_s)


STATION_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.StationSeen: _station_seen,
    e.StationReported: _station_reported,
    e.StationSpokeNonsense: _nonsense,
    e.HoldAsked: _hold_asked,
    e.ReleaseAsked: _release_asked,
    e.SignedOn: _signed_on,
}
