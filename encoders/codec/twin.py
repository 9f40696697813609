"""The pixel side of the format in plain numpy, to be read and to be compared with the kernels bit for bit."""

from fractions import Fraction
from math import floor

import numpy as np

from encoders.codec.tables import (
    BORDER,
    CHROMA,
    CHROMA_SHAPE,
    DIRECTIONS,
    FLAT,
    FOLLOW,
    HEIGHT_PX,
    LUMA_SHAPE,
    PLANAR,
    SMOOTHING_SHIFT,
    STEP,
    WIDTH_PX,
    chroma_step,
)
from encoders.codec.twin_entropy import blank_planes, read_planes

COSINES = (1024, 1004, 946, 851, 724, 569, 392, 200, 0)  # cos(k pi / 16) / 2, in 1/2048
SINES = np.array([[467, 878, 1182, 1345], [1182, 1182, 0, -1182], [1345, -467, -1182, 878], [878, -1345, 1182, -467]])
HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


def overlaps(from_px, to_px):
    """How much of each target pixel each source pixel covers: Fraction[to_px, from_px], rows of sum 1."""
    scale = Fraction(from_px, to_px)
    table = np.full((to_px, from_px), Fraction(0))
    for target in range(to_px):
        start, stop = target * scale, (target + 1) * scale
        for source in range(floor(start), min(from_px, floor(stop) + 1)):
            table[target, source] = max(Fraction(0), min(stop, source + 1) - max(start, source)) / scale
    return table


