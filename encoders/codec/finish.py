"""After decoding: filters that were trained to bring luma and doubled colour nearer to the source, and RGB."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any, NamedTuple

import numpy as np
from numba import int16, int32, int64, types, uint8, void

from encoders.codec.colour import halve
from encoders.codec.compiled import kernel
from encoders.codec.kernels import log2_of
from encoders.codec.model import FILTERS
from encoders.codec.tables import (
    ACTIVITIES,
    CHROMA_SHAPE,
    COLOUR_TAPS,
    DARKEST,
    FARTHEST,
    FILTER_BITS,
    HEIGHT_PX,
    LIGHTEST,
    LUMA_SHAPE,
    LUMA_TAPS,
    ONE,
    SCALE,
    TAP_OFFSETS,
    WHITE,
    WIDTH_PX,
)
from encoders.codec.workspace import WORK

PLANE = int32[:, ::1]
SUMS = int64[:, :, ::1]
LINE = int32[::1]
WEIGHTS = int16[:, ::1]
COLOURS = uint8[:, :, ::1]


class Room(NamedTuple):
    """The arrays finishing works in."""

    wide: Any  # int32[132, 108]
    slopes: Any  # int64[3, 126, 102]
    sums: Any  # int64[3, 126, 102]
    classes: Any  # int32[126, 102]
    luma: Any  # int32[128, 104]
    half: Any  # int32[64, 56]
    bound: Any  # int32[64, 56]
    blue: Any  # int32[126, 102]
    red: Any  # int32[126, 102]
    line: Any  # int32[19]


ROOM_SHAPES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "wide": (np.int32, (HEIGHT_PX + 6, WIDTH_PX + 6)),
    "slopes": (np.int64, (3, HEIGHT_PX, WIDTH_PX)),
    "sums": (np.int64, (3, HEIGHT_PX, WIDTH_PX)),
    "classes": (np.int32, (HEIGHT_PX, WIDTH_PX)),
    "luma": (np.int32, LUMA_SHAPE),
    "half": (np.int32, CHROMA_SHAPE),
    "bound": (np.int32, CHROMA_SHAPE),
    "blue": (np.int32, (HEIGHT_PX, WIDTH_PX)),
    "red": (np.int32, (HEIGHT_PX, WIDTH_PX)),
    "line": (np.int32, (COLOUR_TAPS + 1,)),
}
ROOM = types.NamedTuple(
    [types.Array(int64 if kind is np.int64 else int32, len(shape), "C") for kind, shape in ROOM_SHAPES.values()], Room
)


def new_room() -> Room:
    """A room without a trace of another picture."""
    return Room(**{name: np.zeros(shape, kind) for name, (kind, shape) in ROOM_SHAPES.items()})


HALF = 1 << (FILTER_BITS - 1)
MARGIN = 3
HALF_HEIGHT, HALF_WIDTH = HEIGHT_PX // 2, WIDTH_PX // 2


@kernel(void(PLANE, PLANE))
def widen(plane, wide):
    """Copy a picture into int32[132, 108] with a margin of 3 that repeats its edge."""
    for row in range(wide.shape[0]):
        y = min(HEIGHT_PX - 1, max(0, row - MARGIN))
        for column in range(wide.shape[1]):
            wide[row, column] = plane[y, min(WIDTH_PX - 1, max(0, column - MARGIN))]


@kernel(void(PLANE, SUMS, SUMS))
def sum_slopes(wide, slopes, sums):
    """Sums over 5x5 pixels of squared slopes across and down and of their product: `sums`, int64[3, 126, 102].

    The slopes are Sobel's, and repeat beyond the picture; `slopes` is scratch of the same shape.
    """
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            y, x = row + MARGIN, column + MARGIN
            fall = wide[y + 1, x + 1] - wide[y - 1, x - 1]
            rise = wide[y - 1, x + 1] - wide[y + 1, x - 1]
            across = int64(fall + rise + 2 * (wide[y, x + 1] - wide[y, x - 1]))
            down = int64(fall - rise + 2 * (wide[y + 1, x] - wide[y - 1, x]))
            slopes[0, row, column] = across * across
            slopes[1, row, column] = down * down
            slopes[2, row, column] = across * down
    for kind in range(3):
        for row in range(HEIGHT_PX):
            for column in range(WIDTH_PX):
                total = int64(0)
                for far in range(-2, 3):
                    total += slopes[kind, row, min(WIDTH_PX - 1, max(0, column + far))]
                sums[kind, row, column] = total
        for row in range(HEIGHT_PX):
            for column in range(WIDTH_PX):
                slopes[kind, row, column] = sums[kind, row, column]
        for row in range(HEIGHT_PX):
            for column in range(WIDTH_PX):
                total = int64(0)
                for far in range(-2, 3):
                    total += slopes[kind, min(HEIGHT_PX - 1, max(0, row + far)), column]
                sums[kind, row, column] = total


@kernel(int64(int64, int64, int64, int64))
def texture(across, down, both, step):
    """One of 32 textures: how busy the slopes of 25 pixels are against the step, and which way they run."""
    ratio = (across + down) * (4 * ONE) // (25 * step * step)
    busy = 0
    if ratio >= ONE:
        busy = min(ACTIVITIES - 1, log2_of(ratio) * 7 // 2560 + 1)
    a, d, b = across >> 10, down >> 10, both >> 10
    way = 0
    if 4 * ((a - d) * (a - d) + 4 * b * b) >= (a + d + 1) * (a + d + 1):
        way = 3
        if abs(a - d) > 2 * abs(b):
            way = 1 if a > d else 2
    return busy * 4 + way


@kernel(int64(int64, int64, int64))
def place_in_block(row, column, split):
    """0 to 5: whether a pixel lies at one, two or no edges of its 4x4 (0 to 2) or 8x8 (3 to 5) block."""
    if split:
        return (1 if (row + 1) & 3 < 2 else 0) + (1 if (column + 1) & 3 < 2 else 0)
    return 3 + (1 if (row + 1) & 7 < 2 else 0) + (1 if (column + 1) & 7 < 2 else 0)


@kernel(void(PLANE, PLANE, SUMS, int64, PLANE))
def sort_pixels(wide, split, sums, step, classes):
    """The filter class of every pixel, 0 to 191: its texture and its place in its block."""
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            kind = texture(sums[0, row, column], sums[1, row, column], sums[2, row, column], step)
            classes[row, column] = kind * 6 + place_in_block(row, column, split[row >> 3, column >> 3])


@kernel(void(PLANE, PLANE, WEIGHTS, PLANE))
def filter_luma(wide, classes, weights, luma):
    """Add to each pixel its class's sum of weighted differences to 28 neighbours: `luma`, int32[126 or more, ...]."""
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            y, x, kind = row + MARGIN, column + MARGIN, classes[row, column]
            here, total = wide[y, x], HALF
            for tap in range(LUMA_TAPS):
                total += int(weights[kind, tap]) * (wide[y + TAP_OFFSETS[tap, 0], x + TAP_OFFSETS[tap, 1]] - here)
            luma[row, column] = min(LIGHTEST, max(DARKEST, here + (total >> FILTER_BITS)))


