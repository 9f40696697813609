"""A station of a pretend line: how long a load takes, what stops it, what comes out, all drawn by the load's number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.core.events import StartJob
from controller.core.line.draws import Draws
from controller.core.line.nature import Nature, StationNature, StepNature
from controller.core.state import SILENT, Job, Station
from devices.defects import Step
from devices.messages import Fate, StationState

DOWN = (StationState.ABORTED, StationState.SUSPENDED, StationState.HELD, StationState.STOPPED, SILENT)
OFF = (StationState.STOPPED, SILENT)


@dataclass(frozen=True, slots=True)
class LoadEnd:
    """How a load ends: when, and what becomes of it; not known: nobody can say."""

    at_floor_s: float
    fate: Fate
    is_known: bool = True


class LineMachine:
    """Draws the ends of one station's loads.

    What a load is like hangs on its number at this station and on the seed alone: under another change the hundredth
    load of a station is as slow, and as unlucky, as it was.
    """

    def __init__(self, name: str, step: Step, nature: Nature) -> None:
        self.name, self.step = name, step
        self.loads = 0
        self._draws: Draws = nature.draws
        self._own: StationNature = nature.station(name, step)
        self._step: StepNature = nature.steps[step]
        self._return_s = nature.return_s
        self._stops = 0
        self._rate = self._own.stop_rate + self._own.off_rate
        self._to_stop_s = self._next_stop_s()
        self.defect_rate = self._own.defect_rate

    def run(self, job: StartJob, at_floor_s: float) -> LoadEnd:
        """Give the end of a load that begins now."""
        self.loads += 1
        units = len(job.blanks) if job.bundle_id else len(job.sheets)
        takes_s = self._own.load_s(units) * self._step.ratio.value(self._point("cycle"))
        return self._work(at_floor_s, takes_s, not job.bundle_id)

    def go_on(
        self, job: Job, station: Station, now_floor_s: float, down_in_load_s: float, quiet: bool = False
    ) -> LoadEnd:
        """Give the end of a load that is under way at the fork, knowing how long it took so far.

        A station that is `quiet`, not heard since the service began, works on, and says what became of it once it is.
        """
        if quiet:
            heard = replace(station, state=StationState.EXECUTE)
            end = self.go_on(job, heard, now_floor_s, down_in_load_s)
            return replace(end, at_floor_s=max(end.at_floor_s, self.up_again(station, now_floor_s, quiet)))
        self.loads += 1
        is_down = station.state in DOWN
        worked_until = station.since_floor_s if is_down else now_floor_s
        worked_s = max(0.0, worked_until - job.started_floor_s - down_in_load_s)
        mean_s = max(self._own.load_s(len(job.cards) or len(job.sheets)), 1e-3)
        ratio = self._step.ratio.beyond(worked_s / mean_s, self._point("cycle"))
        left_s = max(0.0, ratio * mean_s - worked_s)
        if not is_down:
            return self._work(now_floor_s, left_s, bool(job.sheets))
        at = self.up_again(station, now_floor_s)
        if station.state == StationState.HELD:
            return LoadEnd(at, self._jam_fate() if job.sheets else Fate.DONE)
        fate = self._stop_fate() if job.sheets else Fate.DONE
        return LoadEnd(at, fate) if fate is not Fate.DONE else self._work(at, left_s, bool(job.sheets))

    def up_again(self, station: Station, now_floor_s: float, quiet: bool = False) -> float:
        """Give when a station that is down works again, knowing how long it is down already."""
        spread = self._step.off_s if station.state in OFF else self._step.down_s
        if quiet:
            spread = self._return_s
        elif station.state == StationState.HELD and station.job_id:
            spread = self._step.clear_s
        down_s = max(0.0, now_floor_s - station.since_floor_s)
        return now_floor_s + max(0.0, spread.beyond(down_s, self._draws.point(f"{self.name} up again")) - down_s)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _work(self, at: float, left_s: float, is_of_sheets: bool) -> LoadEnd:
        """Work, go down, be repaired, jam; a bundle's packing just goes on afterwards."""
        point = self._point("fate")
        fate = self._load_fate(point) if is_of_sheets else Fate.DONE
        if fate is not Fate.DONE:
            left_s *= self._point("jams at")
        while left_s >= self._to_stop_s:
            left_s -= self._to_stop_s
            at += self._to_stop_s + self._down_s()
            stop_fate = self._stop_fate() if is_of_sheets else Fate.DONE
            if stop_fate is not Fate.DONE:
                return LoadEnd(at, stop_fate)
        self._to_stop_s -= left_s
        at += left_s
        if fate is not Fate.DONE:
            return LoadEnd(at + self._step.clear_s.value(self._point("clear")), fate)
        return LoadEnd(at, fate, point < 1.0 - self._step.unknown)

    def _down_s(self) -> float:
        """Give how long it is down this time, and begin to wait for the next."""
        about = f"{self.name} stop {self._stops}"
        is_off = self._draws.point(f"{about} kind") * self._rate < self._own.off_rate
        spread = self._step.off_s if is_off else self._step.down_s
        self._stops += 1
        self._to_stop_s = self._next_stop_s()
        return spread.value(self._draws.point(about))

    def _next_stop_s(self) -> float:
        return self._draws.exponential(f"{self.name} to stop {self._stops}") / max(self._rate, 1e-12)

    def _load_fate(self, point: float) -> Fate:
        if point < self._step.jam_spoiled:
            return Fate.SPOILED
        return Fate.UNTOUCHED if point < self._step.jam_spoiled + self._step.jam_returned else Fate.DONE

    def _jam_fate(self) -> Fate:
        jams = self._step.jam_spoiled + self._step.jam_returned
        return Fate.SPOILED if self._point("fate") * jams < self._step.jam_spoiled else Fate.UNTOUCHED

    def _stop_fate(self) -> Fate:
        point = self._point("after stop")
        if point < self._step.stop_spoiled:
            return Fate.SPOILED
        return Fate.UNTOUCHED if point < self._step.stop_spoiled + self._step.stop_returned else Fate.DONE

    def _point(self, what: str) -> float:
        return self._draws.point(f"{self.name} {what} {self.loads}")
