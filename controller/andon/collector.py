"""The alarms as a metric: how many stand, by severity and code; all codes are always there, most of them at 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.core.andon.alarm import Alarm
from controller.core.andon.rules import RULES


class AndonCollector(Collector):
    """Turns the list of alarms into a metric family at the moment it is read."""

    def __init__(self, alarms: Callable[[], list[Alarm]]) -> None:
        self._alarms = alarms

    def collect(self) -> Iterable[Metric]:
        """Give the family."""
        counts = Counter(one.code for one in self._alarms())
        family = GaugeMetricFamily(
            "cardmill_alarms", "alarms that stand, as `cardmill alarms` lists them", labels=["severity", "code"]
        )
        for code, rule in RULES.items():
            family.add_metric([rule.severity.value, code], counts[code])
        yield family
