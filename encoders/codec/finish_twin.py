"""The finishing filters in plain NumPy, as the format's page tells them: to be read, compared with, and trained by."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codec.tables import (
    ACTIVITIES,
    COLOUR_TAPS,
    DARKEST,
    FARTHEST,
    FILTER_BITS,
    HEIGHT_PX,
    LIGHTEST,
    MANTISSA,
    ONE,
    SCALE,
    TAP_OFFSETS,
    WHITE,
    WIDTH_PX,
)

Numbers = NDArray[np.int64]

ROWS, COLUMNS = np.indices((HEIGHT_PX, WIDTH_PX))
BLOCK = [(row, column) for row in range(-1, 2) for column in range(-1, 2)]


def inside(plane: NDArray[Any], shape: tuple[int, int]) -> Numbers:
    """The part of a padded plane that is picture."""
    return plane[: shape[0], : shape[1]].astype(np.int64)


def moved(plane: Numbers, row: int, column: int) -> Numbers:
    """What lies so many rows and columns away from each number; the nearest where that is outside."""
    rows = np.clip(np.arange(plane.shape[0]) + row, 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(plane.shape[1]) + column, 0, plane.shape[1] - 1)
    return plane[rows][:, columns]


def slopes_of(luma: Numbers) -> tuple[Numbers, Numbers]:
    """Sobel's slopes across and down."""
    weights = (1, 2, 1)
    across = sum(weights[i + 1] * (moved(luma, i, 1) - moved(luma, i, -1)) for i in range(-1, 2))
    down = sum(weights[i + 1] * (moved(luma, 1, i) - moved(luma, -1, i)) for i in range(-1, 2))
    return np.asarray(across), np.asarray(down)