@kernel(int64(PLANE, int64, int64, int64, int64))
def doubled(plane, row, column, beside_y, beside_x):
    """A half plane's value at a full-resolution pixel: 9 : 3 : 3 : 1 of the four nearest."""
    y, x = row >> 1, column >> 1
    near = 3 * plane[y, x] + plane[y, beside_x]
    return (3 * near + 3 * plane[beside_y, x] + plane[beside_y, beside_x] + 8) >> 4


@kernel(void(PLANE, PLANE, int64, PLANE))
def bind_colour(plane, half, step, slopes):
    """How colour follows light around each colour pixel, in 1/256: a regression over 3x3, `slopes`, int32[64, 56]."""
    for y in range(HALF_HEIGHT):
        for x in range(HALF_WIDTH):
            lights, colours, squares, products = int64(0), int64(0), int64(0), int64(0)
            for row in range(y - 1, y + 2):
                for column in range(x - 1, x + 2):
                    v, u = min(HALF_HEIGHT - 1, max(0, row)), min(HALF_WIDTH - 1, max(0, column))
                    light, colour = int64(half[v, u]), int64(plane[v, u])
                    lights, colours = lights + light, colours + colour
                    squares, products = squares + light * light, products + light * colour
            spread = 9 * squares - lights * lights + 5 * step * step
            slopes[y, x] = min(512, max(-512, ((9 * products - lights * colours) << 8) // spread))


@kernel(void(PLANE, PLANE, PLANE, PLANE, int64, int64, LINE))
def look_at_colour(plane, luma, half, slopes, row, column, line):
    """The 18 numbers a colour is corrected by, and the doubled value (the 19th) they correct."""
    y, x = row >> 1, column >> 1
    beside_y = min(HALF_HEIGHT - 1, max(0, y + 2 * (row & 1) - 1))
    beside_x = min(HALF_WIDTH - 1, max(0, x + 2 * (column & 1) - 1))
    here, light, at = plane[y, x], half[y, x], 0
    for far_y in range(-1, 2):
        v = min(HALF_HEIGHT - 1, max(0, y + far_y))
        for far_x in range(-1, 2):
            if far_y or far_x:
                line[at] = plane[v, min(HALF_WIDTH - 1, max(0, x + far_x))] - here
                at += 1
    for far_y in range(-1, 2):
        v = min(HEIGHT_PX - 1, max(0, row + far_y))
        for far_x in range(-1, 2):
            line[at] = luma[v, min(WIDTH_PX - 1, max(0, column + far_x))] - light
            at += 1
    finer = luma[row, column] - doubled(half, row, column, beside_y, beside_x)
    line[at] = min(1020, max(-1020, slopes[y, x] * finer >> 8))
    line[at + 1] = doubled(plane, row, column, beside_y, beside_x)


@kernel(int64(int64, int64, int64))
def colour_class(row, column, luma_class):
    """The filter class of a colour pixel, 0 to 31: its place among four, and how busy luma is there."""
    return (luma_class // 24) * 4 + 2 * (row & 1) + (column & 1)


@kernel(void(PLANE, PLANE, PLANE, PLANE, PLANE, WEIGHTS, LINE, PLANE))
def double_colour(plane, luma, half, slopes, classes, weights, line, full):
    """A colour plane at full resolution: doubled, and corrected by what luma and its neighbours tell."""
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            look_at_colour(plane, luma, half, slopes, row, column, line)
            kind = colour_class(row, column, classes[row, column])
            total = int64(HALF)
            for tap in range(COLOUR_TAPS):
                total += int(weights[kind, tap]) * line[tap]
            value = line[COLOUR_TAPS] + (total >> FILTER_BITS)
            full[row, column] = min(FARTHEST // 2, max(-FARTHEST // 2, value))


@kernel(void(PLANE, PLANE, PLANE, COLOURS))
def join_colours(luma, blue, red, pixels):
    """Turn full planes in eighths into RGB, uint8[126, 102, 3].  Source: as `split_colours`."""
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            y = ((int(luma[row, column]) + WHITE * SCALE) << 13) + 32768
            b, r = int64(blue[row, column]), int64(red[row, column])
            pixels[row, column, 0] = min(255, max(0, (y + ((91881 * r) >> 3)) >> 16))
            pixels[row, column, 1] = min(255, max(0, (y - ((22554 * b + 46802 * r) >> 3)) >> 16))
            pixels[row, column, 2] = min(255, max(0, (y + ((116130 * b) >> 3)) >> 16))


@kernel(void(FILTERS, WORK, ROOM, int64, COLOURS))
def finish_picture(filters, work, room, step, pixels):
    """Filter what was decoded and turn it into RGB, uint8[126, 102, 3]."""
    widen(work.decoded, room.wide)
    sum_slopes(room.wide, room.slopes, room.sums)
    sort_pixels(room.wide, work.split, room.sums, step, room.classes)
    for row in range(room.luma.shape[0]):
        for column in range(room.luma.shape[1]):
            room.luma[row, column] = work.decoded[row, column]
    filter_luma(room.wide, room.classes, filters.luma, room.luma)
    halve(room.luma, room.half)
    bind_colour(work.decoded_blue, room.half, step, room.bound)
    double_colour(
        work.decoded_blue, room.luma, room.half, room.bound, room.classes, filters.colour[0], room.line, room.blue
    )
    bind_colour(work.decoded_red, room.half, step, room.bound)
    double_colour(
        work.decoded_red, room.luma, room.half, room.bound, room.classes, filters.colour[1], room.line, room.red
    )
    join_colours(room.luma, room.blue, room.red, pixels)
