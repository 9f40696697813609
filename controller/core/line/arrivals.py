"""Batches that come to a pretend line: as often as they came, and like those that came last."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from controller.core.events import BatchChecked
from controller.core.line import guesses
from controller.core.line.draws import Draws
from controller.core.line.figures import BatchShape, Estimates
from controller.core.moves import RowVerdict, Verdict
from controller.core.settings import ROUTES

HOUR_S = 3_600.0
NUMBERS_ABOVE = 1_000_000  # pretend batches have numbers so far above the real ones
HOURS_MAX = 24 * 400

Push = Callable[[float, BatchChecked], None]


class LineArrivals:
    """Pushes one batch after another: a Poisson process with a rate for each hour of the day, drawn once a run."""

    def __init__(self, estimates: Estimates, draws: Draws, push: Push, last_batch_id: int) -> None:
        self._figures, self._draws, self._push = estimates.arrivals, draws, push
        self._rates = _rates_per_s(estimates, draws)
        self._number = 0
        self._first_id = last_batch_id + NUMBERS_ABOVE

    def is_pretend(self, batch_id: int) -> bool:
        """Say whether a batch came in this run."""
        return batch_id >= self._first_id

    def push_next(self, after_floor_s: float) -> None:
        """Push the next batch, if any ever comes."""
        at = self._next_floor_s(after_floor_s)
        if at is None:
            return
        shapes = self._figures.shapes
        shape = shapes[int(self._draws.point(f"batch {self._number} shape") * len(shapes))]
        batch_id = self._first_id + self._number
        self._number += 1
        rows = _rows(shape.held, shape.express, tuple(map(tuple, shape.units)))
        due = at + shape.due_in_s
        self._push(at, BatchChecked(batch_id, f"forecast {self._number}", "forecast", _kind(shape), at, due, rows))

    def _next_floor_s(self, after_floor_s: float) -> float | None:
        """Give when the next one comes: an exponential time, at the pace of the hours it passes."""
        if not self._figures.shapes or not any(self._rates):
            return None
        left, at = self._draws.exponential(f"batch {self._number} comes"), after_floor_s
        for _ in range(HOURS_MAX):
            hour_end = (at // HOUR_S + 1) * HOUR_S
            rate = self._rates[int(at // HOUR_S) % 24]
            if rate * (hour_end - at) >= left:
                return at + left / rate
            left -= rate * (hour_end - at)
            at = hour_end
        return None


def _kind(shape: BatchShape) -> str:
    return shape.card_kind if shape.card_kind in ROUTES else next(iter(ROUTES))


@cache
def _rows(held: int, express: int, units: tuple[tuple[str, int], ...]) -> list[RowVerdict]:
    """Give a batch's rows: express ones first, then those a person decides about; nobody changes them."""
    names = [unit for unit, cards in units for _ in range(cards)]
    return [
        RowVerdict(
            index, "", unit, Verdict.HOLD if express <= index < express + held else Verdict.OK, express=index < express
        )
        for index, unit in enumerate(names)
    ]


def _rates_per_s(estimates: Estimates, draws: Draws) -> list[float]:
    """Give the batches a second that each hour of the day brings in this run."""
    arrivals, first, last = estimates.arrivals, estimates.first_floor_s, estimates.last_floor_s
    watched = [0.0] * 24
    at = first
    while at < last and at < first + HOURS_MAX * HOUR_S:
        end = min((at // HOUR_S + 1) * HOUR_S, last)
        watched[int(at // HOUR_S) % 24] += end - at
        at = end
    whole = max(last - first, HOUR_S)
    mean = draws.rate(guesses.EARLY_BATCHES + arrivals.batches, whole, "batches")
    alike = guesses.HOURS_ALIKE
    return [
        draws.rate(alike + count, alike / mean + seconds, f"batches of hour {hour}")
        for hour, (count, seconds) in enumerate(zip(arrivals.by_hour, watched, strict=True))
    ]
