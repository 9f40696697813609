"""Numbers that look random, as hashes of a seed and of what they are about: the same for the same matter, anywhere."""

from __future__ import annotations

from hashlib import blake2b
from math import cos, exp, log, log1p, pi, sqrt

SCALE = 2.0**-53
TRIES_MAX = 64  # of the rejection method of a gamma value, whose tries succeed with 95 % each


class Draws:
    """All draws of one run."""

    def __init__(self, seed: int) -> None:
        self._start = blake2b(f"line {seed}|".encode(), digest_size=8)

    def point(self, about: str) -> float:
        """Give a number from 0 up to 1.  Cost: 1 us."""
        one = self._start.copy()
        one.update(about.encode())
        return (int.from_bytes(one.digest(), "big") >> 11) * SCALE

    def exponential(self, about: str) -> float:
        """Give a value of the exponential distribution with mean 1."""
        return -log1p(-self.point(about))

    def normal(self, about: str) -> float:
        """Give a value of the normal distribution with mean 0 and standard deviation 1 (Box and Muller)."""
        radius = sqrt(-2.0 * log1p(-self.point(f"{about} radius")))
        return radius * cos(2.0 * pi * self.point(f"{about} angle"))

    def gamma(self, shape: float, about: str) -> float:
        """Give a value of the gamma distribution with this shape, above 0, and scale 1.

        Source: Marsaglia and Tsang, ACM Transactions on Mathematical Software 26 (2000), 363-372.
        """
        if shape < 1.0:  # x of shape + 1, times u**(1/shape)
            point = max(self.point(f"{about} less"), SCALE)
            return self.gamma(shape + 1.0, about) * exp(log(point) / shape)
        d = shape - 1.0 / 3.0
        c = 1.0 / sqrt(9.0 * d)
        for number in range(TRIES_MAX):
            x = self.normal(f"{about} {number}")
            v = (1.0 + c * x) ** 3
            if v > 0.0 and log(max(self.point(f"{about} take {number}"), SCALE)) < 0.5 * x * x + d - d * v + d * log(v):
                return d * v
        return shape

    def rate(self, count: float, exposure: float, about: str) -> float:
        """Give a rate that so many events in so much exposure, priors included, leave likely (gamma)."""
        return self.gamma(count, about) / exposure

    def share(self, count: float, others: float, about: str) -> float:
        """Give a share that `count` against `others`, priors included, leave likely (beta)."""
        one, other = self.gamma(count, f"{about} one"), self.gamma(others, f"{about} other")
        return one / (one + other) if one + other > 0.0 else 0.0

    def pick(self, weights: dict[str, float], about: str) -> str:
        """Give one of the words, by weight; the words in the order they stand."""
        left = self.point(about) * sum(weights.values())
        for word, weight in weights.items():
            left -= weight
            if left < 0.0:
                return word
        return next(reversed(weights))
