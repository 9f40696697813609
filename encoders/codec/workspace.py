"""The arrays one portrait needs while it is coded or decoded; one set for each call, so threads share nothing."""

from typing import Any, NamedTuple

import numpy as np
from numba import int32, int64, types, uint8
from numpy.typing import NDArray

from encoders.codec.tables import (
    CELLS,
    CHROMA_SHAPE,
    CHROMA_UNITS,
    CLUSTERS,
    COEFFICIENTS,
    FEATURES,
    LUMA_SHAPE,
    MODES,
    REFERENCES,
    ROWS,
    SIDES,
    UNITS,
)

Numbers = NDArray[np.int32]

STREAM_BYTES = 4096  # room for a stream that turns out too long, for the search to know by how much


class Work(NamedTuple):
    """Planes, decisions and scratch of one portrait; planes count luma from white, all in eighths."""

    stream: Any  # uint8[4096]
    state: Any  # int64[6]: the range coder's, see `coder`
    luma: Any  # int32[128, 104]: the source
    blue: Any  # int32[64, 56]
    red: Any
    decoded: Any  # int32[128, 104]
    half: Any  # int32[64, 56]: decoded luma, halved
    decoded_blue: Any  # int32[64, 56]
    decoded_red: Any
    split: Any  # int32[16, 13]: whether a unit is in quarters
    mode: Any  # int32[32, 26]: of each cell's block
    levels: Any  # int32[32, 26, 48]: at the first cell of each block
    energy: Any  # int32[32, 26]: logarithm of a block's levels' sum
    peak: Any  # int32[32, 26]: logarithm of its largest
    cluster: Any  # int32[8, 7]
    colour_levels: Any  # int32[8, 7, 28]
    colour_energy: Any  # int32[8, 7]
    widths8: Any  # int32[modes, 48]: spread of each coefficient against the step
    widths4: Any  # int32[modes, 16]
    widths_colour: Any  # int32[clusters, 28]
    reference: Any  # int32[120]
    sides: Any  # int32[16]
    shares: Any  # int32[modes]
    features: Any  # int32[14]
    settled: Any  # int32[18]
    predicted: Any  # int32[128]
    mean: Any  # int32[128]
    sums: Any  # int32[128]
    diary: Any  # int32[any, 16]: what training learns from; empty elsewhere
    mode_diary: Any  # int32[any, 20]


FIELDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "stream": (np.uint8, (STREAM_BYTES,)),
    "state": (np.int64, (6,)),
    "luma": (np.int32, LUMA_SHAPE),
    "blue": (np.int32, CHROMA_SHAPE),
    "red": (np.int32, CHROMA_SHAPE),
    "decoded": (np.int32, LUMA_SHAPE),
    "half": (np.int32, CHROMA_SHAPE),
    "decoded_blue": (np.int32, CHROMA_SHAPE),
    "decoded_red": (np.int32, CHROMA_SHAPE),
    "split": (np.int32, UNITS),
    "mode": (np.int32, CELLS),
    "levels": (np.int32, (*CELLS, COEFFICIENTS[0])),
    "energy": (np.int32, CELLS),
    "peak": (np.int32, CELLS),
    "cluster": (np.int32, CHROMA_UNITS),
    "colour_levels": (np.int32, (*CHROMA_UNITS, COEFFICIENTS[2])),
    "colour_energy": (np.int32, CHROMA_UNITS),
    "widths8": (np.int32, (MODES, COEFFICIENTS[0])),
    "widths4": (np.int32, (MODES, COEFFICIENTS[1])),
    "widths_colour": (np.int32, (CLUSTERS, COEFFICIENTS[2])),
    "reference": (np.int32, (max(REFERENCES) + 4,)),
    "sides": (np.int32, (SIDES,)),
    "shares": (np.int32, (MODES,)),
    "features": (np.int32, (FEATURES,)),
    "settled": (np.int32, (ROWS,)),
    "predicted": (np.int32, (128,)),
    "mean": (np.int32, (128,)),
    "sums": (np.int32, (128,)),
    "diary": (np.int32, (0, 16)),
    "mode_diary": (np.int32, (0, 20)),
}
ELEMENTS = {np.uint8: uint8, np.int32: int32, np.int64: int64}
WORK = types.NamedTuple([types.Array(ELEMENTS[kind], len(shape), "C") for kind, shape in FIELDS.values()], Work)


def new_work(diary_rows: int = 0, mode_rows: int = 0) -> Work:
    """A workspace without a trace of another picture, with a diary of that many rows."""
    arrays = {name: np.zeros(shape, kind) for name, (kind, shape) in FIELDS.items()}
    arrays["diary"] = np.zeros((diary_rows, 16), np.int32)
    arrays["mode_diary"] = np.zeros((mode_rows, 20), np.int32)
    return Work(**arrays)
