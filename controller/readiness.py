"""Whether intake is possible now, and what keeps it closed: for `/readyz` and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

DISK_LOW, RECONCILING, LEDGER_STOPPED, LEDGER_SLOW = "disk.low", "ledger.reconciling", "ledger.stopped", "ledger.slow"
REASONS: Mapping[str, str] = {
    DISK_LOW: "less is free on the disk of the data folder than storage.free_min_mib: free some space",
    RECONCILING: "this ledger came out of a backup: two people compare the floor with it, then `cardmill reconciled`",
    LEDGER_STOPPED: "a commit failed, and the service is ending: look at its last words",
    LEDGER_SLOW: "what was decided is not on the disk yet after some seconds: look at the disk and the database",
}


@dataclass(frozen=True, slots=True)
class Readiness(Collector):
    """What keeps new work out; each asks the thing itself."""

    is_full: Callable[[], bool]
    is_reconciling: Callable[[], bool]
    is_stopped: Callable[[], bool]

    def codes(self) -> list[str]:
        """Give why nothing new is taken in, by code; nothing when it is."""
        asked = ((DISK_LOW, self.is_full), (RECONCILING, self.is_reconciling), (LEDGER_STOPPED, self.is_stopped))
        return [code for code, is_so in asked if is_so()]

    def collect(self) -> Iterable[Metric]:
        """Give the family; `ledger.slow` is not among it: the page itself waits for the ledger then."""
        closed = GaugeMetricFamily("cardmill_intake_closed", "1 while this keeps new work out", labels=["code"])
        found = self.codes()
        for code in REASONS:
            if code != LEDGER_SLOW:
                closed.add_metric([code], float(code in found))
        yield closed


def readiness_line(codes: Iterable[str]) -> dict[str, Any]:
    """Give what `/readyz` answers."""
    reasons = [{"code": code, "sentence": REASONS[code]} for code in codes]
    return {"ready": not reasons, "reasons": reasons}
