"""The histogram of lead times, arrival to dispatch: counted as moves come, a batch named beside each bucket."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from controller.core.moves import ConsignmentSent
from controller.core.tally import Tally

BUCKETS_S = (1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 57_600.0, 86_400.0, 259_200.0, 864_000.0)
NAME = "cardmill_lead_time_seconds"
BATCH_ID = "batch_id"  # of exemplars alone: no series has it


class LeadTimes(Collector):
    """Counts the tally's lead times into buckets once, at the start, and from then on each consignment that leaves."""

    def __init__(self, tally: Tally, real_s: Callable[[], float] = time.time) -> None:
        self._tally, self._real_s = tally, real_s
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum_tenths = 0  # of a second, as the tally rounds: a sum that does not ask for the order
        self._examples: list[Exemplar | None] = [None] * len(self._counts)
        for lead_s, cards in tally.lead_s.items():
            self._add(lead_s, cards)

    def note(self, at_floor_s: float, sent: ConsignmentSent, batch_number: str) -> None:
        """Take a durable consignment that the tally does not know yet; without a number there is no example of it."""
        lead_s = round(at_floor_s - self._tally.batch_received[sent.batch_id], 1)
        place = self._add(lead_s, sum(self._tally.bundles[bundle] for bundle in sent.bundles))
        if batch_number:
            self._examples[place] = Exemplar({BATCH_ID: batch_number}, lead_s, self._real_s())

    def collect(self) -> Iterable[Metric]:
        """Give the family."""
        family = Metric(NAME, "floor seconds from a batch's arrival to dispatch", "histogram", "seconds")
        under = 0
        for bound, count, example in zip((*map(str, BUCKETS_S), "+Inf"), self._counts, self._examples, strict=True):
            under += count
            family.add_sample(f"{NAME}_bucket", {"le": bound}, under, exemplar=example)
        family.add_sample(f"{NAME}_count", {}, under)
        family.add_sample(f"{NAME}_sum", {}, self._sum_tenths / 10)
        yield family

    def _add(self, lead_s: float, cards: int) -> int:
        place = bisect_left(BUCKETS_S, lead_s)
        self._counts[place] += cards
        self._sum_tenths += round(lead_s * 10) * cards
        return place
