"""Block kernels both sides share: prediction from decoded neighbours, transforms, rebuilding a plane."""

from numba import int32, int64, njit, void

from encoders.codec.tables import (
    BORDER,
    CHROMA,
    CORNER,
    COUNT,
    DECODED,
    FLAT,
    FOLLOW,
    GUIDE,
    LEVEL,
    LOOK,
    MODE,
    PLANAR,
    SPLIT,
)

# cos(k pi / 16) / 2 and 2 sin(k pi / 9) / 3, in 1/2048
C1, C2, C3, C4, C5, C6, C7 = 1004, 946, 851, 724, 569, 392, 200
S1, S2, S3, S4 = 467, 878, 1182, 1345
LIMIT = 65535  # between the two inverse passes; never met by a real picture, keeps hostile ones inside 32 bits

BLOCK = int32[:, ::1]
FIELD = int32[:, :, ::1]
LINE = int32[::1]


@njit(void(BLOCK, BLOCK, int64), cache=True, nogil=True)
def dct_pass(block, out, shift):
    """Discrete cosine transform of the columns of an 8x8 block, written as rows, divided by 2 ** shift."""
    half = 1 << (shift - 1)
    for x in range(8):
        s0, d0 = block[0, x] + block[7, x], block[0, x] - block[7, x]
        s1, d1 = block[1, x] + block[6, x], block[1, x] - block[6, x]
        s2, d2 = block[2, x] + block[5, x], block[2, x] - block[5, x]
        s3, d3 = block[3, x] + block[4, x], block[3, x] - block[4, x]
        out[x, 0] = (C4 * (s0 + s1 + s2 + s3) + half) >> shift
        out[x, 1] = (C1 * d0 + C3 * d1 + C5 * d2 + C7 * d3 + half) >> shift
        out[x, 2] = (C2 * (s0 - s3) + C6 * (s1 - s2) + half) >> shift
        out[x, 3] = (C3 * d0 - C7 * d1 - C1 * d2 - C5 * d3 + half) >> shift
        out[x, 4] = (C4 * (s0 - s1 - s2 + s3) + half) >> shift
        out[x, 5] = (C5 * d0 - C1 * d1 + C7 * d2 + C3 * d3 + half) >> shift
        out[x, 6] = (C6 * (s0 - s3) - C2 * (s1 - s2) + half) >> shift
        out[x, 7] = (C7 * d0 - C5 * d1 + C3 * d2 - C1 * d3 + half) >> shift


@njit(void(BLOCK, BLOCK, int64), cache=True, nogil=True)
def inverse_dct_pass(block, out, shift):
    """The inverse of `dct_pass`, to rounding; results are held within LIMIT."""
    half = 1 << (shift - 1)
    for x in range(8):
        c1, c3, c5, c7 = block[1, x], block[3, x], block[5, x], block[7, x]
        p, q = C4 * (block[0, x] + block[4, x]), C4 * (block[0, x] - block[4, x])
        r, s = C2 * block[2, x] + C6 * block[6, x], C6 * block[2, x] - C2 * block[6, x]
        odd0 = C1 * c1 + C3 * c3 + C5 * c5 + C7 * c7
        odd1 = C3 * c1 - C7 * c3 - C1 * c5 - C5 * c7
        odd2 = C5 * c1 - C1 * c3 + C7 * c5 + C3 * c7
        odd3 = C7 * c1 - C5 * c3 + C3 * c5 - C1 * c7
        out[x, 0] = min(LIMIT, max(-LIMIT, (p + r + odd0 + half) >> shift))
        out[x, 1] = min(LIMIT, max(-LIMIT, (q + s + odd1 + half) >> shift))
        out[x, 2] = min(LIMIT, max(-LIMIT, (q - s + odd2 + half) >> shift))
        out[x, 3] = min(LIMIT, max(-LIMIT, (p - r + odd3 + half) >> shift))
        out[x, 4] = min(LIMIT, max(-LIMIT, (p - r - odd3 + half) >> shift))
        out[x, 5] = min(LIMIT, max(-LIMIT, (q - s - odd2 + half) >> shift))
        out[x, 6] = min(LIMIT, max(-LIMIT, (q + s - odd1 + half) >> shift))
        out[x, 7] = min(LIMIT, max(-LIMIT, (p + r - odd0 + half) >> shift))


@njit(void(BLOCK, BLOCK, int64), cache=True, nogil=True)
def dst_pass(block, out, shift):
    """Discrete sine transform (VII) of the columns of a 4x4 block, written as rows, divided by 2 ** shift.

    Residuals of small blocks grow away from their reference: sines fit that 0.17 dB better than cosines.
    """
    half = 1 << (shift - 1)
    for x in range(4):
        a, b, c, d = block[0, x], block[1, x], block[2, x], block[3, x]
        out[x, 0] = (S1 * a + S2 * b + S3 * c + S4 * d + half) >> shift
        out[x, 1] = (S3 * (a + b - d) + half) >> shift
        out[x, 2] = (S4 * a - S1 * b - S3 * c + S2 * d + half) >> shift
        out[x, 3] = (S2 * a - S4 * b + S3 * c - S1 * d + half) >> shift


