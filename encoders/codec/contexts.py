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
        802b7c97d2654d8080724c786a879673cb5b8586809a777bab4b7280808b6f7d78818165dc2e8e6e846e7370b28a8280
        8073249ddcd17a59de2f9e809871a66a0b67b3cde3f2518f9eaebfd239789cb8cce080808080e6f08080cbd2e5e4d4d9
        e4f7bca79edb38b498dbc7c897ca80c270ccc75ef0c0b5eaa0a180808080c0d18080b6b8d4d8cbbccbf0b99a90c79842
        49a768623b6980808080808080808080808080808080a0b28080967fb195d79b9cd95b69589bf0ada9b18080898e8080
        dba88080809d808080a6f6e0d3d7d9e2b880bac5cde16e78939cb0c17e83989aaac73f4a6a7c99bc152b5a7294b50b23
        587295ae07255e6f8ea5052b607088a5062e7082a6b8efe1dddad7d7ac80afb7b9d241476f7f9cb784898b8ea2c81531
        6e82a5c0132a6580b1ca9ea4b8b4cad1808080808080808080808080808080808080ecd7cfcdced7bc80bdc3cae7727c
        9892aabe7a77808ab3c5274d798cb1bd122e737dacb6062d969ac1a504139997d1ac00158975cdbc0c41346bb5cbc0b8
        6c7c73878e91aea9585e80805a666c67a6921c371b3a1a421d42485c9dcc5e8767806c877f9a385080803d5156609097
        1925162017231a2c4552517935463749455a5e71161380801816462483710b03091d080f08201e308ca06f
        """
    )
)
