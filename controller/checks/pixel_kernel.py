"""The compiled look at a portrait: all figures of its grey pixels in one call, without the GIL."""

from numba import int16, int32, int64, njit, uint8, uint16, void

from controller.checks.pixel_bounds import (  # frozen into the cached kernel; the door's self-test sees a stale one
    BORDER_PX,
    CENTRE,
    CORNER_PX,
    CROWN_LEAST_PX,
    CROWN_MAX_PX,
    EDGE,
    EDGE_PX,
    FACE,
    FACE_END_PX,
    FACE_LEFT_PX,
    FACE_RIGHT_PX,
    FACE_TOP_PX,
    FRAME_PX,
    HEAD_FROM_PX,
    HEAD_STEP_PX,
    HEAD_TO_PX,
    LEFT,
    NOBODY,
    RANGE,
    RIGHT,
    RUN_PX,
    SILHOUETTE_BELOW,
    SQUARES,
    STRONG,
    STRONG_CURVE,
    WIDTH,
)

PIXELS = uint8[:, ::1]
NUMBERS = int64[::1]
COUNTS = uint16[:, ::1]


@njit(int64(uint16[::1], int64), cache=True, nogil=True)
def ranked(counts, rank):
    """The value that has `rank` others before it in ascending order, from how often each occurs."""
    value, before = 0, int64(counts[0])
    while before <= rank:
        value += 1
        before += int64(counts[value])
    return value


@njit(int64(PIXELS, int64, int64, int64, int64), cache=True, nogil=True)
def total(grey, top, end, left, right):
    """The sum of a rectangle's pixels; `end` and `right` are outside."""
    found = 0
    for row in range(top, end):
        line, summed = grey[row, left:right], int32(0)  # 64 bits throughout take twice as long
        for column in range(line.size):
            summed = int32(summed + int32(line[column]))
        found += int64(summed)
    return found


@njit(void(PIXELS, NUMBERS, COUNTS), cache=True, nogil=True)
def runs(grey, figures, counts):
    """The range between the 5th and 95th percentile of the sums of runs."""
    rows, columns = grey.shape
    size = 0
    for row in range(FRAME_PX + RUN_PX // 2, rows - FRAME_PX, RUN_PX):
        line = grey[row]
        for start in range(FRAME_PX, columns - FRAME_PX - RUN_PX + 1, RUN_PX):
            summed = 0
            for column in range(start, start + RUN_PX):
                summed += int64(line[column])
            counts[0, summed] += uint16(1)
            size += 1
    figures[RANGE] = ranked(counts[0], size * 95 // 100) - ranked(counts[0], size * 5 // 100)
    counts[0] = 0


@njit(void(PIXELS, NUMBERS), cache=True, nogil=True)
def corners(grey, figures):
    """Sums and squares of the two top corners, and the darkest edge beside and above them."""
    columns, end = grey.shape[1], EDGE_PX + CORNER_PX
    figures[LEFT] = total(grey, EDGE_PX, end, EDGE_PX, end)
    figures[RIGHT] = total(grey, EDGE_PX, end, columns - end, columns - EDGE_PX)
    squares = 0
    for row in range(EDGE_PX, end):
        for column in range(EDGE_PX, end):
            left, right = int64(grey[row, column]), int64(grey[row, columns - 1 - column])
            squares += left * left + right * right
    figures[SQUARES] = squares
    above = min(total(grey, 0, BORDER_PX, EDGE_PX, end), total(grey, 0, BORDER_PX, columns - end, columns - EDGE_PX))
    beside = min(total(grey, EDGE_PX, end, 0, BORDER_PX), total(grey, EDGE_PX, end, columns - BORDER_PX, columns))
    figures[EDGE] = min(above, beside)


@njit(void(PIXELS, NUMBERS), cache=True, nogil=True)
def face(grey, figures):
    """The sum of the face's pixels, and how many inside of it have a strong Laplacian."""
    figures[FACE] = total(grey, FACE_TOP_PX, FACE_END_PX, FACE_LEFT_PX, FACE_RIGHT_PX)
    strong = 0
    for row in range(FACE_TOP_PX + 1, FACE_END_PX - 1):
        above, here, below = grey[row - 1], grey[row], grey[row + 1]
        found = int16(0)  # a row has fewer pixels than 2**15, a Laplacian a magnitude of at most 1,020
        for column in range(FACE_LEFT_PX + 1, FACE_RIGHT_PX - 1):
            beside = int16(here[column - 1]) + int16(here[column + 1])
            curve = int16((int16(here[column]) << int16(2)) - int16(above[column]) - int16(below[column]) - beside)
            found = int16(found + int16(curve >= STRONG_CURVE or curve <= -STRONG_CURVE))
        strong += int64(found)
    figures[STRONG] = strong


@njit(int64(PIXELS), cache=True, nogil=True)
def crown(grey):
    """The first row from above with enough dark pixels over the face, NOBODY when there is none."""
    for row in range(CROWN_MAX_PX + 1):
        dark = 0
        for column in range(FACE_LEFT_PX, FACE_RIGHT_PX):
            dark += grey[row, column] < SILHOUETTE_BELOW
        if dark >= CROWN_LEAST_PX:
            return row
    return NOBODY


@njit(void(PIXELS, NUMBERS, COUNTS), cache=True, nogil=True)
def head(grey, figures, counts):
    """Twice the medians of the sum and of the distance of the head's two sides."""
    figures[CENTRE] = figures[WIDTH] = NOBODY
    top, columns, found = crown(grey), grey.shape[1], 0
    if top == NOBODY:
        return
    for row in range(top + HEAD_FROM_PX, top + HEAD_TO_PX, HEAD_STEP_PX):
        left = 0
        while left < columns and grey[row, left] >= SILHOUETTE_BELOW:
            left += 1
        if left == columns:
            continue
        right = columns - 1
        while grey[row, right] >= SILHOUETTE_BELOW:
            right -= 1
        counts[0, left + right] += uint16(1)
        counts[1, right - left] += uint16(1)
        found += 1
    if found:
        low, high = (found - 1) // 2, found // 2
        figures[CENTRE] = ranked(counts[0], low) + ranked(counts[0], high)
        figures[WIDTH] = ranked(counts[1], low) + ranked(counts[1], high)


@njit(void(PIXELS, NUMBERS, COUNTS), cache=True, nogil=True)
def measure(grey, figures, counts):
    """Write the figures of one portrait.

    Args:
        grey: shape (441, 358), uint8.
        figures: shape (FIGURES,), int64: overwritten.
        counts: shape (2, 255 * RUN_PX + 1), uint16: zeros, overwritten.
    """
    runs(grey, figures, counts)
    corners(grey, figures)
    face(grey, figures)
    head(grey, figures, counts)
