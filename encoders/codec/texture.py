"""The texture around each decoded pixel, and with its place in its block the class of its filter."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Final

import numpy as np
from numba import int16, int32, int64, void

from encoders.codec.compiled import kernel
from encoders.codec.tables import ACTIVITIES, HEIGHT_PX, LUMA_SHAPE, MANTISSA, ONE, WIDTH_PX, Table

LINE = int32[::1]
PLANE = int32[:, ::1]
SHORTS = int16[::1]

# Planes lie flat, with widths the compiler knows: only then it sees that rows do not overlap, and takes eight at once.
MARGIN: Final = 3
WIDE_PX: Final = 112  # a row of the wide plane: margin, picture, margin, 4 of nothing
REACH: Final = 2  # sums are over 5x5 pixels
SLOPES_PX: Final = WIDTH_PX + 2 * REACH
LAST_ROW: Final = HEIGHT_PX - 1
ROW_PX: Final = LUMA_SHAPE[1]


def log2_of(number: int) -> int:
    """As `kernels.log2_of`, for making tables."""
    shift = number.bit_length() - 9
    return 256 * shift + int(MANTISSA[(number >> shift) - 256])


def ratio_of(busy: int) -> int:
    """The least ratio of slopes to steps that is so busy."""
    low, high = ONE, ONE << 16
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if log2_of(middle) * 7 // 2560 + 1 >= busy else (middle + 1, high)
    return low


RATIOS: Final = np.array([ratio_of(busy) for busy in range(1, ACTIVITIES)], np.int64)
EDGES: Final[Table] = np.array([[(i + 1) % size < 2 for i in range(8)] for size in (8, 4)], np.int32)


@kernel(void(PLANE, SHORTS))
def widen(plane, wide):
    """Copy a picture into int16[132, 112] with a margin of 3 that repeats its edge."""
    flat = plane.reshape(plane.size)
    for row in range(HEIGHT_PX + 2 * MARGIN):
        source, at = min(LAST_ROW, max(0, row - MARGIN)) * ROW_PX, row * WIDE_PX
        for column in range(WIDTH_PX):
            wide[at + MARGIN + column] = flat[source + column]
        for column in range(MARGIN):
            wide[at + column] = flat[source]
            wide[at + MARGIN + WIDTH_PX + column] = flat[source + WIDTH_PX - 1]


@kernel(void(SHORTS, LINE))
def multiply_slopes(wide, products):
    """Squared slopes across and down and their product, int32[3, 126, 106]: Sobel's, with a margin of 2."""
    size = HEIGHT_PX * SLOPES_PX
    for row in range(HEIGHT_PX):
        above, at = (row + MARGIN - 1) * WIDE_PX + MARGIN - 1, row * SLOPES_PX + REACH
        here, below = above + WIDE_PX, above + 2 * WIDE_PX
        for column in range(WIDTH_PX):
            fall = int32(wide[below + column + 2]) - int32(wide[above + column])
            rise = int32(wide[above + column + 2]) - int32(wide[below + column])
            across = int32(fall + rise + 2 * (int32(wide[here + column + 2]) - int32(wide[here + column])))
            down = int32(fall - rise + 2 * (int32(wide[below + column + 1]) - int32(wide[above + column + 1])))
            products[at + column] = across * across
            products[size + at + column] = down * down
            products[2 * size + at + column] = across * down
        for start in range(at, at + 3 * size, size):
            for column in range(REACH):
                products[start - 1 - column] = products[start]
                products[start + WIDTH_PX + column] = products[start + WIDTH_PX - 1]


@kernel(void(LINE, int64, LINE, LINE))
def sum_slopes(products, row, line, sums):
    """Sums over 5x5 pixels around those of a row, of all three products: `sums`, int32[3, 106]; none leaves 31 bits.

    `line` is scratch, int32[106].
    """
    first, second = max(0, row - 2) * SLOPES_PX, max(0, row - 1) * SLOPES_PX
    third = row * SLOPES_PX
    fourth, fifth = min(LAST_ROW, row + 1) * SLOPES_PX, min(LAST_ROW, row + 2) * SLOPES_PX
    for kind in range(3):
        start, to = kind * HEIGHT_PX * SLOPES_PX, kind * SLOPES_PX
        for i in range(start, start + SLOPES_PX):
            total = products[first + i] + products[second + i] + products[third + i]
            line[i - start] = total + products[fourth + i] + products[fifth + i]
        for i in range(WIDTH_PX):
            sums[to + i] = line[i] + line[i + 1] + line[i + 2] + line[i + 3] + line[i + 4]


@kernel(void(PLANE, int64, LINE))
def place_in_blocks(split, row, places):
    """0 to 5 for the pixels of a row: at one, two or no edges of a 4x4 (0 to 2) or 8x8 (3 to 5) block."""
    for unit in range(split.shape[1]):
        quarters = 1 if split[row >> 3, unit] else 0
        first = EDGES[quarters, row & 7] + 3 - 3 * quarters
        for i in range(8):
            places[8 * unit + i] = first + EDGES[quarters, i]


@kernel(void(SHORTS, PLANE, int64, LINE, LINE, LINE, LINE, LINE))
def sort_pixels(wide, split, step, products, line, sums, places, classes):
    """The filter class of every pixel, 0 to 191: how busy and which way slopes around it are, its place in its block.

    `classes` is int32[126, 102], flat; `products`, `line`, `sums`, `places` are scratch.
    """
    multiply_slopes(wide, products)
    unit = 25 * step * step
    # (H + V) * 1024 // unit >= ratio, without dividing
    one, two = (RATIOS[0] * unit + 1023) >> 10, (RATIOS[1] * unit + 1023) >> 10
    three, four = (RATIOS[2] * unit + 1023) >> 10, (RATIOS[3] * unit + 1023) >> 10
    five, six = (RATIOS[4] * unit + 1023) >> 10, (RATIOS[5] * unit + 1023) >> 10
    seven = (RATIOS[6] * unit + 1023) >> 10
    for row in range(HEIGHT_PX):
        sum_slopes(products, row, line, sums)
        place_in_blocks(split, row, places)
        for i in range(WIDTH_PX):
            across, down, both = sums[i], sums[SLOPES_PX + i], sums[2 * SLOPES_PX + i]
            slope = int64(across) + int64(down)
            busy = (slope >= one) + (slope >= two) + (slope >= three) + (slope >= four)
            busy += (slope >= five) + (slope >= six) + (slope >= seven)
            a, d, b = int64(across >> 10), int64(down >> 10), int64(both >> 10)
            tilt = a - d
            straight = (1 if a > d else 2) if abs(tilt) > 2 * abs(b) else 3
            way = straight if 4 * (tilt * tilt + 4 * b * b) >= (a + d + 1) * (a + d + 1) else 0
            classes[row * WIDTH_PX + i] = (busy * 4 + way) * 6 + places[i]
