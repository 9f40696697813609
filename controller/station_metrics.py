"""The metrics of each station that stands on the floor: state, age, times, work and lies; one taken away disappears."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.core.calendar import Calendar
from controller.core.state import SILENT, FloorState
from controller.core.tally import Tally
from devices.key_ring import KeyRing
from devices.keys import KeyFileError
from devices.messages import StationState
from devices.peers import STATION

STATES = (*StationState, SILENT)
StationsWithKey = Callable[[], Collection[str] | None]
"""Names the stations that may connect, None where nobody can say."""


class StationCollector(Collector):
    """Turns what is known of the stations into metric families at the moment they are read."""

    def __init__(
        self,
        tally: Tally,
        state: FloorState,
        stations_with_key: StationsWithKey,
        now_floor_s: Callable[[], float],
        calendar: Calendar | None = None,
    ) -> None:
        """Take where to look.  Without a calendar every station is planned to work at every hour."""
        self._tally, self._state, self._now_floor_s = tally, state, now_floor_s
        self._stations_with_key, self._calendar = stations_with_key, calendar

    def collect(self) -> Iterable[Metric]:
        """Give all families."""
        standing = self._standing()
        yield self._states(standing)
        yield from self._gauges(standing)
        yield from self._counters(standing)
        yield self._lies(standing)

    def _standing(self) -> list[str]:
        """Give the stations that stand on the floor: one that is silent and has no key any more was taken away."""
        stations = self._state.stations
        if all(station.state != SILENT for station in stations.values()):
            return sorted(stations)
        listed = self._stations_with_key()
        return sorted(name for name, one in stations.items() if listed is None or name in listed or one.state != SILENT)

    def _states(self, standing: Iterable[str]) -> Metric:
        states = GaugeMetricFamily(
            "cardmill_station_state", "1 for the state a station is in", labels=["station", "step", "state"]
        )
        for name in standing:
            station = self._state.stations[name]
            now = StationState.EXECUTE if station.job_id and station.state == StationState.IDLE else station.state
            for state in STATES:
                states.add_metric([name, station.step, state], float(state == now))
        return states

    def _gauges(self, standing: Iterable[str]) -> Iterable[Metric]:
        now = self._now_floor_s()
        age = GaugeMetricFamily(
            "cardmill_station_state_age_seconds",
            "floor seconds in this state",
            labels=["station", "step"],
            unit="seconds",
        )
        held = GaugeMetricFamily(
            "cardmill_station_held", "1 while the controller gives a station no work", labels=["station"]
        )
        planned = GaugeMetricFamily(
            "cardmill_station_planned", "1 while the calendar lets a station work", labels=["station", "step"]
        )
        ideal = GaugeMetricFamily(
            "cardmill_station_ideal_unit_seconds",
            "floor seconds of one unit in a full load at the station's own pace; 0 before its first",
            labels=["station", "step"],
            unit="seconds",
        )
        for name in standing:
            station = self._state.stations[name]
            age.add_metric([name, station.step], max(0.0, now - station.since_floor_s))
            held.add_metric([name], float(name in self._state.station_holds))
            planned.add_metric([name, station.step], float(self._calendar is None or self._is_planned(name, now)))
            counted = self._tally.stations.get(name)
            ideal.add_metric(
                [name, station.step], counted.line.load_s(counted.load_max) / counted.load_max if counted else 0
            )
        yield from (age, held, planned, ideal)

    def _is_planned(self, station: str, now_floor_s: float) -> bool:
        return self._calendar is None or self._calendar.closes_at(station, now_floor_s) > now_floor_s

    def _counters(self, standing: Iterable[str]) -> Iterable[Metric]:
        def family(name: str, text: str, unit: str = "") -> CounterMetricFamily:
            return CounterMetricFamily(f"cardmill_station_{name}", text, labels=["station", "step"], unit=unit)

        busy = family("busy_seconds", "floor seconds of the loads it ended", "seconds")
        down = family("down_seconds", "floor seconds neither idle nor executing, up to the last move", "seconds")
        units = family("units", "sheets of answered loads (pack: cards)")
        worked = family("positions", "positions it worked on (pack: cards)")
        spoiled = family("spoiled", "positions spoiled that were charged to it")
        for name in standing:
            one = self._tally.stations.get(name)
            if one is None:
                continue
            labels = [name, one.step.value]
            busy.add_metric(labels, one.busy_s)
            # not up to now: a change that is being recorded may be a little older, and a counter never goes back
            down.add_metric(labels, one.down_until(self._tally.last_floor_s))
            units.add_metric(labels, one.line.units)
            worked.add_metric(labels, one.worked)
            spoiled.add_metric(labels, one.bad + one.set_good)
        yield from (busy, down, units, worked, spoiled)

    def _lies(self, standing: Collection[str]) -> Metric:
        lies = CounterMetricFamily(
            "cardmill_station_lies", "what stations said that cannot be, by its code", labels=["station", "outcome"]
        )
        for (station, code), count in sorted(self._tally.lied.items()):
            if station in standing:
                lies.add_metric([station, code], count)
        return lies


def stations_with_key(folder: Path) -> frozenset[str] | None:
    """Give the names of the stations whose keys lie in a folder of keys; None when it cannot be read."""
    try:
        return frozenset(key.name for key in KeyRing(folder).listing() if key.role == STATION)
    except KeyFileError:
        return None
