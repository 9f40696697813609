"""Which decisions share a probability, the contexts of the entropy coder, and what they start from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.tables import log2_256ths

# Classes of blocks: luma 8x8, luma 4x4, colour 8x8.
CLASSES: Final = 3
BANDS: Final = 10
ENERGIES: Final = 6  # how busy the two neighbour blocks are
NEARS: Final = 6  # how large the levels already known around this one are

RAW: Final = 0  # a bit nobody can foretell: half and half, never adapted
SPLITS: Final = 1  # [split neighbours]
MODES_AT: Final = SPLITS + 3  # [class][20]: 0, 1 as left; 2 as above; 4 + node of a four-bit tree
MODE_CONTEXTS: Final = 20
CODED: Final = MODES_AT + CLASSES * MODE_CONTEXTS  # [class][energy]
MORE: Final = CODED + CLASSES * ENERGIES  # [class][band][levels so far, 1 to 4]
PRESENT: Final = MORE + CLASSES * BANDS * 4  # [class][band][near]
LARGER: Final = PRESENT + CLASSES * BANDS * NEARS  # [class][band, 0 to 2][near, 0 to 4][larger than 1, than more]
PREFIX: Final = LARGER + CLASSES * 3 * 5 * 2  # [class]
CONTEXTS: Final = PREFIX + CLASSES

UNARY_LEVELS: Final = 14  # levels from here on have an Exp-Golomb tail
MAX_PREFIX: Final = 12  # bits of that tail; no level is above 13 + 8191

# Sums to classes; an index above the table means the last class.
NEAR: Final = np.array([0, 1, 2, 3, 3, 4, 4, 4, 5], np.int32)
ENERGY: Final = np.array([0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5], np.int32)

PROBABILITY_BITS: Final = 16
ADAPT_SHIFT: Final = 6  # a probability moves 1/64 of its way at each use; 4 to 9 measured the same within 0.03 dB
FLOOR: Final = 32  # of 65536: the coder's interval never closes


@dataclass(frozen=True, slots=True)
class Prior:
    """What the coder knows before the first answer.

    Attributes:
        probabilities: of a 1 in each context, int32[CONTEXTS], of 65536.
        costs: price of a 0 and a 1 in each context, int32[CONTEXTS, 2], in 1/256 bit; only the encoder asks.
    """

    probabilities: NDArray[np.int32]
    costs: NDArray[np.int32]


def prior_of(table: bytes) -> Prior:
    """The prior of a byte table, CONTEXTS probabilities in 256ths, each taken at the middle of its 256th."""
    probabilities = np.frombuffer(table, np.uint8).astype(np.int32) * 256 + 128
    probabilities[RAW] = 1 << (PROBABILITY_BITS - 1)
    whole = 256 * PROBABILITY_BITS
    costs = [(whole - log2_256ths(65536 - one), whole - log2_256ths(one)) for one in probabilities.tolist()]
    return Prior(probabilities, np.array(costs, np.int32))


# Counted by `encoders.codec.learning` over 375 portraits of real (public domain) and generated (CC0, MIT) people;
# worth 0.6 dB against starting every context at one half.
FORMAT_PRIOR: Final = prior_of(
    bytes.fromhex(
        """
        802b7c96d55e4f8080734c7d69888d6bd058828384956a7fab447a80808b727f7a848065e32e8d6f846d7474b38c8280
        8073239ddcd7765be230a1869d77a86c0b69b5cbe0f2518c9bacbcd039759cb6cce580808080e6f08080dcd2e5e2cddc
        e6f4beb89cd838e789db80b666ca80db4aca80c769c4dbeebaa080808080c0d08080c0bad6d6cac1c9f0c7a692c6f04d
        43a99076356e80808080808080808080808080808080a0b28080a182ae92e69e97d9a3705e98dbd6bbb9808080918080
        38a8808080ab808080a5f2ded7dbdde3c080bfc8cde17779949fb4c58a8a969dabca3e4e6e7e9dc0142b5a7696b80921
        55729bb00624627296a90428597590a8042c6f879fc1f0e2dfdedbdab380b7babed241467080a1ba8c8e8d94a8cb122c
        6d84a9c310246281b3cda3b1b6b7cbd7808080808080808080808080808080808080efdbd5d1cedcc280c2c7d2e07381
        9c99afc385958393b5c92a497a94b9c40f297d81b2bd0420a6a1c7a30411839bd7b40212647bc8c508443e6dbad7c8bf
        738280879394b2ad5b6480805e64706ea996253b213c1c4821434c5ea5cb688d6a887189849e3f528080435559639399
        28211b251c2a1d2d4955587a3d4f3e4d4c606472181280801b2049268674110f0a1b0a10092621329fa28a
        """
    )
)
