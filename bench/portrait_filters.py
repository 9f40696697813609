"""The filters after decoding, fitted by least squares to pictures that a model has decoded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.portrait_rounds import Seen, whole
from encoders.codec.colour import halve
from encoders.codec.finish import bind_colour, filter_luma, look_at_colour, sort_pixels, sum_slopes, widen
from encoders.codec.tables import (
    COLOUR_CLASSES,
    COLOUR_TAPS,
    FILTER_BITS,
    HEIGHT_PX,
    LUMA_CLASSES,
    LUMA_TAPS,
    TAP_OFFSETS,
    WIDTH_PX,
)

Pixels = NDArray[np.uint8]
Sums = NDArray[np.float64]


class FilterRoom:
    """The arrays the filters work in."""

    def __init__(self) -> None:
        self.wide = np.zeros((HEIGHT_PX + 6, WIDTH_PX + 6), np.int32)
        self.slopes = np.zeros((3, HEIGHT_PX, WIDTH_PX), np.int64)
        self.sums = np.zeros((3, HEIGHT_PX, WIDTH_PX), np.int64)
        self.classes = np.zeros((HEIGHT_PX, WIDTH_PX), np.int32)

    def sort(self, seen: Seen) -> None:
        """Prepare the picture's decoded luma and the classes of its pixels."""
        widen(seen.decoded, self.wide)
        sum_slopes(self.wide, self.slopes, self.sums)
        sort_pixels(self.wide, seen.split, self.sums, seen.step, self.classes)


def luma_weights(pictures: Sequence[Pixels], seen: Sequence[Seen]) -> NDArray[Any]:
    """The luma filter: int16[classes, taps].  Classes share a fifth of what those of other places in blocks tell."""
    room = FilterRoom()
    gram, aim = np.zeros((LUMA_CLASSES, LUMA_TAPS, LUMA_TAPS)), np.zeros((LUMA_CLASSES, LUMA_TAPS))
    for pixels, one in zip(pictures, seen, strict=True):
        room.sort(one)
        inner = room.wide[3:-3, 3:-3]
        parts = [room.wide[3 + y : 3 + y + HEIGHT_PX, 3 + x : 3 + x + WIDTH_PX] - inner for y, x in TAP_OFFSETS]
        taps = np.stack(parts, axis=-1).reshape(-1, LUMA_TAPS).astype(np.float32) / 8
        error = (exact_luma(pixels) - inner / 8).ravel().astype(np.float32)
        gather_squares(room.classes.ravel(), taps, error, gram, aim)
    return solved(gram, aim, 6)


def exact_luma(pixels: Pixels) -> NDArray[np.float64]:
    """Y less white, unrounded."""
    luma: NDArray[np.float64] = pixels.astype(np.float64) @ (0.299, 0.587, 0.114) - 254
    return luma


def colour_weights(pictures: Sequence[Pixels], seen: Sequence[Seen], luma_filter: NDArray[Any]) -> NDArray[Any]:
    """The filters of Cb and Cr: int16[2, classes, taps]."""
    room, found = FilterRoom(), []
    grams = np.zeros((2, COLOUR_CLASSES, COLOUR_TAPS, COLOUR_TAPS))
    aims = np.zeros((2, COLOUR_CLASSES, COLOUR_TAPS))
    half, slopes = np.zeros((64, 56), np.int32), np.zeros((64, 56), np.int32)
    taps, base = np.zeros((HEIGHT_PX * WIDTH_PX, COLOUR_TAPS), np.float32), np.zeros(HEIGHT_PX * WIDTH_PX)
    rows, columns = np.indices((HEIGHT_PX, WIDTH_PX))
    for pixels, one in zip(pictures, seen, strict=True):
        room.sort(one)
        luma = one.decoded.copy()
        filter_luma(room.wide, room.classes, luma_filter, luma)
        halve(luma, half)
        light = pixels.astype(np.float64) @ (0.299, 0.587, 0.114)
        classes = (room.classes // 24) * 4 + 2 * (rows & 1) + (columns & 1)
        for number, (plane, channel, scale) in enumerate(((one.decoded_blue, 2, 1.772), (one.decoded_red, 0, 1.402))):
            bind_colour(plane, half, one.step, slopes)
            colour_taps(plane, luma, half, slopes, taps, base)
            error = ((pixels[:, :, channel] - light) / scale).ravel() - base
            gather_squares(classes.ravel(), taps, error.astype(np.float32), grams[number], aims[number])
    for gram, aim in zip(grams, aims, strict=True):
        found.append(solved(gram, aim, 4))
    return np.ascontiguousarray(np.stack(found))


@njit(cache=True)
def colour_taps(plane, luma, half, slopes, taps, base):  # type: ignore[no-untyped-def]
    """What the colour filter sees at every pixel, in pixel values."""
    line = np.zeros(COLOUR_TAPS + 1, np.int32)
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            look_at_colour(plane, luma, half, slopes, row, column, line)
            for tap in range(COLOUR_TAPS):
                taps[row * WIDTH_PX + column, tap] = line[tap] / 8
            base[row * WIDTH_PX + column] = line[COLOUR_TAPS] / 8


def gather_squares(classes: Any, taps: Any, error: Any, gram: Sums, aim: Sums) -> None:
    """Add a picture's normal equations to those of the classes."""
    order = np.argsort(classes, kind="stable")
    borders = np.searchsorted(classes[order], np.arange(len(gram) + 1))
    for kind in range(len(gram)):
        mine = order[borders[kind] : borders[kind + 1]]
        if len(mine):
            part = taps[mine]
            gram[kind] += part.T @ part
            aim[kind] += part.T @ error[mine]


def solved(gram: Sums, aim: Sums, family: int) -> NDArray[Any]:
    """Weights of all classes; those of a family (that differ in place only) lean on each other."""
    taps = gram.shape[-1]
    grams, aims = gram.reshape(-1, family, taps, taps), aim.reshape(-1, family, taps)
    grams = grams + 0.2 * grams.sum(1, keepdims=True)
    aims = aims + 0.2 * aims.sum(1, keepdims=True)
    found = [
        np.linalg.solve(one + np.eye(taps) * (50 + 1e-3 * np.trace(one) / taps), wanted)
        for one, wanted in zip(grams.reshape(-1, taps, taps), aims.reshape(-1, taps), strict=True)
    ]
    return whole(np.array(found) * (1 << FILTER_BITS), np.int16)