@njit(void(BLOCK, BLOCK, int64), cache=True, nogil=True)
def inverse_dst_pass(block, out, shift):
    """The inverse of `dst_pass`, to rounding; results are held within LIMIT."""
    half = 1 << (shift - 1)
    for x in range(4):
        a, b, c, d = block[0, x], block[1, x], block[2, x], block[3, x]
        out[x, 0] = min(LIMIT, max(-LIMIT, (S1 * a + S3 * b + S4 * c + S2 * d + half) >> shift))
        out[x, 1] = min(LIMIT, max(-LIMIT, (S2 * a + S3 * b - S1 * c - S4 * d + half) >> shift))
        out[x, 2] = min(LIMIT, max(-LIMIT, (S3 * (a - c + d) + half) >> shift))
        out[x, 3] = min(LIMIT, max(-LIMIT, (S4 * a - S3 * b + S2 * c - S1 * d + half) >> shift))


@njit(void(BLOCK, int64, BLOCK, BLOCK), cache=True, nogil=True)
def transform(residual, size, half_way, coefficients):
    """Coefficients of a residual block, |values| <= 255, in 1/16."""
    if size == 8:
        dct_pass(residual, half_way, 6)
        dct_pass(half_way, coefficients, 12)
    else:
        dst_pass(residual, half_way, 6)
        dst_pass(half_way, coefficients, 12)


@njit(void(BLOCK, int64, BLOCK, BLOCK), cache=True, nogil=True)
def inverse_transform(coefficients, size, half_way, residual):
    """Residual block of coefficients in 1/16, |values| <= 32767."""
    if size == 8:
        inverse_dct_pass(coefficients, half_way, 9)
        inverse_dct_pass(half_way, residual, 17)
    else:
        inverse_dst_pass(coefficients, half_way, 9)
        inverse_dst_pass(half_way, residual, 17)


@njit(void(LINE), cache=True, nogil=True)
def soften(line):
    """Average the line of an 8x8 block 1 : 2 : 1, so that its noise is not drawn across the block (0.08 dB)."""
    before = line[CORNER - 16]
    for i in range(CORNER - 15, CORNER + 16):
        here = line[i]
        line[i] = (before + 2 * here + line[i + 1] + 2) >> 2
        before = here


@njit(void(BLOCK, int64, int64, int64, int64, LINE), cache=True, nogil=True)
def read_line(decoded, kind, y, x, size, line):
    """Fill the reference line of a block from its decoded neighbours; what is not decoded yet repeats the nearest."""
    columns = decoded.shape[1]
    beyond = size if x + size < columns and not (size == 4 and x & 4 and y & 4) else 0  # decoded to the upper right
    if y > 0:
        for i in range(size + beyond):
            line[CORNER + 1 + i] = decoded[y - 1, x + i]
        for i in range(size + beyond, 2 * size):
            line[CORNER + 1 + i] = decoded[y - 1, x + size + beyond - 1]
    if x > 0:
        for i in range(size):
            line[CORNER - 1 - i] = decoded[y + i, x - 1]
    if y == 0:
        light = decoded[0, x - 1] if x > 0 else BORDER[kind]
        for i in range(2 * size):
            line[CORNER + 1 + i] = light
    if x == 0:
        light = line[CORNER + 1]
        for i in range(size):
            line[CORNER - 1 - i] = light
    if y > 0:
        line[CORNER] = decoded[y - 1, x - 1] if x > 0 else line[CORNER + 1]
    else:
        line[CORNER] = line[CORNER - 1]
    line[CORNER + 2 * size + 1] = line[CORNER + 2 * size]
    for i in range(size, 2 * size):
        line[CORNER - 1 - i] = line[CORNER - size]
    if size == 8:
        soften(line)


@njit(void(LINE, int64, int64, BLOCK), cache=True, nogil=True)
def predict(line, size, mode, predicted):
    """Draw a block from its reference line: the mean, a plane between its ends, or along a direction."""
    if mode == FLAT:
        light = size
        for i in range(1, size + 1):
            light += line[CORNER + i] + line[CORNER - i]
        light //= 2 * size
        for row in range(size):
            for column in range(size):
                predicted[row, column] = light
    elif mode == PLANAR:
        right, low, shift = line[CORNER + size + 1], line[CORNER - size - 1], 4 if size == 8 else 3
        for row in range(size):
            for column in range(size):
                across = (size - 1 - column) * line[CORNER - 1 - row] + (column + 1) * right
                down = (size - 1 - row) * line[CORNER + 1 + column] + (row + 1) * low
                predicted[row, column] = (across + down + size) >> shift
    else:
        which = 0 if size == 8 else 1
        for row in range(size):
            for column in range(size):
                cell = row * 8 + column
                at, part = LOOK[0, which, mode, cell], LOOK[1, which, mode, cell]
                predicted[row, column] = (line[at] * (32 - part) + line[at + 1] * part + 16) >> 5


