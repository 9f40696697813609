"""The constants of portrait format 1: sizes, steps, scans and directions; changing any of them makes another format.

Everything here is whole numbers made by whole-number arithmetic, so every machine has the same tables.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int32]

VERSION: Final = 1  # first byte of a stream
MAX_STREAM_BYTES: Final = 1024
HEIGHT_PX: Final = 126
WIDTH_PX: Final = 102
# Planes are padded to whole 8x8 units by repeating the edge; colour has half the resolution.
LUMA_SHAPE: Final = (128, 104)
CHROMA_SHAPE: Final = (64, 56)

# Layers of a plane's field, int32[4, rows, columns].
SOURCE, GUIDE, DECODED, LEVEL = range(4)
# Layers of a plane's plan, int32[3, rows / 4, columns / 4].
SPLIT, MODE, COUNT = range(3)
LUMA, CHROMA = range(2)  # kinds of plane
SCRATCH_BLOCKS: Final = 9  # 8x8 blocks the kernels work in

STEPS: Final = 256
STEPS_PER_OCTAVE: Final = 32
BLANK_STEP: Final = STEPS - 1  # a stream with this step holds no level: the refuge of pictures nothing else fits
COEFFICIENT_SCALE: Final = 16  # transform coefficients and steps are in sixteenths of a pixel value
SMOOTHING_SHIFT: Final = 5  # neighbours are pulled together by at most step / 32, that is half a step in pixel values


def _step(index: int) -> int:
    """The largest whole number not above 16 * 4 * 2 ** (index / 32)."""
    step = 0
    for bit in reversed(range(15)):
        if (step | 1 << bit) ** STEPS_PER_OCTAVE <= 1 << (index + 6 * STEPS_PER_OCTAVE):
            step |= 1 << bit
    return step


STEP: Final[Table] = np.array([_step(index) for index in range(STEPS)], np.int32)


def _zigzag(size: int) -> list[int]:
    """Places (row * 8 + column) of a block's coefficients from low to high frequency."""
    cells = [(row, column) for row in range(size) for column in range(size)]
    cells.sort(key=lambda cell: (sum(cell), cell[sum(cell) % 2 == 0]))
    return [row * 8 + column for row, column in cells]


def _bands(size: int) -> list[int]:
    """The band (0 to 9) of each zigzag place: coefficients of a band share their probabilities."""
    first = [0, 1, 1, 2, 3, 2] + [4] * 4
    return first + ([5] * 3 + [6] * 3 if size == 4 else [5] * 5 + [6] * 6 + [7] * 7 + [8] * 8 + [9] * 28)


def _both_sizes(of_size: dict[int, list[int]]) -> Table:
    """Rows for 8x8 and 4x4 blocks."""
    table = np.zeros((2, 64), np.int32)
    for row, size in enumerate((8, 4)):
        table[row, : len(of_size[size])] = of_size[size]
    return table


SCAN: Final[Table] = _both_sizes({size: _zigzag(size) for size in (8, 4)})
BAND: Final[Table] = _both_sizes({size: _bands(size) for size in (8, 4)})

MODES: Final = 16
FLAT, PLANAR, FOLLOW = range(3)  # FOLLOW only in colour planes; there it replaces the first direction
# Direction of the other modes: (steep, shift).  Steep ones look at the row above, moved by shift / 32 pixels a
# row; the others at the column to the left, moved by shift / 32 pixels a column.
DIRECTIONS: Final = (
    *((False, shift) for shift in (5, 0, -5, -13, -21)),
    *((True, shift) for shift in (-32, -21, -13, -5, 0, 5, 13, 21, 32)),
)
# The reference line of a block runs from lower left (CORNER - 2n) over the corner to upper right (CORNER + 2n).
CORNER: Final = 16
LINE_PX: Final = 2 * CORNER + 2
BORDER: Final = (240, 128)  # what the first block of luma and of colour is predicted from: a light, grey background


def _place(steep: bool, shift: int, row: int, column: int) -> int:
    """Where on the reference line a pixel looks, in 1/32 pixel from the corner."""
    near, far = (row, column) if steep else (column, row)
    place = 32 * (far + 1) + shift * (near + 1)
    if place < 0:  # the look goes past the corner to the other arm
        place = (1024 * (far + 1) + -shift // 2) // -shift - 32 * (near + 1)
    return place if steep else -place


def _looks() -> Table:
    """Whole part (0) and 1/32 part (1) of each look: int32[2, 2 sizes, MODES, 64]."""
    table = np.zeros((2, 2, MODES, 64), np.int32)
    for row_of_size, size in enumerate((8, 4)):
        for mode, (steep, shift) in enumerate(DIRECTIONS, start=2):
            for cell in range(size * size):
                row, column = divmod(cell, size)
                place = _place(steep, shift, row, column)
                table[:, row_of_size, mode, row * 8 + column] = CORNER + (place >> 5), place & 31
    return table


LOOK: Final[Table] = _looks()


def log2_256ths(number: int) -> int:
    """256 times the binary logarithm of a number >= 1, rounded down; by whole numbers, so the same everywhere."""
    return (int(number) ** 256).bit_length() - 1  # int: a numpy number would overflow


def chroma_step(step: int) -> int:
    """The step of the colour planes: 7/8 of luma's, a balance that keeps skin tones (PSNR-C 3 to 4 dB above Y)."""
    return step * 7 >> 3
