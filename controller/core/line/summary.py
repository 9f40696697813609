"""Many pretend runs added up: when things are finished, what runs out first, what a change brings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil, inf, sqrt
from statistics import median

from controller.core.calendar import DAY_S
from controller.core.line.outcome import (
    BatchGain,
    Difference,
    Finish,
    Forecast,
    Gain,
    LineRun,
    Sensitivity,
    StarvingInput,
)
from devices.defects import Step

HOUR_S = 3_600.0
LOADED = 0.75  # a pace is measured until so much of what is open is made: an empty floor has none
# 97.5 % points of Student's distribution by degrees of freedom; beyond them the normal one's
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10)
NORMAL = 1.96


def quantile(values: Sequence[float], share: float) -> float:
    """Give the value that one more such value stays below with a chance of `share`; `inf`: too few values to say.

    It is the order statistic of rank share x (n + 1), rounded up: what n runs promise of an (n + 1)-th, the truth.
    """
    rank = ceil(share * (len(values) + 1) - 1e-9)
    return sorted(values)[rank - 1] if 1 <= rank <= len(values) else inf


def summarise(runs: Sequence[LineRun]) -> Forecast:
    """Give P50 and P90 of every finish, what runs out first and how often, and the pace; at least one run."""
    first = runs[0]
    batches = [_finish(one, "", [run.batches[one] for run in runs]) for one in first.batches]
    bundles = [
        _finish(batch_id, unit, [run.bundles[place][2] for run in runs])
        for place, (batch_id, unit, _) in enumerate(first.bundles)
    ]
    paces = [_cards_per_day(run, _loaded_until(run)) for run in runs]
    return Forecast(
        len(runs),
        first.began_floor_s,
        batches,
        bundles,
        _starving(runs),
        median(paces),  # the mean of a floor that is nearly empty may lie above P90: a few runs end in minutes
        _inner(paces, 0.1),
        _inner(paces, 0.9),
        {step: sum(run.busy_share.get(step, 0.0) for run in runs) / len(runs) for step in first.busy_share},
    )


def compare(base: Sequence[LineRun], changed: Sequence[LineRun]) -> Difference:
    """Give what a change brings; the runs are paired by their seeds, of which they share at least two.

    Cards are compared at the horizon: when three quarters of what is open are made on the line as it is (the mean of
    the runs), or where the shortest run ended if that is earlier.
    """
    pairs = _pairs(base, changed)
    horizon = min(
        sum(_loaded_until(one) for one, _ in pairs) / len(pairs), *(run.ended_floor_s for pair in pairs for run in pair)
    )
    span_s = max(horizon - pairs[0][0].began_floor_s, 1.0)
    cards = [_made_until(other, horizon) - _made_until(one, horizon) for one, other in pairs]
    hours: dict[int, list[float]] = {number: [] for number in pairs[0][0].batches}
    last, mean = [], []
    for one, other in pairs:
        later = {number: _finish_of(other, number) - _finish_of(one, number) for number in one.batches}
        for number, seconds in later.items():
            hours[number].append(seconds / HOUR_S)
        mean.append(sum(later.values()) / max(len(later), 1) / HOUR_S)
        last.append((_last(other) - _last(one)) / HOUR_S)
    return Difference(
        _gain(cards),
        _gain([one * DAY_S / span_s for one in cards]),
        _gain(mean),
        _gain(last),
        [BatchGain(number, _gain(values)) for number, values in hours.items()],
        horizon,
    )


def sensitivity(base: Sequence[LineRun], more: Mapping[Step, Sequence[LineRun]]) -> list[Sensitivity]:
    """Give what one station more of each step brings, the largest gain first; paired by seeds."""
    rows = []
    for step, runs in more.items():
        difference = compare(base, runs)
        busy = sum(run.busy_share.get(step.value, 0.0) for run in base) / len(base)
        rows.append(Sensitivity(step.value, difference.cards_per_day, difference.hours, busy))
    return sorted(rows, key=lambda row: (-row.cards_per_day.mean, row.hours.mean, row.step))


# ---- inside ------------------------------------------------------------------------------------------------------


def _finish(batch_id: int, unit: str, finishes: Sequence[float | None]) -> Finish:
    times = [inf if one is None else one for one in finishes]
    finished = sum(one is not None for one in finishes)
    return Finish(batch_id, unit, _or_none(quantile(times, 0.5)), _or_none(quantile(times, 0.9)), finished / len(times))


def _or_none(at_floor_s: float) -> float | None:
    return None if at_floor_s == inf else at_floor_s


def _inner(values: Sequence[float], share: float) -> float:
    """Give a quantile that is always one of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _starving(runs: Sequence[LineRun]) -> list[StarvingInput]:
    times: dict[tuple[str, str], list[float]] = {}
    firsts: dict[tuple[str, str], int] = {}
    for run in runs:
        for number, one in enumerate(run.starving):
            times.setdefault((one.what, one.where), []).append(one.at_floor_s)
            if not number:
                firsts[one.what, one.where] = firsts.get((one.what, one.where), 0) + 1
    rows = [
        StarvingInput(*key, firsts.get(key, 0) / len(runs), len(at) / len(runs), _inner(at, 0.1), _inner(at, 0.5))
        for key, at in times.items()
    ]
    return sorted(rows, key=lambda row: (-row.first_share, row.p50_floor_s, row.what, row.where))


def _made_until(run: LineRun, at_floor_s: float) -> int:
    return sum(cards for made_floor_s, cards in run.made if made_floor_s <= at_floor_s)


def _loaded_until(run: LineRun) -> float:
    """Give when three quarters of the cards of a run were made: until then its floor had work."""
    made = list(accumulate(cards for _, cards in run.made))
    if not made:
        return run.ended_floor_s
    place = bisect_right(made, LOADED * made[-1])
    return run.made[min(place, len(made) - 1)][0]


def _cards_per_day(run: LineRun, until_floor_s: float) -> float:
    return _made_until(run, until_floor_s) * DAY_S / max(until_floor_s - run.began_floor_s, 1.0)


def _pairs(base: Sequence[LineRun], changed: Sequence[LineRun]) -> list[tuple[LineRun, LineRun]]:
    by_seed = {run.seed: run for run in changed}
    return [(run, by_seed[run.seed]) for run in base if run.seed in by_seed]


def _finish_of(run: LineRun, batch_id: int) -> float:
    """Give when a batch was finished; one that was not, when the run ended."""
    at_floor_s = run.batches[batch_id]
    return run.ended_floor_s if at_floor_s is None else at_floor_s


def _last(run: LineRun) -> float:
    return max((_finish_of(run, batch_id) for batch_id in run.batches), default=run.ended_floor_s)


def _gain(values: Sequence[float]) -> Gain:
    count = len(values)
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1) if count > 1 else 0.0
    factor = STUDENT[count - 2] if 2 <= count < len(STUDENT) + 2 else NORMAL
    return Gain(mean, factor * sqrt(variance / count), count)