def shrink(photo):
    """`pixels.shrink`: exact means, rounded to the nearest (halves up)."""
    rows, columns = overlaps(photo.shape[0], HEIGHT_PX), overlaps(photo.shape[1], WIDTH_PX)
    units = 7 * 179  # a target pixel is that many of the smallest overlaps
    down = (rows * 7).astype(np.int64) @ photo.reshape(len(photo), -1).astype(np.int64)
    across = np.einsum("ts,rsc->rtc", (columns * 179).astype(np.int64), down.reshape(HEIGHT_PX, -1, 3))
    return ((2 * across + units) // (2 * units)).astype(np.uint8)


def padded(picture, shape):
    """A picture with its last row and column repeated up to `shape`."""
    return np.pad(picture, [(0, whole - part) for whole, part in zip(shape, picture.shape, strict=True)], "edge")


def quarters(picture):
    """Sums over 2x2 pixels."""
    return picture[::2, ::2] + picture[::2, 1::2] + picture[1::2, ::2] + picture[1::2, 1::2]


def split_colours(pixels):
    """`pixels.split_colours`: padded Y, Cb and Cr."""
    r, g, b = (pixels[:, :, colour].astype(np.int64) for colour in range(3))
    luma = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
    r, g, b = quarters(r), quarters(g), quarters(b)
    blue = np.minimum(255, 128 + ((32768 * b - 11059 * r - 21709 * g + 131072) >> 18))
    red = np.minimum(255, 128 + ((32768 * r - 27439 * g - 5329 * b + 131072) >> 18))
    return padded(luma, LUMA_SHAPE), padded(blue, CHROMA_SHAPE), padded(red, CHROMA_SHAPE)


def halve(luma):
    """`pixels.halve`: what colour may follow."""
    return padded((quarters(luma[:HEIGHT_PX, :WIDTH_PX]) + 2) >> 2, CHROMA_SHAPE)


def smooth(plane, limit):
    """`pixels.smooth`."""
    around, (rows, columns), pulled = np.pad(plane, 1, "edge"), plane.shape, np.zeros_like(plane)
    for y, x in np.ndindex(3, 3):
        away = around[y : y + rows, x : x + columns] - plane
        far = np.abs(away)
        pull = np.sign(away) * np.minimum(far, np.maximum(0, limit - (far >> 3)))
        pulled += pull * (2 if y == 1 or x == 1 else 1)
    return np.clip(plane + ((pulled + 8) >> 4), 0, 255)


def doubled(plane):
    """A colour plane at full resolution, less 128, times 16: 3 : 1 of the two nearest, both ways."""
    picture = plane[: HEIGHT_PX // 2, : WIDTH_PX // 2]
    for axis in (0, 1):
        around = np.pad(picture, [(1, 1) if one == axis else (0, 0) for one in (0, 1)], "edge")
        ends = [np.take(around, np.arange(start, start + picture.shape[axis]), axis) for start in (0, 2)]
        both = np.stack([3 * picture + ends[0], 3 * picture + ends[1]], axis + 1)
        picture = both.reshape([size * (2 if one == axis else 1) for one, size in enumerate(picture.shape)])
    return picture - 2048


def join_colours(luma, blue, red):
    """`pixels.join_colours`."""
    y, b, r = (luma[:HEIGHT_PX, :WIDTH_PX] << 16) + 32768, doubled(blue), doubled(red)
    three = y + (91881 * r >> 4), y - ((22554 * b + 46802 * r) >> 4), y + (116130 * b >> 4)
    return np.clip(np.stack(three, axis=-1) >> 16, 0, 255).astype(np.uint8)


def basis(size):
    """Rows of the transform, in 1/2048: DCT-II for 8x8, DST-VII for 4x4."""
    if size == 4:
        return SINES
    table = np.full((8, 8), COSINES[4])
    for u, x in np.ndindex(8, 8):
        turn = (2 * x + 1) * u % 32
        turn = min(turn, 32 - turn)  # cos(-a) = cos(a)
        if u > 0:
            table[u, x] = COSINES[turn] if turn <= 8 else -COSINES[16 - turn]
    return table


def transform(residual):
    """`kernels.transform`."""
    rows = basis(len(residual))
    return (((rows @ residual + 32) >> 6) @ rows.T + 2048) >> 12


def inverse_transform(coefficients):
    """`kernels.inverse_transform`."""
    rows = basis(len(coefficients))
    half_way = np.clip((rows.T @ coefficients + 256) >> 9, -65535, 65535)
    return np.clip((half_way @ rows + 65536) >> 17, -65535, 65535)


def difference(residual):
    """`search.difference` of a residual block."""
    quads = [residual[y : y + 4, x : x + 4] for y in range(0, len(residual), 4) for x in range(0, len(residual), 4)]
    return 4 * sum(int(np.abs(HADAMARD @ quad @ HADAMARD).sum()) for quad in quads)


class Line:
    """The pixels a block is predicted from: `corner`, and `above` and `left` of twice the block's size each."""

    def __init__(self, decoded, kind, y, x, size):
        columns = decoded.shape[1]
        third_or_last = size == 4 and y % 8 == 4 and x % 8 == 4
        reach = 2 * size if x + size < columns and not third_or_last else size
        above = [int(light) for light in decoded[y - 1, x : x + reach]] if y else []
        left = [int(light) for light in decoded[y : y + size, x - 1]] if x else []
        above = above or [left[0] if left else BORDER[kind]]
        left = left or [above[0]] * size
        above += above[-1:] * (2 * size - len(above))
        left += left[-1:] * size
        self.corner = int(decoded[y - 1, x - 1]) if y and x else (above[0] if y else left[0])
        self.above, self.left = above, left
        if size == 8:
            self.soften()

    def soften(self):
        """Average 1 : 2 : 1 along the line; its two ends stay."""
        line = [*self.left[::-1], self.corner, *self.above]
        soft = [(a + 2 * b + c + 2) >> 2 for a, b, c in zip(line, line[1:], line[2:], strict=False)]
        self.left, self.corner, self.above = [*soft[14::-1], line[0]], soft[15], [*soft[16:], line[-1]]

    def at(self, place):
        """The light at a place in 1/32 pixel from the corner, to the upper right or (negative) to the lower left."""
        line = {0: self.corner, len(self.above) + 1: self.above[-1]}
        line |= dict(enumerate(self.above, start=1))
        line |= {-number: light for number, light in enumerate(self.left, start=1)}
        whole, part = divmod(place, 32)
        return (line[whole] * (32 - part) + line[whole + 1] * part + 16) >> 5


def predict(line, size, mode):
    """`kernels.predict`: a block from its line."""
    block = np.empty((size, size), np.int64)
    for row, column in np.ndindex(size, size):
        if mode == FLAT:
            block[row, column] = (sum(line.above[:size]) + sum(line.left[:size]) + size) // (2 * size)
        elif mode == PLANAR:
            across = (size - 1 - column) * line.left[row] + (column + 1) * line.above[size]
            down = (size - 1 - row) * line.above[column] + (row + 1) * line.left[size]
            block[row, column] = (across + down + size) // (2 * size)
        else:
            block[row, column] = line.at(look(*DIRECTIONS[mode - 2], row, column))
    return block


def look(steep, shift, row, column):
    """The place on the line where a direction's ray through a pixel meets it."""
    along, across = (row + 1, column + 1) if steep else (column + 1, row + 1)
    place = 32 * across + shift * along
    if place < 0:  # the ray crosses the other arm: there `across` is 0, and 32 / -shift of `along` are left for each
        place = (32 * 32 * across + (-shift // 2)) // -shift - 32 * along
    return place if steep else -place


def follow(line, guide, y, x):
    """`kernels.follow`: an 8x8 colour block by a straight line through its borders."""
    pairs = list(zip(guide[y - 1, x : x + 8].tolist(), line.above, strict=False)) if y else []
    pairs += list(zip(guide[y : y + 8, x - 1].tolist(), line.left, strict=False)) if x else []
    slope, base, count = 0, 128, len(pairs)
    if pairs:
        g, c = sum(luma for luma, _ in pairs), sum(colour for _, colour in pairs)
        gg, gc = sum(luma * luma for luma, _ in pairs), sum(luma * colour for luma, colour in pairs)
        slope = (count * gc - g * c) * 256 // (count * gg - g * g + 8 * count * count)
        slope = min(512, max(-512, slope))
        base = (256 * c - slope * g + 128 * count) // (256 * count)
    return np.clip((guide[y : y + 8, x : x + 8] * slope >> 8) + base, 0, 255)


def rebuild(plane, step, guide):
    """`kernels.rebuild`: the decoded pixels of a plane of `twin_entropy`."""
    decoded = np.zeros(plane.shape, np.int64)
    for y, x, size, mode in plane.blocks():
        line = Line(decoded, plane.kind, y, x, size)
        drawn = follow(line, guide, y, x) if plane.kind == CHROMA and mode == FOLLOW else predict(line, size, mode)
        levels = plane.levels[y : y + size, x : x + size]
        if levels.any():
            drawn = np.clip(drawn + inverse_transform(np.clip(levels * step, -32767, 32767)), 0, 255)
        decoded[y : y + size, x : x + size] = drawn
    return decoded


def decode(stream):
    """`stream.decode_stream`: the picture of a stream."""
    luma, blue, red = planes = blank_planes()
    read_planes(stream[2:], planes)
    step = int(STEP[stream[1]])
    light = rebuild(luma, step, None)
    guide = halve(light)
    colours = [rebuild(plane, chroma_step(step), guide) for plane in (blue, red)]
    return join_colours(smooth(light, step >> SMOOTHING_SHIFT), *colours)
