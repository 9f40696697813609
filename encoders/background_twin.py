"""Background flattening once more, in whole arrays: what the kernel must give, to be read."""

import numpy as np
from numpy.typing import NDArray

from encoders.background_bounds import (
    EDGE_PX,
    FACE_HEIGHT,
    FACE_WIDTH,
    FACE_X2,
    FACE_Y,
    LEAST_LEVEL,
    LEAST_SHARE,
    LIMIT,
    MARGIN_PX,
    NEAR,
    RAMP_PX,
    SIDE_ROWS,
    STEP,
)

Pixels = NDArray[np.uint8]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


def flattened_twin(pixels: Pixels) -> Pixels:
    """A picture, uint8[rows, columns, 3], with its background flattened; itself where there is none to speak of."""
    wide = pixels.astype(np.int64)
    levels = edge_levels(wide)
    mask = background_mask(wide, levels)
    if levels.min() < LEAST_LEVEL or mask.sum() * LEAST_SHARE < mask.size:
        return pixels.copy()
    strength = np.clip(depths(mask) - MARGIN_PX, 0, RAMP_PX)[:, :, None]
    wanted = levels - wide
    change = (np.minimum(np.abs(wanted), LIMIT) * strength + RAMP_PX // 2) // RAMP_PX
    flat: Pixels = (wide + np.sign(wanted) * change).astype(np.uint8)
    return flat


def edge_levels(wide: Whole) -> Whole:
    """The lower median of each colour in the strip along the top and the upper sides."""
    strip = np.zeros(wide.shape[:2], bool)
    strip[:EDGE_PX] = strip[:, :EDGE_PX] = strip[:, -EDGE_PX:] = True
    strip[SIDE_ROWS:] = False
    ranked = np.sort(wide[strip], axis=0)
    middle: Whole = ranked[(len(ranked) - 1) // 2]
    return middle


def background_mask(wide: Whole, levels: Whole) -> Mask:
    """What is near the level, outside the face's ellipse, and hangs together with the border over small steps."""
    rows, columns = np.indices(wide.shape[:2])
    across, down = (2 * columns - FACE_X2) * FACE_HEIGHT, 2 * (rows - FACE_Y) * FACE_WIDTH
    may_be = across**2 + down**2 > (2 * FACE_WIDTH * FACE_HEIGHT) ** 2
    may_be &= (np.abs(wide - levels) <= NEAR).all(axis=2)
    over_rows = (np.abs(np.diff(wide, axis=0)) <= STEP).all(axis=2)
    over_columns = (np.abs(np.diff(wide, axis=1)) <= STEP).all(axis=2)
    mask: Mask = may_be & ((rows == 0) | (columns == 0) | (columns == wide.shape[1] - 1)) & (rows < SIDE_ROWS)
    count = -1
    while count != mask.sum():
        count = mask.sum()
        grown = mask.copy()
        grown[1:] |= mask[:-1] & over_rows
        grown[:-1] |= mask[1:] & over_rows
        grown[:, 1:] |= mask[:, :-1] & over_columns
        grown[:, :-1] |= mask[:, 1:] & over_columns
        mask = grown & may_be
    return mask


def depths(mask: Mask) -> Whole:
    """King's moves from each pixel to the nearest that is no background, counted up to where it matters no more."""
    depth = np.zeros(mask.shape, np.int64)
    inside = np.pad(mask, 1, constant_values=True)
    for _ in range(MARGIN_PX + RAMP_PX):
        depth += inside[1:-1, 1:-1]
        ring = [inside[y : y + mask.shape[0], x : x + mask.shape[1]] for y in range(3) for x in range(3)]
        inside = np.pad(np.logical_and.reduce(ring), 1, constant_values=True)
    return depth
