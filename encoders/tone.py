"""Tone curves: what each level of a portrait is printed as, because lamination darkens what lies under it."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = 256
POINTS_MAX: Final = 16
IDENTITY: Final = bytes(range(LEVELS))

Point = tuple[int, int]  # a level of the photo, the level it is printed as


class ToneError(Exception):
    """Points that make no tone curve; `code` is tone.points, and `place` tells which point, from 0."""

    code = "tone.points"

    def __init__(self, place: int, text: str) -> None:
        super().__init__(f"{self.code}: point {place + 1}: {text}")
        self.place, self.text = place, text


def tone_table(points: Sequence[Point]) -> bytes:
    """The printed level of each of the 256 levels: a smooth curve through the points that never falls.

    Black stays black and white stays white unless points say otherwise: (0, 0) and (255, 255) are added where the
    points have no first and last level.  Between two points the curve never leaves their heights.

    Args:
        points: 1 to 16 of (level, printed level), each 0 to 255; levels rise, printed levels never fall.
    Raises: ToneError.
    Cost: some 10 ms.  Reckoned in fractions: the same table on every machine.
    Source: slopes of Fritsch and Butland, A method for constructing local monotone piecewise cubic interpolants (1984).
    """
    require_points(points)
    low = [(0, 0)] if points[0][0] > 0 else []
    high = [(LEVELS - 1, LEVELS - 1)] if points[-1][0] < LEVELS - 1 else []
    knots = [*low, *points, *high]
    slopes = _slopes(knots)
    table = bytearray()
    for ((x, y), (next_x, next_y)), (slope, next_slope) in zip(pairwise(knots), pairwise(slopes), strict=True):
        width = next_x - x
        for level in range(x, next_x):
            part = Fraction(level - x, width)
            back = 1 - part
            height = y * back**2 * (1 + 2 * part) + next_y * part**2 * (1 + 2 * back)
            height += width * part * back * (slope * back - next_slope * part)
            table.append(int(height + Fraction(1, 2)))
    table.append(knots[-1][1])
    return bytes(table)


def require_points(points: Sequence[Point]) -> None:
    """Raises: ToneError: see `tone_table`."""
    if not 1 <= len(points) <= POINTS_MAX:
        raise ToneError(
            len(points) - 1 if points else 0, f"a curve has 1 to {POINTS_MAX} points, this has {len(points)}"
        )
    for place, (level, printed) in enumerate(points):
        if not (0 <= level < LEVELS and 0 <= printed < LEVELS):
            raise ToneError(place, f"{level} to {printed}: levels are 0 to {LEVELS - 1}")
        if place and level <= points[place - 1][0]:
            raise ToneError(place, f"level {level} stands behind {points[place - 1][0]}: levels must rise")
        if place and printed < points[place - 1][1]:
            raise ToneError(place, f"printed level {printed} is below {points[place - 1][1]}: a curve never falls")


def one_after_another(first: bytes, second: bytes) -> bytes:
    """The table of two: what `second` makes of what `first` gives."""
    return first.translate(second)


def toned(pixels: NDArray[np.uint8], table: bytes) -> NDArray[np.uint8]:
    """The pixels as they are printed: red, green and blue each through the table; greys stay grey."""
    return np.frombuffer(table, np.uint8)[pixels]


def _slopes(knots: Sequence[Point]) -> list[Fraction]:
    """The slope at each knot: at the ends that of the next line, else a mean that is 0 beside a flat line."""
    widths = [after[0] - before[0] for before, after in pairwise(knots)]
    lines = [Fraction(after[1] - before[1], after[0] - before[0]) for before, after in pairwise(knots)]
    slopes = [lines[0]]
    for (left, right), (before, after) in zip(pairwise(widths), pairwise(lines), strict=True):
        if before and after:
            slopes.append(3 * (left + right) / ((2 * right + left) / before + (right + 2 * left) / after))
        else:
            slopes.append(Fraction(0))
    return [*slopes, lines[-1]]
