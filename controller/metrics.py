"""The metrics: names, labels and sources; labels are station, step, state, outcome, door, severity and code only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.andon.collector import AndonCollector
from controller.core.andon.alarm import Alarm
from controller.core.peer_keys import PeerKeys
from controller.core.state import SILENT, FloorState
from controller.core.tally import Tally
from controller.door_metrics import KeyCollector, RefusalCollector
from controller.refusals import Refusals
from controller.report.figures import first_pass_yield
from controller.upkeep.disk import DiskWatch
from devices.defects import Step
from devices.key_ring import KeyRing
from devices.keys import KeyFileError
from devices.messages import StationState
from devices.peers import STATION

LEAD_BUCKETS_S = (1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 259_200, 864_000)
COMMIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
ENCODE_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
STATES = (*StationState, SILENT)


class Metrics:
    """What Prometheus reads.  Counts come from the tally, which the ledger restores after a restart.

    `stations_with_key` names the stations that may connect, None where nobody can say; without it all may.
    """

    def __init__(
        self, tally: Tally, state: FloorState, stations_with_key: Callable[[], Collection[str] | None] = lambda: None
    ) -> None:
        self.registry = CollectorRegistry()
        self._commit = self._histogram("commit_seconds", "real seconds of a group commit", COMMIT_BUCKETS_S)
        self._encode = self._histogram("encode_seconds", "real seconds to encode one card", ENCODE_BUCKETS_S)
        self.registry.register(FloorCollector(tally, state, stations_with_key))

    def watch_disk(self, disk: DiskWatch) -> None:
        """Show the disk of the data folder too."""
        free = Gauge("disk_free_bytes", "free bytes of the data folder", namespace="cardmill", registry=self.registry)
        free.set_function(lambda: disk.free_bytes)
        held = Gauge("disk_reserve_bytes", "bytes of the reserve", namespace="cardmill", registry=self.registry)
        held.set_function(lambda: disk.reserve_bytes)

    def watch_refusals(self, refusals: Refusals) -> None:
        """Show what was refused too."""
        self.registry.register(RefusalCollector(refusals))

    def watch_keys(self, keys: PeerKeys, insecure: bool) -> None:
        """Show what was changed past the service, and whether the sockets are plain."""
        self.registry.register(KeyCollector(keys, insecure))

    def watch_alarms(self, alarms: Callable[[], list[Alarm]]) -> None:
        """Show the alarms that stand too."""
        self.registry.register(AndonCollector(alarms))

    def observe_commit(self, seconds: float, moves: int) -> None:
        """Note one group commit."""
        self._commit.observe(seconds)

    def observe_encode(self, seconds: float, cards: int) -> None:
        """Note one encode job."""
        for _ in range(cards):
            self._encode.observe(seconds / cards)

    def text(self) -> bytes:
        """Give the page in the Prometheus text format."""
        return generate_latest(self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, namespace="cardmill", registry=self.registry, buckets=buckets)


class FloorCollector(Collector):
    """Turns tally and state into metric families at the moment they are read."""

    def __init__(
        self, tally: Tally, state: FloorState, stations_with_key: Callable[[], Collection[str] | None]
    ) -> None:
        self._tally, self._state, self._stations_with_key = tally, state, stations_with_key

    def collect(self) -> Iterable[Metric]:
        """Give all families."""
        yield self._cards()
        yield self._positions()
        yield self._yields()
        yield self._spoiled()
        yield self._lies()
        yield self._station_states()
        yield self._station_holds()
        yield from self._queues()
        yield self._blanks()
        yield self._lead_times()
        yield from self._rights()

    def _cards(self) -> Metric:
        tally = self._tally
        cards = CounterMetricFamily("cardmill_cards", "cases by what became of them", labels=["outcome"])
        for outcome in ("received", "refused", "accepted", "made", "dispatched", "cancelled", "refused_late"):
            cards.add_metric([outcome], getattr(tally, outcome))
        cards.add_metric(["remade"], tally.remade + tally.set_good.total())  # a counter never goes back
        cards.add_metric(["set_good"], tally.set_good.total())
        return cards

    def _positions(self) -> Metric:
        worked = CounterMetricFamily("cardmill_positions", "sheet positions a step worked on", labels=["step"])
        for step in Step:
            worked.add_metric([step], self._tally.worked[step])
        return worked

    def _yields(self) -> Metric:
        yields = GaugeMetricFamily("cardmill_first_pass_yield_ratio", "share not spoiled by a step", labels=["step"])
        for step in Step:
            yields.add_metric([step], first_pass_yield(self._tally, step))
        return yields

    def _spoiled(self) -> Metric:
        spoiled = CounterMetricFamily(
            "cardmill_spoiled", "positions spoiled, by the step that caused it", labels=["step"]
        )
        counted = (self._tally.spoiled_by, self._tally.set_good)  # rejects that were set good, too: it never goes back
        for step in Step:
            spoiled.add_metric([step], sum(n for one in counted for (cause, _), n in one.items() if cause == step))
        return spoiled

    def _lies(self) -> Metric:
        lies = CounterMetricFamily(
            "cardmill_station_lies", "what stations said that cannot be, by its code", labels=["station", "outcome"]
        )
        for (station, code), count in sorted(self._tally.lied.items()):
            lies.add_metric([station, code], count)
        return lies

    def _station_states(self) -> Metric:
        states = GaugeMetricFamily(
            "cardmill_station_state", "1 for the state a station is in", labels=["station", "step", "state"]
        )
        for name in self._standing():
            station = self._state.stations[name]
            now = StationState.EXECUTE if station.job_id and station.state == StationState.IDLE else station.state
            for state in STATES:
                states.add_metric([name, station.step, state], float(state == now))
        return states

    def _station_holds(self) -> Metric:
        held = GaugeMetricFamily(
            "cardmill_station_held", "1 while the controller gives a station no work", labels=["station"]
        )
        for name in self._standing():
            held.add_metric([name], float(name in self._state.station_holds))
        return held

    def _standing(self) -> list[str]:
        """Give the stations that stand on the floor: one that is silent and has no key any more was taken away."""
        stations = self._state.stations
        if all(station.state != SILENT for station in stations.values()):
            return sorted(stations)
        listed = self._stations_with_key()
        return sorted(name for name, one in stations.items() if listed is None or name in listed or one.state != SILENT)

    def _queues(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily("cardmill_waiting_sheets", "sheets that wait for a step", labels=["step"])
        for step in Step:
            waiting.add_metric([step], len(self._state.waiting[step]))
        yield waiting
        cards = GaugeMetricFamily("cardmill_waiting_cards", "cards that wait, by what they wait for", labels=["state"])
        state = self._state
        cards.add_metric(["accepted"], len(state.unencoded) + sum(map(len, state.encode_jobs.values())))
        cards.add_metric(["ready"], sum(map(len, state.ready.values())))
        cards.add_metric(["held"], len(state.holds))
        cards.add_metric(["good"], sum(map(len, state.piles.values())))
        cards.add_metric(["good_stopped"], sum(len(pile.cards) for pile in state.stopped_piles.values()))
        yield cards

    def _blanks(self) -> Metric:
        blanks = GaugeMetricFamily("cardmill_blanks", "blanks by account", labels=["state"])
        for account, count in self._state.stock.blanks.items():
            blanks.add_metric([account], count)
        return blanks

    def _rights(self) -> Iterable[Metric]:
        """Give what an alarm rule watches: refused attempts, and roles taken in an emergency."""
        yield CounterMetricFamily(
            "cardmill_denied", "attempts at what was not theirs who tried", value=self._tally.denied
        )
        taken = sum(map(len, self._state.glass.values()))
        yield GaugeMetricFamily("cardmill_glass", "roles taken in an emergency, alone, and not over yet", value=taken)
        yield CounterMetricFamily(
            "cardmill_glass_broken", "roles ever taken in an emergency, alone", value=self._tally.glass_broken
        )

    def _lead_times(self) -> Metric:
        leads = self._tally.lead_s
        family = Metric("cardmill_lead_time_seconds", "floor seconds from a batch's arrival to dispatch", "histogram")
        for bound in LEAD_BUCKETS_S:
            under = sum(count for lead, count in leads.items() if lead <= bound)
            family.add_sample("cardmill_lead_time_seconds_bucket", {"le": f"{float(bound)}"}, under)
        family.add_sample("cardmill_lead_time_seconds_bucket", {"le": "+Inf"}, leads.total())
        family.add_sample("cardmill_lead_time_seconds_count", {}, leads.total())
        family.add_sample("cardmill_lead_time_seconds_sum", {}, sum(lead * count for lead, count in leads.items()))
        return family


def stations_with_key(folder: Path) -> frozenset[str] | None:
    """Give the names of the stations whose keys lie in a folder of keys; None when it cannot be read."""
    try:
        return frozenset(key.name for key in KeyRing(folder).listing() if key.role == STATION)
    except KeyFileError:
        return None
