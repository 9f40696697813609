"""The metrics: what Prometheus reads, on a registry of our own; labels come from a closed list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from controller.andon.collector import AndonCollector
from controller.application import batch_of
from controller.core.andon.alarm import Alarm
from controller.core.calendar import Calendar
from controller.core.moves import AnyMove, BatchClosed, BatchOpened, ConsignmentSent
from controller.core.peer_keys import PeerKeys
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.door_metrics import KeyCollector, RefusalCollector
from controller.floor_metrics import FloorCollector
from controller.forecast_metrics import ForecastCollector
from controller.forecasting.record import Record
from controller.lead_times import BATCH_ID, LeadTimes
from controller.readiness import Readiness
from controller.refusals import Refusals
from controller.station_metrics import StationCollector, StationsWithKey
from controller.upkeep.disk import DiskWatch

COMMIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
TURN_BUCKETS_S = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
ENCODE_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
LABELS: Mapping[str, str] = {  # all there are: never a card, a batch or a person
    "station": "a station that stands on the floor",
    "step": "print, laminate, punch, write, inspect or pack",
    "state": "of a station, of waiting cards, of batches; an account of blanks",
    "outcome": "what became of it",
    "door": "upstream, station or operator",
    "severity": "of an alarm: page, ticket or note",
    "code": "of a refusal, a finding, a reason or an alarm",
    "le": "the upper bound of a histogram's bucket",
}
OF_THE_PROCESS = (  # what they measure is the process: they begin anew with it, as Prometheus expects
    "cardmill_commit_seconds",
    "cardmill_encode_seconds",
    "cardmill_turn_seconds",
    "cardmill_portrait_cpu_seconds",
    "cardmill_refusals",
    "cardmill_connections",
    "process_",
)


class Metrics:
    """What Prometheus reads.  Counts come from the tally, which the ledger restores after a restart.

    `stations_with_key` names the stations that may connect, None where nobody can say; without it all may.  Without
    `now_floor_s` the time is that of the last move.
    """

    def __init__(
        self,
        tally: Tally,
        state: FloorState,
        stations_with_key: StationsWithKey = lambda: None,
        *,
        now_floor_s: Callable[[], float] | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        now = now_floor_s or (lambda: tally.last_floor_s)
        self.registry = CollectorRegistry()
        self._commit = self._histogram("commit_seconds", "real seconds of a group commit", COMMIT_BUCKETS_S)
        self._encode = self._histogram("encode_seconds", "real seconds to encode one card", ENCODE_BUCKETS_S)
        self._turn = self._histogram("turn_seconds", "real seconds the foreman took for one event", TURN_BUCKETS_S)
        self._portraits = Counter(
            "portrait_cpu_seconds",
            "processor seconds of the encoding of portraits",
            namespace="cardmill",
            registry=self.registry,
        )
        self._lead_times = LeadTimes(tally)
        self._numbers = {batch.batch_id: batch.batch_number for batch in state.batches.values()}  # for examples
        self.registry.register(FloorCollector(tally, state, now))
        self.registry.register(StationCollector(tally, state, stations_with_key, now, calendar))
        self.registry.register(self._lead_times)
        ProcessCollector(registry=self.registry)

    def watch_disk(self, disk: DiskWatch) -> None:
        """Show the disk of the data folder too."""
        line = disk.line
        self._gauge("disk_free_bytes", "free bytes of the data folder", lambda: disk.free_bytes)
        self._gauge("disk_free_min_bytes", "below so many nothing new is taken in", lambda: line()["free_min_bytes"])
        self._gauge("disk_reserve_bytes", "bytes of the reserve", lambda: disk.reserve_bytes)

    def watch_ledger(self, moves: Callable[[], int]) -> None:
        """Show how many moves the ledger holds."""
        self.registry.register(LedgerCollector(moves))

    def watch_tasks(self, tasks: Callable[[], int]) -> None:
        """Show how many tasks the service has: what grows with the cards it made is a leak."""
        self._gauge("tasks", "tasks of the service that have not ended", tasks)

    def watch_readiness(self, readiness: Readiness) -> None:
        """Show what keeps new work out."""
        self.registry.register(readiness)

    def watch_refusals(self, refusals: Refusals) -> None:
        """Show what was refused too."""
        self.registry.register(RefusalCollector(refusals))

    def watch_keys(self, keys: PeerKeys, insecure: bool) -> None:
        """Show what was changed past the service, and whether the sockets are plain."""
        self.registry.register(KeyCollector(keys, insecure))

    def watch_alarms(self, alarms: Callable[[], list[Alarm]]) -> None:
        """Show the alarms that stand too."""
        self.registry.register(AndonCollector(alarms))

    def watch_forecasts(self, record: Callable[[], Record], made_floor_s: Callable[[], float]) -> None:
        """Show how often forecasts held too."""
        self.registry.register(ForecastCollector(record, made_floor_s))

    def note(self, at_floor_s: float, move: AnyMove) -> None:
        """Take a durable move that the tally does not know yet."""
        if isinstance(move, BatchOpened):
            self._numbers[move.batch_id] = move.batch_number
        elif isinstance(move, ConsignmentSent):
            self._lead_times.note(at_floor_s, move, self._numbers.get(move.batch_id, ""))
        elif isinstance(move, BatchClosed):
            self._numbers.pop(move.batch_id, None)

    def observe_commit(self, seconds: float, moves: int) -> None:
        """Note one group commit."""
        self._commit.observe(seconds)

    def observe_encode(self, seconds: float, cards: Sequence[int]) -> None:
        """Note one encode job."""
        for card in cards:
            number = self._numbers.get(batch_of(card))
            self._encode.observe(seconds / len(cards), {BATCH_ID: number} if number else None)

    def spend_on_portraits(self, cpu_s: float) -> None:
        """Note the processor seconds of a portrait; from any thread, for the counter has a lock of its own."""
        self._portraits.inc(cpu_s)

    def observe_turn(self, seconds: float) -> None:
        """Note one turn of the foreman."""
        self._turn.observe(seconds)

    def text(self) -> bytes:
        """Give the page in the Prometheus text format."""
        return generate_latest(self.registry)

    def openmetrics(self) -> bytes:
        """Give the page as OpenMetrics 1.0, which has exemplars."""
        page: bytes = generate_openmetrics(self.registry)  # type: ignore[no-untyped-call]
        return page

    def _gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, namespace="cardmill", registry=self.registry).set_function(value)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, namespace="cardmill", registry=self.registry, buckets=buckets)


class LedgerCollector(Collector):
    """Tells how far the ledger is."""

    def __init__(self, moves: Callable[[], int]) -> None:
        self._moves = moves

    def collect(self) -> Iterable[Metric]:
        """Give the family."""
        yield CounterMetricFamily("cardmill_ledger_moves", "durable moves of the ledger", value=self._moves())
