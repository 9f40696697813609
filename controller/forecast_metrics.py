"""The metrics of forecasts: how often what they said of a batch held."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.forecasting.record import OUTCOMES, Record


class ForecastCollector(Collector):
    """Turns the record of forecasts into metric families at the moment it is read."""

    def __init__(self, record: Callable[[], Record], made_floor_s: Callable[[], float]) -> None:
        self._record, self._made_floor_s = record, made_floor_s

    def collect(self) -> Iterable[Metric]:
        """Give the families."""
        counts = self._record().counts
        batches = CounterMetricFamily(
            "cardmill_forecast_batches",
            "finished batches, by whether the first forecast of them held: by its P50, by its P90, or after it",
            labels=["outcome"],
        )
        for outcome in OUTCOMES:
            batches.add_metric([outcome], counts.get(outcome, 0))
        yield batches
        made = GaugeMetricFamily("cardmill_forecast_made_floor_seconds", "floor time of the newest forecast; 0: none")
        made.add_metric([], self._made_floor_s())
        yield made
