"""Colour at full resolution: doubled, and corrected by what luma and the neighbours tell."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Final

from numba import int16, int32, int64, void

from encoders.codec.compiled import kernel
from encoders.codec.tables import (
    COLOUR_CLASSES,
    COLOUR_TAPS,
    FARTHEST,
    FILTER_BITS,
    HEIGHT_PX,
    WIDTH_PX,
)

LINE = int32[::1]
PLANE = int32[:, ::1]
SHORTS = int16[::1]

HALF_HEIGHT: Final = HEIGHT_PX // 2
HALF_WIDTH: Final = WIDTH_PX // 2
LINE_PX: Final = HALF_WIDTH + 2  # a row of the half plane, and one more at both ends
LINE_TAPS: Final = 6  # of each column: luma of three rows, colour of three rows
WINDOW: Final = 32  # 5 columns of 6, and 2 of nothing
LIMIT: Final = FARTHEST // 2
HALF: Final = 1 << (FILTER_BITS - 1)


@kernel(void(LINE, int64))
def close_ends(lines, at):
    """Repeat the ends of a line that begins at `at`."""
    lines[at] = lines[at + 1]
    lines[at + HALF_WIDTH + 1] = lines[at + HALF_WIDTH]


@kernel(void(PLANE, PLANE, LINE, int64, LINE, LINE))
def bind_colour(blue, red, half, step, lines, bound):
    """How colour follows light around each colour pixel, in 1/256: a regression over 3x3, `bound`, int32[2, 63, 51].

    `lines` is scratch, int32[8, 53]: sums over three rows.
    """
    noise = 5 * step * step
    for y in range(HALF_HEIGHT):
        above, below = max(0, y - 1), min(HALF_HEIGHT - 1, y + 1)
        for x in range(HALF_WIDTH):
            a, b, c = half[above * HALF_WIDTH + x], half[y * HALF_WIDTH + x], half[below * HALF_WIDTH + x]
            lines[1 + x] = a + b + c
            lines[LINE_PX + 1 + x] = a * a + b * b + c * c
            p, q, r = blue[above, x], blue[y, x], blue[below, x]
            lines[2 * LINE_PX + 1 + x] = p + q + r
            lines[3 * LINE_PX + 1 + x] = a * p + b * q + c * r
            p, q, r = red[above, x], red[y, x], red[below, x]
            lines[4 * LINE_PX + 1 + x] = p + q + r
            lines[5 * LINE_PX + 1 + x] = a * p + b * q + c * r
        for number in range(6):
            close_ends(lines, number * LINE_PX)
        for x in range(HALF_WIDTH):
            lights = int64(lines[x]) + lines[x + 1] + lines[x + 2]
            squares = int64(lines[LINE_PX + x]) + lines[LINE_PX + x + 1] + lines[LINE_PX + x + 2]
            spread = 9 * squares - lights * lights + noise
            for number in range(2):
                at = (2 + 2 * number) * LINE_PX + x
                colours = int64(lines[at]) + lines[at + 1] + lines[at + 2]
                products = int64(lines[at + LINE_PX]) + lines[at + LINE_PX + 1] + lines[at + LINE_PX + 2]
                slope = ((9 * products - lights * colours) << 8) // spread
                bound[(number * HALF_HEIGHT + y) * HALF_WIDTH + x] = min(512, max(-512, slope))


@kernel(void(int16[:, :, ::1], SHORTS, LINE))
def spread_colour(filters, weights, sums):
    """Lay the weights of each class as a pixel's window lies, int16[2, 32, 32].

    `sums`, int32[2, 32, 3], gets what colour's weights and luma's sum up to, and the weight of luma's finer shape.
    """
    for kind in range(2 * COLOUR_CLASSES):
        plane, one = kind // COLOUR_CLASSES, kind % COLOUR_CLASSES
        sums[3 * kind], sums[3 * kind + 1], sums[3 * kind + 2] = 0, 0, filters[plane, one, COLOUR_TAPS - 1]
        for place in range(9):
            row, column = place // 3, place % 3
            if place != 4:
                weight = filters[plane, one, place if place < 4 else place - 1]
                weights[WINDOW * kind + 2 * LINE_TAPS * column + 3 + row] = weight
                sums[3 * kind] += weight
            weight = filters[plane, one, 8 + place]
            weights[WINDOW * kind + LINE_TAPS * (column + 1) + row] = weight
            sums[3 * kind + 1] += weight


@kernel(void(PLANE, LINE, int64, SHORTS))
def fill_window(plane, luma, row, window):
    """Lay out what the pixels of a row look at, column by column from the second left of the picture: int16[106, 6]."""
    for far in range(3):
        start = min(HEIGHT_PX - 1, max(0, row + far - 1)) * WIDTH_PX
        for column in range(WIDTH_PX):
            window[LINE_TAPS * (column + 2) + far] = luma[start + column]
        window[LINE_TAPS + far] = luma[start]
        window[LINE_TAPS * (WIDTH_PX + 2) + far] = luma[start + WIDTH_PX - 1]
        if row & 1 == 0:
            y = min(HALF_HEIGHT - 1, max(0, (row >> 1) + far - 1))
            for x in range(HALF_WIDTH):
                at = 2 * LINE_TAPS * (x + 1) + 3 + far
                window[at] = plane[y, x]
                window[at + LINE_TAPS] = plane[y, x]
            for column in range(2):
                window[LINE_TAPS * column + 3 + far] = plane[y, 0]
                window[LINE_TAPS * (WIDTH_PX + 2 + column) + 3 + far] = plane[y, HALF_WIDTH - 1]


@kernel(void(PLANE, LINE, LINE, LINE, int64, int64, LINE, LINE, LINE))
def double_line(plane, luma, half, bound, number, row, lines, base, finer):
    """For a row: the doubled colour, 9 : 3 : 3 : 1 of the four nearest, and what luma's finer shape adds to it."""
    y = row >> 1
    beside = min(HALF_HEIGHT - 1, max(0, y + 2 * (row & 1) - 1))
    for x in range(HALF_WIDTH):
        lines[6 * LINE_PX + 1 + x] = 3 * plane[y, x] + plane[beside, x]
        lines[7 * LINE_PX + 1 + x] = 3 * half[y * HALF_WIDTH + x] + half[beside * HALF_WIDTH + x]
    close_ends(lines, 6 * LINE_PX)
    close_ends(lines, 7 * LINE_PX)
    start = (number * HALF_HEIGHT + y) * HALF_WIDTH
    for x in range(HALF_WIDTH):
        i, j, at = 6 * LINE_PX + 1 + x, 7 * LINE_PX + 1 + x, row * WIDTH_PX + 2 * x
        base[2 * x] = (3 * lines[i] + lines[i - 1] + 8) >> 4
        base[2 * x + 1] = (3 * lines[i] + lines[i + 1] + 8) >> 4
        left, right = (3 * lines[j] + lines[j - 1] + 8) >> 4, (3 * lines[j] + lines[j + 1] + 8) >> 4
        slope = bound[start + x]
        finer[2 * x] = min(LIMIT, max(-LIMIT, slope * (luma[at] - left) >> 8))
        finer[2 * x + 1] = min(LIMIT, max(-LIMIT, slope * (luma[at + 1] - right) >> 8))