@njit(void(LINE, int64, BLOCK, int64, int64, BLOCK), cache=True, nogil=True)
def follow(line, size, guide, y, x, predicted):
    """Draw a colour block after decoded luma, by the straight line that fits best along its borders."""
    count, g, c, gg, gc = 0, 0, 0, 0, 0
    for side in range(2):
        if (y if side == 0 else x) == 0:
            continue
        count += size
        for i in range(size):
            luma = int(guide[y - 1, x + i] if side == 0 else guide[y + i, x - 1])
            colour = int(line[CORNER + 1 + i] if side == 0 else line[CORNER - 1 - i])
            g, c, gg, gc = g + luma, c + colour, gg + luma * luma, gc + luma * colour
    slope, base = 0, 128
    if count > 0:
        # 8 count ** 2 holds the slope down where luma is nearly flat
        slope = (count * gc - g * c) * 256 // (count * gg - g * g + 8 * count * count)
        slope = min(512, max(-512, slope))
        base = (256 * c - slope * g + 128 * count) // (256 * count)
    for row in range(size):
        for column in range(size):
            predicted[row, column] = min(255, max(0, (guide[y + row, x + column] * slope >> 8) + base))


@njit(void(LINE, int64, int64, int64, BLOCK, int64, int64, BLOCK), cache=True, nogil=True)
def draw(line, size, mode, kind, guide, y, x, predicted):
    """Draw a block by the rule its mode means in this kind of plane."""
    if mode == FOLLOW and kind == CHROMA:
        follow(line, size, guide, y, x, predicted)
    else:
        predict(line, size, mode, predicted)


@njit(void(BLOCK, BLOCK, int64, int64, FIELD, BLOCK, int64, int64), cache=True, nogil=True)
def add_levels(predicted, levels, size, step, blocks, decoded, y, x):
    """Put a block into the decoded plane: prediction plus what its levels mean.  `blocks` lends three for scratch."""
    coefficients, half_way, residual = blocks[0], blocks[1], blocks[2]
    some = 0
    for row in range(size):
        for column in range(size):
            some |= levels[row, column]
            coefficients[row, column] = min(32767, max(-32767, levels[row, column] * step))
    if some == 0:
        for row in range(size):
            for column in range(size):
                decoded[y + row, x + column] = predicted[row, column]
        return
    inverse_transform(coefficients, size, half_way, residual)
    for row in range(size):
        for column in range(size):
            decoded[y + row, x + column] = min(255, max(0, predicted[row, column] + residual[row, column]))


@njit(int64(FIELD, int64, int64, int64), cache=True, nogil=True)
def energy_around(plan, y, x, size):
    """How many coefficients the blocks to the left and above have, as 8x8 blocks with half their number in each."""
    row, column, total = y >> 2, x >> 2, 0
    wide = size >> 3  # an 8x8 block has two cells on each side
    if x > 0:
        total += plan[COUNT, row, column - 1] + plan[COUNT, row + wide, column - 1]
    if y > 0:
        total += plan[COUNT, row - 1, column] + plan[COUNT, row - 1, column + wide]
    return total


@njit(void(FIELD, int64, int64, int64, int64, int64), cache=True, nogil=True)
def note_block(plan, y, x, size, mode, levels):
    """Write a block's mode and number of levels into the cells of the plan it covers."""
    count = levels if size == 4 else (levels + 1) >> 1
    for row in range(y >> 2, (y + size) >> 2):
        for column in range(x >> 2, (x + size) >> 2):
            plan[MODE, row, column] = mode
            plan[COUNT, row, column] = count


@njit(void(FIELD, FIELD, int64, int64, FIELD, LINE), cache=True, nogil=True)
def rebuild(field, plan, kind, step, blocks, line):
    """Draw a whole plane from its plan and levels into the field's layer DECODED.

    Args:
        field, plan: see `encoders.codec.tables`; the layers GUIDE (colour only) and LEVEL are read.
        blocks: scratch, int32[5 or more, 8, 8]; `line`: scratch, int32[LINE_PX].
    """
    decoded, guide, predicted, levels = field[DECODED], field[GUIDE], blocks[3], blocks[4]
    rows, columns = decoded.shape
    for unit in range((rows >> 3) * (columns >> 3)):
        top, left = unit // (columns >> 3) * 8, unit % (columns >> 3) * 8
        size = 4 if plan[SPLIT, top >> 2, left >> 2] else 8
        for part in range(4 if size == 4 else 1):
            y, x = top + 4 * (part >> 1), left + 4 * (part & 1)
            for row in range(size):
                for column in range(size):
                    levels[row, column] = field[LEVEL, y + row, x + column]
            read_line(decoded, kind, y, x, size, line)
            draw(line, size, plan[MODE, y >> 2, x >> 2], kind, guide, y, x, predicted)
            add_levels(predicted, levels, size, step, blocks, decoded, y, x)
