"""The record of forecasts: what was said of each batch, and, once it is finished, whether that held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from controller.core.calendar import DAY_S

BATCHES_MAX = 5_000  # open ones of which something is kept; the oldest go first
DAYS_MAX = 40  # forecasts of one batch, one a floor day; then the second is dropped: the first is the one that counts
SCORED_MAX = 1_000  # finished batches that are listed; all of them are in the counts
BY_P50, BY_P90, LATER = "by_p50", "by_p90", "after_p90"
OUTCOMES = (BY_P50, BY_P90, LATER)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one forecast said of one batch, in floor seconds."""

    made_floor_s: float
    p50_floor_s: float
    p90_floor_s: float
    late_percent: float = 0.0


class SaidLast(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest forecast said of one open batch; None: beyond what the runs look at."""

    made_floor_s: float
    p50_floor_s: float | None
    p90_floor_s: float | None
    late_percent: float


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A finished batch, the first forecast of it, and when it was finished."""

    batch_id: int
    batch_number: str
    made_floor_s: float
    p50_floor_s: float
    p90_floor_s: float
    finished_floor_s: float

    @property
    def outcome(self) -> str:
        """Say which of `OUTCOMES` came."""
        if self.finished_floor_s <= self.p50_floor_s:
            return BY_P50
        return BY_P90 if self.finished_floor_s <= self.p90_floor_s else LATER


class OpenBatch(msgspec.Struct):
    """What was said of a batch that is not finished, the first of each floor day."""

    batch_number: str
    said: list[Said]


class Record(msgspec.Struct):
    """All that is kept.  Bounded: see the constants of this file."""

    open: dict[int, OpenBatch] = {}
    scored: list[Scored] = []
    counts: dict[str, int] = {}  # by outcome, of all batches ever scored

    def note(self, batch_id: int, batch_number: str, said: Said) -> None:
        """Keep what a forecast said of a batch, unless one of this floor day is kept already."""
        batch = self.open.get(batch_id)
        if batch is None:
            self.open[batch_id] = OpenBatch(batch_number, [said])
            while len(self.open) > BATCHES_MAX:
                del self.open[next(iter(self.open))]
        elif said.made_floor_s // DAY_S > batch.said[-1].made_floor_s // DAY_S:
            batch.said.append(said)
            if len(batch.said) > DAYS_MAX:
                del batch.said[1]

    def score(self, finished: Mapping[int, float]) -> int:
        """Score batches by when they were finished, in floor seconds; give how many."""
        count = 0
        for batch_id, finished_floor_s in finished.items():
            batch = self.open.pop(batch_id, None)
            if batch is None:
                continue
            first = batch.said[0]
            one = Scored(
                batch_id=batch_id,
                batch_number=batch.batch_number,
                made_floor_s=first.made_floor_s,
                p50_floor_s=first.p50_floor_s,
                p90_floor_s=first.p90_floor_s,
                finished_floor_s=finished_floor_s,
            )
            self.scored.append(one)
            self.counts[one.outcome] = self.counts.get(one.outcome, 0) + 1
            count += 1
        del self.scored[:-SCORED_MAX]
        return count

    def forget(self, batches: Iterable[int]) -> None:
        """Drop batches of which nothing can be scored."""
        for batch_id in batches:
            self.open.pop(batch_id, None)

    def calibration(self) -> Calibration:
        """Give how often the forecasts held."""
        scored = sum(self.counts.values())
        by_p50 = self.counts.get(BY_P50, 0)
        by_p90 = by_p50 + self.counts.get(BY_P90, 0)
        return Calibration(
            scored=scored,
            p50_held_percent=100.0 * by_p50 / scored if scored else None,
            p90_held_percent=100.0 * by_p90 / scored if scored else None,
            waiting=len(self.open),
        )


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many finished batches the first forecast is known, and in how many percent it held; None: none yet."""

    scored: int
    p50_held_percent: float | None
    p90_held_percent: float | None
    waiting: int  # batches with a forecast that are not finished
