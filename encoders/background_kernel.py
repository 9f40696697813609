"""The kernel of background flattening: level, flood from the border, distance, and a bounded step towards the level."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int32, int64, njit, uint8, void

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

COLOURS, PLANE, LINE = uint8[:, :, ::1], int32[:, ::1], int32[::1]
FAR = MARGIN_PX + RAMP_PX  # from there on a change has its whole strength


@njit(uint8(COLOURS, int64, LINE), cache=True, nogil=True)
def edge_level(pixels, colour, counts):
    """Give the lower median of a colour in the strip along the top and the upper sides."""
    rows, columns = pixels.shape[0], pixels.shape[1]
    counts[:256] = 0
    for row in range(min(SIDE_ROWS, rows)):
        for column in range(columns):
            if row < EDGE_PX or column < EDGE_PX or column >= columns - EDGE_PX:
                counts[pixels[row, column, colour]] += 1
    total = counts[:256].sum()
    seen = level = 0
    while 2 * (seen + counts[level]) < total:
        seen += counts[level]
        level += 1
    return uint8(level)


@njit(cache=True, nogil=True)
def may_be_background(pixels, levels, row, column):
    """Say whether a pixel lies outside the face's ellipse and near the level in every colour."""
    across, down = (2 * column - FACE_X2) * FACE_HEIGHT, 2 * (row - FACE_Y) * FACE_WIDTH
    if across * across + down * down <= 4 * FACE_WIDTH * FACE_WIDTH * FACE_HEIGHT * FACE_HEIGHT:
        return False
    off = 0
    for colour in range(3):
        off = max(off, abs(int32(pixels[row, column, colour]) - int32(levels[colour])))
    return off <= NEAR


@njit(cache=True, nogil=True)
def is_smooth(pixels, row, column, other_row, other_column):
    """Say whether two pixels differ by no more than a wall does from one pixel to the next."""
    off = 0
    for colour in range(3):
        off = max(off, abs(int32(pixels[row, column, colour]) - int32(pixels[other_row, other_column, colour])))
    return off <= STEP


@njit(int64(COLOURS, uint8[::1], PLANE, LINE), cache=True, nogil=True)
def flood(pixels, levels, depth, stack):
    """Mark in `depth` with FAR what is background and hangs together with the border, the rest with 0; count it."""
    rows, columns = depth.shape
    depth[:] = 0
    waiting = found = 0
    for row in range(min(SIDE_ROWS, rows)):
        for column in range(columns):
            on_border = row == 0 or column == 0 or column == columns - 1
            if on_border and may_be_background(pixels, levels, row, column):
                depth[row, column] = FAR
                stack[waiting] = row * columns + column
                waiting += 1
    while waiting:
        waiting -= 1
        found += 1
        row, column = stack[waiting] // columns, stack[waiting] % columns
        for side in range(4):
            y = row + (side == 0) - (side == 1)
            x = column + (side == 2) - (side == 3)
            if not (0 <= y < rows and 0 <= x < columns) or depth[y, x]:
                continue
            if may_be_background(pixels, levels, y, x) and is_smooth(pixels, row, column, y, x):
                depth[y, x] = FAR
                stack[waiting] = y * columns + x
                waiting += 1
    return found


@njit(void(PLANE), cache=True, nogil=True)
def measure_depth(depth):
    """Turn FAR into the king's moves to the nearest pixel that is no background, where those are fewer."""
    rows, columns = depth.shape
    for row in range(rows):
        for column in range(columns):
            least = depth[row, column]
            if row:
                for x in range(max(0, column - 1), min(columns, column + 2)):
                    least = min(least, depth[row - 1, x] + 1)
            if column:
                least = min(least, depth[row, column - 1] + 1)
            depth[row, column] = least
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            least = depth[row, column]
            if row < rows - 1:
                for x in range(max(0, column - 1), min(columns, column + 2)):
                    least = min(least, depth[row + 1, x] + 1)
            if column < columns - 1:
                least = min(least, depth[row, column + 1] + 1)
            depth[row, column] = least


@njit(int64(COLOURS, uint8[::1], PLANE, LINE), cache=True, nogil=True)
def flatten(pixels, levels, depth, stack):
    """Flatten `pixels` in place; give how many are background, 0 where nothing was done.

    `levels`, uint8[3], gets the median of the border; `depth`, int32 of the picture's shape, and `stack`, int32 of
    as many pixels and at least 256, are scratch.
    """
    for colour in range(3):
        levels[colour] = edge_level(pixels, colour, stack)
        if levels[colour] < LEAST_LEVEL:
            return 0
    found = flood(pixels, levels, depth, stack)
    rows, columns = depth.shape
    if found * LEAST_SHARE < rows * columns:
        return 0
    measure_depth(depth)
    for row in range(rows):
        for column in range(columns):
            strength = depth[row, column] - MARGIN_PX
            if strength <= 0:
                continue
            for colour in range(3):
                old = int32(pixels[row, column, colour])
                wanted = int32(levels[colour]) - old
                change = (min(abs(wanted), LIMIT) * strength + RAMP_PX // 2) // RAMP_PX
                pixels[row, column, colour] = old + change if wanted > 0 else old - change
    return found
