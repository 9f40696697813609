"""The constants of portrait format 2: sizes, steps, scales and features; changing any of them makes another format.

Everything here is whole numbers made by whole-number arithmetic, so every machine has the same tables.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int32]

VERSION: Final = 2  # first byte of a stream
MAX_STREAM_BYTES: Final = 1024
HEIGHT_PX: Final = 126
WIDTH_PX: Final = 102
# Planes are padded to whole 8x8 units by repeating the edge; colour has half the resolution.
LUMA_SHAPE: Final = (128, 104)
CHROMA_SHAPE: Final = (64, 56)
UNITS: Final = (16, 13)
CELLS: Final = (32, 26)
CHROMA_UNITS: Final = (8, 7)

SCALE: Final = 8  # decoded values are in eighths
WHITE: Final = 254  # luma is counted from here, so that what lies outside the picture is 0
LIGHTEST: Final = (255 - WHITE) * SCALE
DARKEST: Final = -WHITE * SCALE
FARTHEST: Final = 255 * SCALE  # of a colour difference, either way
BIAS: Final = 32 * SCALE  # the last number of every reference: what a predictor's constant is multiplied with

MODES: Final = 24  # of a luma block
CLUSTERS: Final = 3  # of a colour block
COEFFICIENTS: Final = (48, 16, 28)  # coded of 8x8 luma, 4x4 luma and colour blocks
REFERENCES: Final = (45, 25, 116)  # numbers in the reference of each kind of block, the constant one included
BIG, SMALL, COLOUR = range(3)  # kinds of block

WEIGHT_BITS: Final = 13  # predictors are in 1/8192
BASIS_BITS: Final = 14  # transforms are in 1/16384
SUM_LIMIT: Final = 65535  # of the sizes of a block's coefficients: keeps hostile streams inside 32 bits

STEPS: Final = 256
STEPS_PER_OCTAVE: Final = 32
PLAIN_STEP: Final = STEPS - 1  # a stream with this step holds one colour: the refuge of pictures nothing else fits

FEATURES: Final = 14
ROWS: Final = 18  # logistic regressions of each kind of block
CODED: Final = 0
PRESENT: Final = 1  # and five more, by place
LAST: Final = 7  # and five more, by place
LARGER: Final = 13  # than 1, 2, 3 and 4, more
ONE: Final = 256  # features are in 1/256
LEVEL_LIMIT: Final = 255

ODDS_BITS: Final = 11  # a sum of weights (1/1024) times features (1/256), shifted by this, is in 1/128
ODDS_LIMIT: Final = 1536  # log odds beyond 12 are 12
PROBABILITY_BITS: Final = 15
SIDE_BITS: Final = 10  # the mode regression is in 1/1024
SIDES: Final = 16  # features of the mode regression

ACTIVITIES: Final = 8
LUMA_CLASSES: Final = ACTIVITIES * 4 * 6
COLOUR_CLASSES: Final = ACTIVITIES * 4
LUMA_TAPS: Final = 28
COLOUR_TAPS: Final = 18
FILTER_BITS: Final = 12


def _step(index: int) -> int:
    """The largest whole number not above 16 * 4 * 2 ** (index / 32)."""
    step = 0
    for bit in reversed(range(15)):
        if (step | 1 << bit) ** STEPS_PER_OCTAVE <= 1 << (index + 6 * STEPS_PER_OCTAVE):
            step |= 1 << bit
    return step


STEP: Final[Table] = np.array([_step(index) for index in range(STEPS)], np.int32)


def log2_256ths(number: int) -> int:
    """256 times the binary logarithm of a number >= 1, rounded down; by whole numbers, so the same everywhere."""
    return (int(number) ** 256).bit_length() - 1  # int: a numpy number would overflow


MANTISSA: Final[Table] = np.array([log2_256ths(256 + part) - 2048 for part in range(256)], np.int32)
# Places of coefficients fall into six groups with a regression each.
GROUP: Final[Table] = np.array([0, 1, 1, 2, 2, 2] + [3] * 6 + [4] * 10 + [5] * 42, np.int32)
COUNT_LOG: Final[Table] = np.array([log2_256ths(1 + count) for count in range(4096)], np.int32)
# The neighbours the luma filter looks at: (rows, columns) away.
TAP_OFFSETS: Final[Table] = np.array(
    [
        (row, column)
        for row in range(-3, 4)
        for column in range(-3, 4)
        if (row or column) and (abs(row) + abs(column) <= 3 or max(abs(row), abs(column)) <= 2)
    ],
    np.int32,
)
