"""What moves say of stations: how long loads take and what becomes of them, how often one goes down, how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.core import moves as m
from controller.core.line.figures import Estimates, StationFigures, StepFigures
from controller.core.state import SILENT
from devices.messages import Fate, StationState

STOPPING = (StationState.ABORTED, StationState.SUSPENDED)
OFF = (StationState.STOPPED, SILENT)
DOWN = (*STOPPING, *OFF, StationState.HELD)
LOADS_FOR_RATIO = 5  # clean loads after which a station's pace is settled enough to compare another one with it


@dataclass(slots=True)
class _Now:
    """How a station stands."""

    state: str = ""  # empty: it never said so; what it was before is unknown
    since_floor_s: float = 0.0
    job_id: int = 0
    units: int = 0
    stopped: bool = False  # it went down during its load
    jammed: bool = False  # its load has ended, and it is being cleared
    quiet_since_floor_s: float | None = None  # not heard since the service began; till it is, it stands as it stood


class StationRecord:
    """Folds what stations do into figures."""

    def __init__(self, estimates: Estimates) -> None:
        self._stations, self._steps, self._return_s = estimates.stations, estimates.steps, estimates.return_s
        self._began_floor_s: float | None = None
        self._now: dict[str, _Now] = {}

    def began(self, at: float, move: m.ServiceStarted) -> None:
        """Know that the service begins: it hears no station yet, which says nothing of the stations."""
        self._began_floor_s = at

    def joined(self, at: float, move: m.StationJoined) -> None:
        """Know a station; one that does another step now is another one."""
        known = self._stations.get(move.station)
        if known is None or known.step != move.step:
            self._stations[move.station] = StationFigures(move.step)
            self._now[move.station] = _Now()
        self._stations[move.station].load_max = move.load_max
        self._steps.setdefault(move.step, StepFigures())

    def changed(self, at: float, move: m.StationChanged) -> None:
        """Count a time down that is over, and one that begins."""
        station, now = self._stations.get(move.station), self._now.get(move.station)
        if station is None or now is None:
            return
        if move.state == SILENT and at == self._began_floor_s:
            now.quiet_since_floor_s, station.quiet = at, True
            return
        if now.quiet_since_floor_s is not None:
            self._return_s.add(at - now.quiet_since_floor_s)
            now.quiet_since_floor_s, station.quiet = None, False
        step = self._steps[station.step]
        if now.state in DOWN and move.state != now.state:
            self._up_again(station, step, now, max(0.0, move.since_floor_s - now.since_floor_s))
        if move.state != now.state:
            if move.state in STOPPING:
                station.stops += 1
                now.stopped = bool(now.job_id)
            elif move.state in OFF and now.state:
                station.offs += 1
                now.stopped = now.stopped or bool(now.job_id)
            now.state, now.since_floor_s = move.state, move.since_floor_s

    def started(self, at: float, move: m.JobStarted) -> None:
        """Know a load."""
        now = self._now.get(move.station)
        if now is not None:
            now.job_id, now.units = move.job_id, len(move.sheets) or len(move.cards)
            now.stopped = now.jammed = False
            self._stations[move.station].down_in_load_s = 0.0

    def ended(self, at: float, move: m.JobEnded) -> None:
        """Count a load."""
        station, now = self._stations.get(move.station), self._now.get(move.station)
        if station is None or now is None or now.job_id != move.job_id:
            return
        step, down_s = self._steps[station.step], station.down_in_load_s
        if now.state in DOWN:
            down_s += max(0.0, move.ended_floor_s - max(now.since_floor_s, move.started_floor_s))
        clean_s = move.ended_floor_s - move.started_floor_s - down_s
        if move.answer == "done":
            fates = {end.fate for end in move.sheets}
            self._count(station, step, now, fates, clean_s, down_s)
        else:
            step.unknown += 1
        now.job_id, station.down_in_load_s = 0, 0.0

    def _count(
        self, station: StationFigures, step: StepFigures, now: _Now, fates: set[str], clean_s: float, down_s: float
    ) -> None:
        step.loads += 1
        station.busy_s += max(0.0, clean_s)
        is_spoiled, is_returned = Fate.SPOILED in fates, Fate.UNTOUCHED in fates
        if now.stopped:
            step.stopped_loads += 1
            step.stops_spoiled += is_spoiled
            step.stops_returned += is_returned and not is_spoiled
        elif is_spoiled or is_returned:
            step.jams_spoiled += is_spoiled
            step.jams_returned += not is_spoiled
            step.clear_s.add(down_s)
            now.jammed = True
        if not (is_spoiled or is_returned) and clean_s > 0.0:
            if station.loads >= LOADS_FOR_RATIO:
                step.ratios.add(clean_s / station.load_s(now.units))
            station.take(now.units, clean_s)

    def _up_again(self, station: StationFigures, step: StepFigures, now: _Now, lasted_s: float) -> None:
        if now.job_id:
            station.down_in_load_s += lasted_s
        if now.state in OFF:
            step.off_s.add(lasted_s)
        elif now.state in STOPPING:
            step.down_s.add(lasted_s)
        elif not now.jammed:  # held, and the load goes on, or there was none
            station.stops += 1
            now.stopped = bool(now.job_id)
            step.down_s.add(lasted_s)
        now.jammed = False


STATION_FOLDS: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.ServiceStarted: StationRecord.began,
    m.StationJoined: StationRecord.joined,
    m.StationChanged: StationRecord.changed,
    m.JobStarted: StationRecord.started,
    m.JobEnded: StationRecord.ended,
}
