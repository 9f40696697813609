"""The encoder's own arrays: source coefficients, estimates and scratch of the search."""

from typing import Any, NamedTuple

import numpy as np
from numba import int32, int64, types

from encoders.codec.tables import CELLS, COEFFICIENTS, MODES, UNITS


class Desk(NamedTuple):
    """What the search works on; about 5 MB, most of it the source's coefficients in every basis."""

    seen8: Any  # int32[16, 13, modes, 48]
    seen4: Any  # int32[32, 26, modes, 16]
    found8: Any  # int32[modes, 48]: coefficients of one block's residual
    found4: Any  # int32[modes, 16]
    found_colour: Any  # int32[28]
    prices: Any  # int32[9, 512]
    ranks: Any  # int32[modes]
    bits: Any  # int32[modes]
    ranked_bits: Any  # int32[modes]
    place: Any  # int32[1]
    block: Any  # int32[128]
    best_block: Any  # int32[128]
    whole: Any  # int32[8, 8]
    whole_levels: Any  # int32[48]
    levels: Any  # int32[48]
    walk: Any  # int32[48, 5]
    other: Any  # int32[48, 5]
    spent: Any  # int64[2]
    total: Any  # int64[4]: error and bits of luma, error and bits of colour


FIELDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "seen8": (np.int32, (*UNITS, MODES, COEFFICIENTS[0])),
    "seen4": (np.int32, (*CELLS, MODES, COEFFICIENTS[1])),
    "found8": (np.int32, (MODES, COEFFICIENTS[0])),
    "found4": (np.int32, (MODES, COEFFICIENTS[1])),
    "found_colour": (np.int32, (COEFFICIENTS[2],)),
    "prices": (np.int32, (9, 512)),
    "ranks": (np.int32, (MODES,)),
    "bits": (np.int32, (MODES,)),
    "ranked_bits": (np.int32, (MODES,)),
    "place": (np.int32, (1,)),
    "block": (np.int32, (128,)),
    "best_block": (np.int32, (128,)),
    "whole": (np.int32, (8, 8)),
    "whole_levels": (np.int32, (COEFFICIENTS[0],)),
    "levels": (np.int32, (COEFFICIENTS[0],)),
    "walk": (np.int32, (COEFFICIENTS[0], 5)),
    "other": (np.int32, (COEFFICIENTS[0], 5)),
    "spent": (np.int64, (2,)),
    "total": (np.int64, (4,)),
}
ELEMENTS = {np.int32: int32, np.int64: int64}
DESK = types.NamedTuple([types.Array(ELEMENTS[kind], len(shape), "C") for kind, shape in FIELDS.values()], Desk)


def new_desk() -> Desk:
    """A desk of zeros."""
    return Desk(**{name: np.zeros(shape, kind) for name, (kind, shape) in FIELDS.items()})
