"""The metrics of the floor as a whole: cards, batches, steps, blanks and its clock, read from tally and state."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.core.yields import step_quality
from devices.defects import Step

HOURLY = ("received", "made", "dispatched", "remade")  # of the tally's window


class FloorCollector(Collector):
    """Turns tally and state into metric families at the moment they are read."""

    def __init__(self, tally: Tally, state: FloorState, now_floor_s: Callable[[], float]) -> None:
        self._tally, self._state, self._now_floor_s = tally, state, now_floor_s

    def collect(self) -> Iterable[Metric]:
        """Give all families."""
        yield from self._cards()
        yield from self._batches()
        yield from self._steps()
        yield from self._queues()
        yield self._blanks()
        yield from self._rights()
        yield self._clock()

    def _cards(self) -> Iterable[Metric]:
        tally = self._tally
        cards = CounterMetricFamily("cardmill_cards", "cases by what became of them", labels=["outcome"])
        for outcome in ("received", "refused", "accepted", "dispatched", "cancelled", "refused_late"):
            cards.add_metric([outcome], getattr(tally, outcome))
        # a counter never goes back: what was taken off a count again is counted by itself
        cards.add_metric(["made"], tally.made + tally.opened)
        cards.add_metric(["opened"], tally.opened)
        cards.add_metric(["remade"], tally.remade + tally.set_good.total())
        cards.add_metric(["set_good"], tally.set_good.total())
        yield cards
        yield GaugeMetricFamily("cardmill_open_cards", "cases that have not come to their end", value=tally.open())
        hour = GaugeMetricFamily("cardmill_last_hour_cards", "cards of the last floor hour", labels=["outcome"])
        sums = tally.window.sums(self._now_floor_s())
        for outcome in HOURLY:
            hour.add_metric([outcome], sums[outcome])
        yield hour
        refused = CounterMetricFamily("cardmill_findings", "refused cases by each code found on them", labels=["code"])
        for code, count in sorted(tally.refused_by_code.items()):
            refused.add_metric([code], count)
        yield refused

    def _batches(self) -> Iterable[Metric]:
        tally, now = self._tally, self._now_floor_s()
        batches = CounterMetricFamily("cardmill_batches", "batches by what became of them", labels=["outcome"])
        batches.add_metric(["opened"], tally.batches)
        batches.add_metric(["closed"], tally.batches_closed)
        yield batches
        going = [batch for batch in self._state.batches.values() if batch.has_open()]
        late = sum(now > batch.due_floor_s for batch in going)
        opened = GaugeMetricFamily("cardmill_open_batches", "batches with an open case, by due date", labels=["state"])
        opened.add_metric(["in_time"], len(going) - late)
        opened.add_metric(["late"], late)
        yield opened

    def _steps(self) -> Iterable[Metric]:
        tally = self._tally
        worked = CounterMetricFamily(
            "cardmill_positions", "sheet positions a step worked on (pack: cards)", labels=["step"]
        )
        again = CounterMetricFamily(
            "cardmill_reworked_positions", "positions a step worked on once more", labels=["step"]
        )
        spoiled = CounterMetricFamily(
            "cardmill_spoiled", "positions spoiled, by the step that caused it", labels=["step"]
        )
        yields = GaugeMetricFamily(
            "cardmill_first_pass_yield_ratio", "share not spoiled by a step, since the ledger began", labels=["step"]
        )
        counted = (tally.spoiled_by, tally.set_good)  # rejects that were set good, too: it never goes back
        for step in Step:
            worked.add_metric([step], tally.worked[step])
            again.add_metric([step], tally.reworked[step])
            spoiled.add_metric([step], sum(n for one in counted for (cause, _), n in one.items() if cause == step))
            yields.add_metric([step], step_quality(tally, step).fpy)
        yield from (worked, again, spoiled, yields)

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

    def _clock(self) -> Metric:
        """Give the floor's clock as a counter: its rate is 1 on a real floor, and the scale of a simulated one."""
        return CounterMetricFamily(
            "cardmill_floor_seconds", "time of the floor's clock", value=self._now_floor_s(), unit="seconds"
        )
