"""After decoding: filters that were trained to bring luma and doubled colour nearer to the source, and RGB."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any, NamedTuple

import numpy as np
from numba import int16, int32, int64, types, uint8, void

from encoders.codec import finish_twin, twin
from encoders.codec.compiled import kernel
from encoders.codec.doubling import HALF_HEIGHT, HALF_WIDTH, LINE_TAPS, WINDOW, bind_colour, double_row, spread_colour
from encoders.codec.model import FILTERS
from encoders.codec.tables import (
    COLOUR_CLASSES,
    DARKEST,
    FILTER_BITS,
    HEIGHT_PX,
    LIGHTEST,
    LUMA_CLASSES,
    LUMA_TAPS,
    SCALE,
    TAP_OFFSETS,
    WHITE,
    WIDTH_PX,
)
from encoders.codec.texture import MARGIN, SLOPES_PX, WIDE_PX, sort_pixels, widen
from encoders.codec.workspace import WORK

LINE = int32[::1]
SHORTS = int16[::1]
WEIGHTS = int16[:, ::1]
COLOURS = uint8[:, :, ::1]

LUMA_WINDOW = 64  # 7 columns of 8 rows, and 8 of nothing
HALF = 1 << (FILTER_BITS - 1)


class Room(NamedTuple):
    """The arrays finishing works in; planes lie flat."""

    wide: Any  # int16[132, 112]
    products: Any  # int32[3, 126, 106]
    line: Any  # int32[106]
    sums: Any  # int32[3, 106]
    places: Any  # int32[104]
    classes: Any  # int32[126, 102]
    weights: Any  # int16[192, 64]
    weight_sums: Any  # int32[192]
    window: Any  # int16[120, 8]
    luma: Any  # int32[126, 102]
    half: Any  # int32[63, 51]
    bound: Any  # int32[2, 63, 51]
    lines: Any  # int32[8, 53]
    colour_weights: Any  # int16[2, 32, 32]
    colour_sums: Any  # int32[2, 32, 3]
    blue_window: Any  # int16[112, 6]
    red_window: Any
    base: Any  # int32[102]
    finer: Any  # int32[102]
    blue: Any  # int32[102]
    red: Any  # int32[102]


ROOM_SHAPES: dict[str, tuple[Any, int]] = {
    "wide": (np.int16, (HEIGHT_PX + 2 * MARGIN) * WIDE_PX),
    "products": (np.int32, 3 * HEIGHT_PX * SLOPES_PX),
    "line": (np.int32, SLOPES_PX),
    "sums": (np.int32, 3 * SLOPES_PX),
    "places": (np.int32, 104),
    "classes": (np.int32, HEIGHT_PX * WIDTH_PX),
    "weights": (np.int16, LUMA_CLASSES * LUMA_WINDOW),
    "weight_sums": (np.int32, LUMA_CLASSES),
    "window": (np.int16, 120 * 8),
    "luma": (np.int32, HEIGHT_PX * WIDTH_PX),
    "half": (np.int32, HALF_HEIGHT * HALF_WIDTH),
    "bound": (np.int32, 2 * HALF_HEIGHT * HALF_WIDTH),
    "lines": (np.int32, 8 * (HALF_WIDTH + 2)),
    "colour_weights": (np.int16, 2 * COLOUR_CLASSES * WINDOW),
    "colour_sums": (np.int32, 2 * COLOUR_CLASSES * 3),
    "blue_window": (np.int16, 112 * LINE_TAPS),
    "red_window": (np.int16, 112 * LINE_TAPS),
    "base": (np.int32, WIDTH_PX),
    "finer": (np.int32, WIDTH_PX),
    "blue": (np.int32, WIDTH_PX),
    "red": (np.int32, WIDTH_PX),
}
ROOM = types.NamedTuple(
    [types.Array(int16 if kind is np.int16 else int32, 1, "C") for kind, _ in ROOM_SHAPES.values()], Room
)


def new_room() -> Room:
    """A room without a trace of another picture."""
    return Room(**{name: np.zeros(size, kind) for name, (kind, size) in ROOM_SHAPES.items()})


@kernel(void(WEIGHTS, SHORTS, LINE))
def spread_luma(filters, weights, sums):
    """Lay the weights of each class as a pixel's window lies, int16[192, 64], and add them up."""
    for kind in range(LUMA_CLASSES):
        total = 0
        for tap in range(LUMA_TAPS):
            weights[LUMA_WINDOW * kind + 8 * (TAP_OFFSETS[tap, 1] + 3) + TAP_OFFSETS[tap, 0] + 3] = filters[kind, tap]
            total += filters[kind, tap]
        sums[kind] = total


