"""Which decisions share a probability, the contexts of the entropy coder, and what they start from."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.tables import log2_256ths

# Classes of blocks: luma 8x8, luma 4x4, colour 8x8.
CLASSES: Final = 3
BANDS: Final = 10
ENERGIES: Final = 6  # how busy the two neighbour blocks are
NEARS: Final = 6  # how large the coefficients already known around this one are

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
ADAPT_SHIFT: Final = 6  # a probability moves 1/64 of its way at each use; 4 to 9 measured the same within 0.02 dB
FLOOR: Final = 32  # of 65536: the coder's interval never closes

# Probability of a 1, in 256ths plus half: counted by `encoders.codec.learning` over 388 portraits of the project's
# training folder (public-domain and generated ones; see NOTICE).
_INITIAL = "80" * CONTEXTS


def initial_probabilities() -> NDArray[np.int32]:
    """The starting probability of a 1 in each context, of 65536: int32[CONTEXTS]."""
    return from_bytes(np.frombuffer(bytes.fromhex(_INITIAL), np.uint8))


def from_bytes(table: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Probabilities from a byte table: uint8[CONTEXTS] in 256ths, taken at the middle."""
    probabilities = table.astype(np.int32) * 256 + 128
    probabilities[RAW] = 1 << (PROBABILITY_BITS - 1)
    return probabilities


def bit_costs(probabilities: NDArray[np.int32]) -> NDArray[np.int32]:
    """Price of a 0 and a 1 in each context, in 1/256 bit: int32[CONTEXTS, 2], by whole-number arithmetic."""
    costs = np.empty((probabilities.size, 2), np.int32)
    for context, probability in enumerate(probabilities.tolist()):
        for bit, share in enumerate((65536 - probability, probability)):
            costs[context, bit] = 256 * PROBABILITY_BITS - log2_256ths(share)
    return costs
