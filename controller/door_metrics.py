"""The metrics of the doors: everything refused in one family, connections, and what is known of the keys."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.core.peer_keys import PeerKeys
from controller.refusals import Refusals


class RefusalCollector(Collector):
    """Turns what was refused, and who came, into metric families at the moment they are read."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def collect(self) -> Iterable[Metric]:
        """Give the families."""
        refused = CounterMetricFamily(
            "cardmill_refusals",
            "frames, requests, applications, connections, lies and pages that were refused or cut, since the start",
            labels=["door", "code"],
        )
        for door, codes in self._refusals.counts().items():
            for code, count in codes.items():
                refused.add_metric([door, code], count)
        yield refused
        connections = CounterMetricFamily(
            "cardmill_connections",
            "connections that came, or were let in, since the start",
            labels=["door", "outcome"],
        )
        for key, count in self._refusals.connections().items():
            connections.add_metric(key, count)
        yield connections


class KeyCollector(Collector):
    """Turns what is known of the doors' keys into metric families at the moment it is read."""

    def __init__(self, keys: PeerKeys, insecure: bool) -> None:
        self._keys, self._insecure = keys, insecure

    def collect(self) -> Iterable[Metric]:
        """Give the families."""
        outside = CounterMetricFamily(
            "cardmill_keys_changed_outside", "changes of keys past the service, since there was an administrator"
        )
        outside.add_metric([], self._keys.outside)
        yield outside
        insecure = GaugeMetricFamily("cardmill_insecure", "1 while the sockets are plain")
        insecure.add_metric([], float(self._insecure))
        yield insecure
