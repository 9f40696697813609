"""How a time or ratio is spread on one pretend line: what was counted, a weak guess, and the doubt about both."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp, log2

from controller.core.line.bins import Bins
from controller.core.line.draws import Draws

SURE = 2_000  # of so many counted values the doubt is left out
AGAIN = 0.25  # of what was seen at most: the mean of what is left once a value is above all that was seen


@dataclass(frozen=True, slots=True)
class Guess:
    """What a value is taken for before it was seen: median, spread in octaves, and for how many values it counts."""

    median: float
    octaves: float
    weight: float


class Spread:
    """Draws values: bins weighted as a Bayesian bootstrap weighs them (one weighting a run), logarithms even in a bin.

    Source: Rubin, The Annals of Statistics 9 (1981), 130-134.
    """

    def __init__(self, bins: Bins, guess: Guess, draws: Draws, about: str) -> None:
        weights: dict[int, float] = dict(_guessed(guess, bins.per_octave))
        for place, count in bins.counts.items():
            weights[place] = weights.get(place, 0.0) + count
        self._width = 1.0 / bins.per_octave
        self._places = sorted(weights)
        if bins.count < SURE:
            weights = {place: draws.gamma(weights[place], f"{about} {place}") for place in self._places}
        self._below = list(accumulate(weights[place] for place in self._places))

    def value(self, point: float) -> float:
        """Give the value that a point (0 up to 1) stands for; larger points, larger values."""
        reached = point * self._below[-1]
        index = min(bisect_right(self._below, reached), len(self._below) - 1)
        before = self._below[index - 1] if index else 0.0
        within = (reached - before) / max(self._below[index] - before, 1e-300)
        return float(2.0 ** ((self._places[index] + min(within, 1.0)) * self._width))

    def beyond(self, least: float, point: float) -> float:
        """Give a value of those that are at least so large; it is larger than any seen when `least` is."""
        below = self._share_below(least)
        if below >= 1.0 - 1e-9:
            return least * (1.0 + AGAIN * -log2(max(1.0 - point, 1e-9)))
        return max(least, self.value(below + point * (1.0 - below)))

    def mean(self) -> float:
        """Give the mean of the drawn values, nearly: of the bins' middles."""
        total, before = 0.0, 0.0
        for place, below in zip(self._places, self._below, strict=True):
            total += (below - before) * 2.0 ** ((place + 0.5) * self._width)
            before = below
        return float(total / self._below[-1])

    def _share_below(self, least: float) -> float:
        if least <= 0.0:
            return 0.0
        place = log2(least) / self._width
        index = bisect_right(self._places, place) - 1
        if index < 0:
            return 0.0
        before = self._below[index - 1] if index else 0.0
        within = min(1.0, place - self._places[index])
        return (before + within * (self._below[index] - before)) / self._below[-1]


def quantile_of(bins: Bins, guess: Guess, share: float) -> float:
    """Give the value below which so much lies of what was counted and guessed, nearly: the middle of its bin."""
    weights: dict[int, float] = dict(_guessed(guess, bins.per_octave))
    for place, count in bins.counts.items():
        weights[place] = weights.get(place, 0.0) + count
    places = sorted(weights)
    below = list(accumulate(weights[place] for place in places))
    place = places[min(bisect_right(below, share * below[-1]), len(places) - 1)]
    return float(2.0 ** ((place + 0.5) / bins.per_octave))


@cache
def _guessed(guess: Guess, per_octave: int) -> Mapping[int, float]:
    """Give a guess as bins: a normal distribution of the logarithm, cut at 2.5 of its spreads."""
    middle = log2(guess.median) * per_octave
    reach = guess.octaves * per_octave
    places = range(round(middle - 2.5 * reach), round(middle + 2.5 * reach) + 1)
    heights = {place: exp(-0.5 * ((place + 0.5 - middle) / max(reach, 0.5)) ** 2) for place in places}
    total = sum(heights.values())
    return {place: guess.weight * height / total for place, height in heights.items()}
