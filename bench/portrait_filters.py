"""The filters after decoding, fitted by least squares to pictures that a model has decoded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.portrait_rounds import Seen, whole
from encoders.codec.finish_twin import (
    classes_of,
    colour_classes,
    colour_numbers,
    doubled,
    filtered_luma,
    halved,
    inside,
    moved,
)
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


def luma_weights(pictures: Sequence[Pixels], seen: Sequence[Seen]) -> NDArray[Any]:
    """The luma filter: int16[classes, taps].  Classes share a fifth of what those of other places in blocks tell."""
    gram, aim = np.zeros((LUMA_CLASSES, LUMA_TAPS, LUMA_TAPS)), np.zeros((LUMA_CLASSES, LUMA_TAPS))
    for pixels, one in zip(pictures, seen, strict=True):
        inner = inside(one.decoded, (HEIGHT_PX, WIDTH_PX))
        parts = [moved(inner, row, column) - inner for row, column in TAP_OFFSETS.tolist()]
        taps = np.stack(parts, axis=-1).reshape(-1, LUMA_TAPS).astype(np.float32) / 8
        error = (exact_luma(pixels) - inner / 8).ravel().astype(np.float32)
        gather_squares(classes_of(inner, one.split, one.step).ravel(), taps, error, gram, aim)
    return solved(gram, aim, 6)


def exact_luma(pixels: Pixels) -> NDArray[np.float64]:
    """Y less white, unrounded."""
    luma: NDArray[np.float64] = pixels.astype(np.float64) @ (0.299, 0.587, 0.114) - 254
    return luma


def colour_weights(pictures: Sequence[Pixels], seen: Sequence[Seen], luma_filter: NDArray[Any]) -> NDArray[Any]:
    """The filters of Cb and Cr: int16[2, classes, taps]."""
    grams = np.zeros((2, COLOUR_CLASSES, COLOUR_TAPS, COLOUR_TAPS))
    aims, found = np.zeros((2, COLOUR_CLASSES, COLOUR_TAPS)), []
    for pixels, one in zip(pictures, seen, strict=True):
        luma = inside(one.decoded, (HEIGHT_PX, WIDTH_PX))
        classes = classes_of(luma, one.split, one.step)
        luma = filtered_luma(luma, classes, luma_filter)
        half, kinds = halved(luma), colour_classes(classes).ravel()
        light = pixels.astype(np.float64) @ (0.299, 0.587, 0.114)
        for number, (decoded, channel, scale) in enumerate(((one.decoded_blue, 2, 1.772), (one.decoded_red, 0, 1.402))):
            plane = inside(decoded, (HEIGHT_PX // 2, WIDTH_PX // 2))
            numbers = colour_numbers(plane, luma, half, one.step).reshape(-1, COLOUR_TAPS)
            base = doubled(plane).ravel() / 8
            error = ((pixels[:, :, channel] - light) / scale).ravel() - base
            taps = (numbers / 8).astype(np.float32)
            gather_squares(kinds, taps, error.astype(np.float32), grams[number], aims[number])
    for gram, aim in zip(grams, aims, strict=True):
        found.append(solved(gram, aim, 4))
    return np.ascontiguousarray(np.stack(found))


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
