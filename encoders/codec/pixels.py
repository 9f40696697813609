"""Pixel kernels around the coder: exact shrinking, colour planes and back, the smoothing after decoding."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int32, int64, njit, uint8, void

from encoders.codec.tables import HEIGHT_PX, WIDTH_PX

PHOTO_HEIGHT_PX, PHOTO_WIDTH_PX = 441, 358
# 441 / 126 is 7 / 2 and 358 / 102 is 179 / 51: in units of 1/2 and 1/51 pixel all borders are whole numbers.
SPAN, UNIT = 179, 51
AREA = 7 * SPAN

PLANE = int32[:, ::1]
COLOURS = uint8[:, :, ::1]


@njit(void(COLOURS, PLANE, COLOURS), cache=True, nogil=True)
def shrink(photo, sums, pixels):
    """Average a photo, uint8[441, 358, 3], over exact areas to `pixels`, uint8[126, 102, 3].

    `sums` is scratch, int32[3, 358].
    """
    for row in range(HEIGHT_PX):
        top = row * 7 // 2
        first, last = 2 - row % 2, 1 + row % 2  # halves of the first and the last of four rows
        for x in range(PHOTO_WIDTH_PX):
            for colour in range(3):
                middle = int32(photo[top + 1, x, colour]) + int32(photo[top + 2, x, colour])
                ends = first * int32(photo[top, x, colour]) + last * int32(photo[top + 3, x, colour])
                sums[colour, x] = 2 * middle + ends
        for column in range(WIDTH_PX):
            start, stop = column * SPAN, (column + 1) * SPAN
            x, end = start // UNIT, (stop - 1) // UNIT
            head, tail = (x + 1) * UNIT - start, stop - end * UNIT
            for colour in range(3):
                total = head * sums[colour, x] + tail * sums[colour, end]
                for inner in range(x + 1, end):
                    total += UNIT * sums[colour, inner]
                pixels[row, column, colour] = (total + AREA // 2) // AREA


@njit(void(PLANE), cache=True, nogil=True)
def spread_edges(plane):
    """Repeat the last column and row of the picture over the padding of its plane."""
    rows, columns = plane.shape
    inner_rows, inner_columns = HEIGHT_PX, WIDTH_PX
    if rows < HEIGHT_PX:
        inner_rows, inner_columns = HEIGHT_PX // 2, WIDTH_PX // 2
    for row in range(inner_rows):
        for column in range(inner_columns, columns):
            plane[row, column] = plane[row, inner_columns - 1]
    for row in range(inner_rows, rows):
        for column in range(columns):
            plane[row, column] = plane[inner_rows - 1, column]


@njit(void(COLOURS, PLANE, PLANE, PLANE), cache=True, nogil=True)
def split_colours(pixels, luma, blue, red):
    """Turn RGB, uint8[126, 102, 3], into Y, and Cb and Cr averaged over 2x2; all three padded.

    Source: ITU-R BT.601 as JFIF uses it (full range), in 1/65536.
    """
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            r, g, b = int32(pixels[row, column, 0]), int32(pixels[row, column, 1]), int32(pixels[row, column, 2])
            luma[row, column] = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
    for row in range(HEIGHT_PX // 2):
        for column in range(WIDTH_PX // 2):
            r = g = b = int32(0)
            for corner in range(4):
                y, x = 2 * row + corner // 2, 2 * column + corner % 2
                r += int32(pixels[y, x, 0])
                g += int32(pixels[y, x, 1])
                b += int32(pixels[y, x, 2])
            blue[row, column] = min(255, 128 + ((32768 * b - 11059 * r - 21709 * g + 131072) >> 18))
            red[row, column] = min(255, 128 + ((32768 * r - 27439 * g - 5329 * b + 131072) >> 18))
    spread_edges(luma)
    spread_edges(blue)
    spread_edges(red)


@njit(void(PLANE, PLANE), cache=True, nogil=True)
def halve(luma, guide):
    """Average decoded luma over 2x2 into the guide of the colour planes, padded."""
    for row in range(HEIGHT_PX // 2):
        for column in range(WIDTH_PX // 2):
            y, x = 2 * row, 2 * column
            guide[row, column] = (luma[y, x] + luma[y, x + 1] + luma[y + 1, x] + luma[y + 1, x + 1] + 2) >> 2
    spread_edges(guide)


@njit(int64(int64, int64, int64), cache=True, nogil=True)
def pull(here, there, limit):
    """How far a pixel is drawn to a neighbour: wholly if they are near, less and less if an edge is between."""
    far = abs(there - here)
    step = min(far, max(0, limit - (far >> 3)))
    return step if there > here else -step


@njit(void(PLANE, int64, PLANE), cache=True, nogil=True)
def smooth(plane, limit, smoothed):
    """Take the marks of coarse steps out of a decoded plane: each pixel drawn to its eight neighbours.

    Worth 0.2 dB at 1,024 bytes; filtering along block edges only gives as much, both together 0.3.
    """
    rows, columns = plane.shape
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        for column in range(columns):
            left, right = max(column - 1, 0), min(column + 1, columns - 1)
            here = plane[row, column]
            sides = pull(here, plane[above, column], limit) + pull(here, plane[below, column], limit)
            sides += pull(here, plane[row, left], limit) + pull(here, plane[row, right], limit)
            corners = pull(here, plane[above, left], limit) + pull(here, plane[above, right], limit)
            corners += pull(here, plane[below, left], limit) + pull(here, plane[below, right], limit)
            smoothed[row, column] = min(255, max(0, here + ((2 * sides + corners + 8) >> 4)))


@njit(int64(PLANE, int64, int64), cache=True, nogil=True)
def grown(plane, row, column):
    """A colour plane's value at a full-resolution pixel: 9 : 3 : 3 : 1 of the four nearest, less 128, times 16."""
    y, x = row >> 1, column >> 1
    beside_y = min(HEIGHT_PX // 2 - 1, max(0, y + 2 * (row & 1) - 1))
    beside_x = min(WIDTH_PX // 2 - 1, max(0, x + 2 * (column & 1) - 1))
    near = 3 * plane[y, x] + plane[y, beside_x]
    far = 3 * plane[beside_y, x] + plane[beside_y, beside_x]
    return 3 * near + far - 2048


@njit(void(PLANE, PLANE, PLANE, COLOURS), cache=True, nogil=True)
def join_colours(luma, blue, red, pixels):
    """Turn decoded planes into RGB, uint8[126, 102, 3].  Source: as `split_colours`."""
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            y = (luma[row, column] << 16) + 32768
            b, r = grown(blue, row, column), grown(red, row, column)
            pixels[row, column, 0] = min(255, max(0, (y + ((91881 * r) >> 4)) >> 16))
            pixels[row, column, 1] = min(255, max(0, (y - ((22554 * b + 46802 * r) >> 4)) >> 16))
            pixels[row, column, 2] = min(255, max(0, (y + ((116130 * b) >> 4)) >> 16))


@njit(int64(PLANE), cache=True, nogil=True)
def variation(luma):
    """Sum of the differences between neighbouring pixels: tells about how coarse the steps must be."""
    total = 0
    for row in range(HEIGHT_PX - 1):
        for column in range(WIDTH_PX - 1):
            here = luma[row, column]
            total += abs(luma[row, column + 1] - here) + abs(luma[row + 1, column] - here)
    return total
