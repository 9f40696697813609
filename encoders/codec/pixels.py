"""Pixel kernels around the coder: exact shrinking, colour planes, and how busy a picture is."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int32, int64, uint8, void

from encoders.codec.compiled import kernel
from encoders.codec.tables import HEIGHT_PX, SCALE, WHITE, WIDTH_PX

PHOTO_HEIGHT_PX, PHOTO_WIDTH_PX = 441, 358
# 441 / 126 is 7 / 2 and 358 / 102 is 179 / 51: in units of 1/2 and 1/51 pixel all borders are whole numbers.
SPAN, UNIT = 179, 51
AREA = 7 * SPAN

PLANE = int32[:, ::1]
COLOURS = uint8[:, :, ::1]


@kernel(void(COLOURS, PLANE, COLOURS))
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


@kernel(void(PLANE))
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


@kernel(void(COLOURS, PLANE, PLANE, PLANE))
def split_colours(pixels, luma, blue, red):
    """Turn RGB, uint8[126, 102, 3], into Y less white, and Cb and Cr averaged over 2x2, all in eighths and padded.

    Source: ITU-R BT.601 as JFIF uses it (full range), in 1/65536.
    """
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            r, g, b = int32(pixels[row, column, 0]), int32(pixels[row, column, 1]), int32(pixels[row, column, 2])
            luma[row, column] = ((19595 * r + 38470 * g + 7471 * b + 4096) >> 13) - WHITE * SCALE
    for row in range(HEIGHT_PX // 2):
        for column in range(WIDTH_PX // 2):
            r = g = b = int32(0)
            for corner in range(4):
                y, x = 2 * row + corner // 2, 2 * column + corner % 2
                r += int32(pixels[y, x, 0])
                g += int32(pixels[y, x, 1])
                b += int32(pixels[y, x, 2])
            blue[row, column] = (32768 * b - 11059 * r - 21709 * g + 16384) >> 15
            red[row, column] = (32768 * r - 27439 * g - 5329 * b + 16384) >> 15
    spread_edges(luma)
    spread_edges(blue)
    spread_edges(red)


@kernel(int64(PLANE))
def variation(luma):
    """Sum of the differences between neighbouring pixels: tells about how coarse the steps must be."""
    total = 0
    for row in range(HEIGHT_PX - 1):
        for column in range(WIDTH_PX - 1):
            here = luma[row, column]
            total += abs(luma[row, column + 1] - here) + abs(luma[row + 1, column] - here)
    return total