@kernel(void(SHORTS, LINE, SHORTS, LINE, SHORTS, LINE))
def filter_luma(wide, classes, weights, sums, window, luma):
    """Add to each pixel its class's sum of weighted differences to 28 neighbours: `luma`, int32[126, 102].

    `window` holds 8 rows, column by column, so what a pixel looks at is 64 numbers on end, and the same for the pixel
    below it one number later.  Sums wrap at 32 bits on their way; what they come to does not leave them.
    """
    count = weights.size // LUMA_CLASSES  # a loop whose length the compiler knew would not be done in sixteens
    for row in range(HEIGHT_PX):
        if row & 1 == 0:
            for far in range(8):
                start = min(row + far, HEIGHT_PX + 2 * MARGIN - 1) * WIDE_PX
                for column in range(WIDE_PX):
                    window[8 * column + far] = wide[start + column]
        for column in range(WIDTH_PX):
            kind = classes[row * WIDTH_PX + column]
            here = wide[(row + MARGIN) * WIDE_PX + MARGIN + column]
            total = int32(HALF - here * sums[kind])
            start = 8 * column + (row & 1)
            mine, seen = weights[count * kind : count * kind + count], window[start : start + count]
            for i in range(count):
                total = int32(total + int32(mine[i]) * int32(seen[i]))
            luma[row * WIDTH_PX + column] = min(LIGHTEST, max(DARKEST, here + (total >> FILTER_BITS)))


@kernel(void(LINE, LINE))
def halve_inside(luma, half):
    """Average luma, int32[126, 102], over 2x2."""
    for y in range(HALF_HEIGHT):
        at = 2 * y * WIDTH_PX
        for x in range(HALF_WIDTH):
            i = at + 2 * x
            total = luma[i] + luma[i + 1] + luma[i + WIDTH_PX] + luma[i + WIDTH_PX + 1]
            half[y * HALF_WIDTH + x] = (total + 2) >> 2


@kernel(void(LINE, int64, LINE, LINE, COLOURS))
def join_row(luma, row, blue, red, pixels):
    """Turn a row in eighths into RGB, uint8[126, 102, 3].  Source: as `split_colours`."""
    for column in range(WIDTH_PX):
        y = int32(((luma[row * WIDTH_PX + column] + WHITE * SCALE) << 13) + 32768)
        b, r = int32(blue[column]), int32(red[column])
        pixels[row, column, 0] = min(255, max(0, int32(y + (int32(91881 * r) >> 3)) >> 16))
        pixels[row, column, 1] = min(255, max(0, int32(y - (int32(22554 * b + 46802 * r) >> 3)) >> 16))
        pixels[row, column, 2] = min(255, max(0, int32(y + (int32(116130 * b) >> 3)) >> 16))


@kernel(void(FILTERS, WORK, ROOM, int64, COLOURS))
def finish_picture(filters, work, room, step, pixels):
    """Filter what was decoded and turn it into RGB, uint8[126, 102, 3]."""
    widen(work.decoded, room.wide)
    sort_pixels(room.wide, work.split, step, room.products, room.line, room.sums, room.places, room.classes)
    spread_luma(filters.luma, room.weights, room.weight_sums)
    filter_luma(room.wide, room.classes, room.weights, room.weight_sums, room.window, room.luma)
    halve_inside(room.luma, room.half)
    bind_colour(work.decoded_blue, work.decoded_red, room.half, step, room.lines, room.bound)
    spread_colour(filters.colour, room.colour_weights, room.colour_sums)
    for row in range(HEIGHT_PX):
        for number in range(2):
            plane = work.decoded_blue if number == 0 else work.decoded_red
            window, full = (room.blue_window, room.blue) if number == 0 else (room.red_window, room.red)
            double_row(
                plane, room.luma, room.half, room.bound, room.classes, room.colour_weights, room.colour_sums, number,
                row, window, room.lines, room.base, room.finer, full,
            )  # fmt: skip
        join_row(room.luma, row, room.blue, room.red, pixels)


finish_picture = twin.interpreted_or(finish_picture, finish_twin.finish_picture)