@kernel(void(PLANE, LINE, LINE, LINE, LINE, SHORTS, LINE, int64, int64, SHORTS, LINE, LINE, LINE, LINE))
def double_row(plane, luma, half, bound, classes, weights, sums, number, row, window, lines, base, finer, full):
    """A row of a colour plane at full resolution, int32[102]: doubled, and corrected by its class's 18 weights."""
    fill_window(plane, luma, row, window)
    double_line(plane, luma, half, bound, number, row, lines, base, finer)
    count = weights.size // (2 * COLOUR_CLASSES)  # a loop whose length the compiler knew would not be done in sixteens
    for column in range(WIDTH_PX):
        kind = classes[row * WIDTH_PX + column] // 24 * 4 + 2 * (row & 1) + (column & 1) + number * COLOUR_CLASSES
        here, light = plane[row >> 1, column >> 1], half[(row >> 1) * HALF_WIDTH + (column >> 1)]
        mine, seen = (
            weights[count * kind : count * kind + count],
            window[LINE_TAPS * column : LINE_TAPS * column + count],
        )
        total = int32(HALF - here * sums[3 * kind] - light * sums[3 * kind + 1] + finer[column] * sums[3 * kind + 2])
        for i in range(count):
            total = int32(total + int32(mine[i]) * int32(seen[i]))
        full[column] = min(LIMIT, max(-LIMIT, base[column] + (total >> FILTER_BITS)))
