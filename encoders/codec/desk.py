"""The encoder's own arrays: source coefficients, estimates and scratch of the search."""

from typing import Any, NamedTuple

import numpy as np
from numba import int16, int32, int64, types

from encoders.codec.quantiser import MOST_WAYS, NODES
from encoders.codec.tables import CELLS, CHROMA_UNITS, COEFFICIENTS, MODES, UNITS


class Desk(NamedTuple):
    """What the search works on; about 1 MB, most of it the source's coefficients in every basis."""

    seen8: Any  # int16[16, 13, modes * 48]: of the source, less what BIAS predicts
    seen4: Any  # int16[32, 26, modes * 16]
    found8: Any  # int16[modes * 48]: coefficients of one block's residual
    found4: Any  # int16[modes * 16]
    lifted: Any  # int16[64]: a block or a reference, for products
    found: Any  # int32[48]: coefficients of one mode
    found_colour: Any  # int32[28]
    floor8: Any  # int32[modes * 48]: least a level costs, in 1/256 squared steps
    floor4: Any  # int32[modes * 16]
    ranks: Any  # int32[modes]
    bits: Any  # int32[modes]
    ranked_bits: Any  # int32[modes]
    place: Any  # int32[1]
    block: Any  # int32[128]
    best_block: Any  # int32[128]
    whole: Any  # int32[8, 8]
    whole_levels: Any  # int32[48]
    levels: Any  # int32[48]
    ways: Any  # int64[2, 4, 6]: of the quantiser
    nodes: Any  # int32[384, 3]
    spent: Any  # int64[3]
    paid: Any  # int32[264]: bits each unit of luma, then of colour was last given, in 1/256
    named: Any  # int32[264]: of those, the bits of splits, modes and clusters
    pace: Any  # int64[5]: see `polish`
    total: Any  # int64[4]: error and bits of luma, error and bits of colour


FIELDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "seen8": (np.int16, (*UNITS, MODES * COEFFICIENTS[0])),
    "seen4": (np.int16, (*CELLS, MODES * COEFFICIENTS[1])),
    "found8": (np.int16, (MODES * COEFFICIENTS[0],)),
    "found4": (np.int16, (MODES * COEFFICIENTS[1],)),
    "lifted": (np.int16, (64,)),
    "found": (np.int32, (COEFFICIENTS[0],)),
    "found_colour": (np.int32, (COEFFICIENTS[2],)),
    "floor8": (np.int32, (MODES * COEFFICIENTS[0],)),
    "floor4": (np.int32, (MODES * COEFFICIENTS[1],)),
    "ranks": (np.int32, (MODES,)),
    "bits": (np.int32, (MODES,)),
    "ranked_bits": (np.int32, (MODES,)),
    "place": (np.int32, (1,)),
    "block": (np.int32, (128,)),
    "best_block": (np.int32, (128,)),
    "whole": (np.int32, (8, 8)),
    "whole_levels": (np.int32, (COEFFICIENTS[0],)),
    "levels": (np.int32, (COEFFICIENTS[0],)),
    "ways": (np.int64, (2, MOST_WAYS, 6)),
    "nodes": (np.int32, (NODES, 3)),
    "spent": (np.int64, (3,)),
    "paid": (np.int32, (UNITS[0] * UNITS[1] + CHROMA_UNITS[0] * CHROMA_UNITS[1],)),
    "named": (np.int32, (UNITS[0] * UNITS[1] + CHROMA_UNITS[0] * CHROMA_UNITS[1],)),
    "pace": (np.int64, (5,)),
    "total": (np.int64, (4,)),
}
ELEMENTS = {np.int16: int16, np.int32: int32, np.int64: int64}
DESK = types.NamedTuple([types.Array(ELEMENTS[kind], len(shape), "C") for kind, shape in FIELDS.values()], Desk)


def new_desk() -> Desk:
    """A desk of zeros."""
    return Desk(**{name: np.zeros(shape, kind) for name, (kind, shape) in FIELDS.items()})