def classes_of(luma: Numbers, split: NDArray[Any], step: int) -> Numbers:
    """The filter class, 0 to 191, of each pixel of decoded luma, int[126, 102]; `split`, int[16, 13]."""
    across, down = slopes_of(luma)
    near = range(-2, 3)
    sums = [
        np.asarray(sum(moved(one, row, column) for row in near for column in near))
        for one in (across * across, down * down, across * down)
    ]
    ratio = (sums[0] + sums[1]) * 1024 // (25 * step * step)
    shift = np.zeros_like(ratio)
    for bit in range(9, 48):
        shift += ratio >= 1 << bit
    logarithm = 256 * shift + MANTISSA[np.maximum(ratio >> shift, ONE) - ONE]
    busy = np.where(ratio < ONE, 0, np.minimum(ACTIVITIES - 1, logarithm * 7 // 2560 + 1))
    h, v, d = (one >> 10 for one in sums)
    straight = np.where(np.abs(h - v) > 2 * np.abs(d), np.where(h > v, 1, 2), 3)
    way = np.where(4 * ((h - v) ** 2 + 4 * d * d) < (h + v + 1) ** 2, 0, straight)
    parts = split[ROWS >> 3, COLUMNS >> 3] != 0
    size = np.where(parts, 4, 8)
    edges = ((ROWS + 1) % size < 2).astype(np.int64) + ((COLUMNS + 1) % size < 2)
    found: Numbers = (busy * 4 + way) * 6 + edges + np.where(parts, 0, 3)
    return found


def filtered_luma(luma: Numbers, classes: Numbers, weights: NDArray[Any]) -> Numbers:
    """Decoded luma, int[126, 102], with its class's weighted differences to 28 neighbours added."""
    total = np.full(luma.shape, 1 << (FILTER_BITS - 1), np.int64)
    for tap, (row, column) in enumerate(TAP_OFFSETS.tolist()):
        total += weights[classes, tap].astype(np.int64) * (moved(luma, row, column) - luma)
    found: Numbers = np.clip(luma + (total >> FILTER_BITS), DARKEST, LIGHTEST)
    return found


def halved(luma: Numbers) -> Numbers:
    """Averages over 2x2: int[63, 51]."""
    found: Numbers = (luma[::2, ::2] + luma[::2, 1::2] + luma[1::2, ::2] + luma[1::2, 1::2] + 2) >> 2
    return found


def doubled(plane: Numbers) -> Numbers:
    """A half plane at full resolution: 9 : 3 : 3 : 1 of the four nearest, the nearest in its own quarter first."""
    found = np.zeros((HEIGHT_PX, WIDTH_PX), np.int64)
    for row in range(2):
        for column in range(2):
            y, x = 2 * row - 1, 2 * column - 1
            corners = 3 * moved(plane, y, 0) + 3 * moved(plane, 0, x) + moved(plane, y, x)
            found[row::2, column::2] = (9 * plane + corners + 8) >> 4
    return found


def binding(plane: Numbers, half: Numbers, step: int) -> Numbers:
    """How colour follows light around each colour pixel, in 1/256: a regression over 3x3."""
    sums = [np.asarray(sum(moved(one, *far) for far in BLOCK)) for one in (half, plane, half * half, half * plane)]
    lights, colours, squares, products = sums
    spread = 9 * squares - lights * lights + 5 * step * step
    found: Numbers = np.clip(((9 * products - lights * colours) << 8) // spread, -512, 512)
    return found


def colour_numbers(plane: Numbers, luma: Numbers, half: Numbers, step: int) -> Numbers:
    """The 18 numbers each pixel's colour is corrected by: int[126, 102, 18]."""
    y, x = ROWS >> 1, COLUMNS >> 1
    found = [(moved(plane, *far) - plane)[y, x] for far in BLOCK if far != (0, 0)]
    found += [moved(luma, *far) - half[y, x] for far in BLOCK]
    finer = binding(plane, half, step)[y, x] * (luma - doubled(half)) >> 8
    found.append(np.clip(finer, -(FARTHEST // 2), FARTHEST // 2))
    return np.stack(found, axis=-1)


def colour_classes(classes: Numbers) -> Numbers:
    """The class of each pixel's colour filter, 0 to 31."""
    found: Numbers = classes // 24 * 4 + 2 * (ROWS & 1) + (COLUMNS & 1)
    return found


def filtered_colour(plane: Numbers, numbers: Numbers, classes: Numbers, weights: NDArray[Any]) -> Numbers:
    """A half plane at full resolution, with its class's weighted numbers added."""
    total = np.full((HEIGHT_PX, WIDTH_PX), 1 << (FILTER_BITS - 1), np.int64)
    for tap in range(COLOUR_TAPS):
        total += weights[colour_classes(classes), tap].astype(np.int64) * numbers[:, :, tap]
    found: Numbers = np.clip(doubled(plane) + (total >> FILTER_BITS), -(FARTHEST // 2), FARTHEST // 2)
    return found


def finish_picture(filters: Any, work: Any, room: Any, step: int, pixels: NDArray[np.uint8]) -> None:
    """As `finish.finish_picture`; `room` is not needed."""
    luma = inside(work.decoded, (HEIGHT_PX, WIDTH_PX))
    classes = classes_of(luma, work.split, step)
    luma = filtered_luma(luma, classes, filters.luma)
    half, colours = halved(luma), []
    for number, decoded in enumerate((work.decoded_blue, work.decoded_red)):
        plane = inside(decoded, (HEIGHT_PX // 2, WIDTH_PX // 2))
        numbers = colour_numbers(plane, luma, half, step)
        colours.append(filtered_colour(plane, numbers, classes, filters.colour[number]))
    blue, red = colours
    y = ((luma + WHITE * SCALE) << 13) + 32768
    joined = y + (91881 * red >> 3), y - ((22554 * blue + 46802 * red) >> 3), y + (116130 * blue >> 3)
    pixels[:] = np.clip(np.stack(joined, axis=-1) >> 16, 0, 255)
