"""Block kernels both sides share: references of decoded neighbours, their features, prediction, rebuilding a block."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, void

from encoders.codec import twin
from encoders.codec.compiled import kernel
from encoders.codec.tables import BASIS_BITS, BIAS, DARKEST, LIGHTEST, MANTISSA, ONE, SUM_LIMIT, WEIGHT_BITS

PLANE = int32[:, ::1]
LINE = int32[::1]
WEIGHTS = int16[:, ::1]

HALF_WEIGHT = 1 << (WEIGHT_BITS - 1)
HALF_BASIS = 1 << (BASIS_BITS - 1)


@kernel(int64(int64))
def log2_of(number):
    """256 times the binary logarithm of a number of 256ths, from 256 (which gives 0) to 2 ** 56."""
    whole, shift = int64(number), 0
    if whole >= 1 << 40:
        whole, shift = whole >> 32, 32
    if whole >= 1 << 24:
        whole, shift = whole >> 16, shift + 16
    if whole >= 1 << 16:
        whole, shift = whole >> 8, shift + 8
    if whole >= 1 << 12:
        whole, shift = whole >> 4, shift + 4
    if whole >= 1 << 10:
        whole, shift = whole >> 2, shift + 2
    if whole >= 1 << 9:
        whole, shift = whole >> 1, shift + 1
    return (shift << 8) + MANTISSA[whole - 256]


@kernel(int64(PLANE, int64, int64, int64, LINE))
def gather(decoded, y, x, size, reference):
    """Read a luma block's reference: two rows above, 1.5 blocks wide; two columns to the left; the corner; BIAS.

    What lies outside the picture is 0 (white), what is not decoded yet repeats the nearest.  Returns: its length.
    """
    columns, wide, at = decoded.shape[1], size + size // 2, 0
    last = min(columns - 1, x + wide - 1)
    if size == 4 and y & 4 and x & 4:
        last = x + size - 1
    for row in range(y - 1, y - 3, -1):
        for column in range(x, x + wide):
            reference[at] = decoded[row, min(column, last)] if row >= 0 else 0
            at += 1
    for column in range(x - 1, x - 3, -1):
        for row in range(y, y + size):
            if column >= 0:
                reference[at] = decoded[row, column]
            else:
                reference[at] = decoded[y - 1, x] if y > 0 else 0
            at += 1
    for row in range(y - 1, y - 3, -1):
        for column in range(x - 1, x - 3, -1):
            reference[at] = 0 if row < 0 else decoded[row, max(column, 0)]
            at += 1
    reference[at] = BIAS
    return at + 1


@kernel(int64(LINE, int64, int64))
def activity(reference, size, step):
    """Half the logarithm, in 256ths, of how busy the nearest row and column are against the step."""
    wide, total = size + size // 2, 0
    for i in range(1, wide):
        slope = int(reference[i]) - reference[i - 1]
        total += slope * slope
    for i in range(2 * wide + 1, 2 * wide + size):
        slope = int(reference[i]) - reference[i - 1]
        total += slope * slope
    return log2_of(ONE + (total << 6) // ((wide + size) * step)) >> 1


@kernel(void(int64, int64, int64, int64, int64, LINE, int64))
def orientation(across, down, both, count, step, sides, at):
    """Three features of a part of the reference from its sums of squared slopes: tilt twice, and strength."""
    noise = (step * step >> 2) * count
    strength = across + down
    sides[at] = (((across - down) << 8) + 0) // (strength + noise + 1)
    sides[at + 1] = (both << 9) // (strength + noise + 1)
    sides[at + 2] = log2_of(ONE + (strength << 8) // (noise + 1)) >> 2


@kernel(void(LINE, int64, int64, LINE))
def look_aside(reference, size, step, sides):
    """Fill the 16 features the choice of modes is foretold from: orientation of five parts of the reference, and 1."""
    wide, half = size + size // 2, size // 2
    left, corner = 2 * wide, 2 * wide + 2 * size
    for part in range(3):
        across, down, both = int64(0), int64(0), int64(0)
        for i in range(part * half, part * half + half):
            before = reference[i - 1] if i > 0 else reference[corner]
            along = int(reference[min(i + 1, wide - 1)]) - before
            away = 2 * (int(reference[i]) - reference[wide + i])
            across += along * along
            down += away * away
            both += along * away
        orientation(across, down, both, half, step, sides, 3 * part)
    for part in range(2):
        across, down, both = int64(0), int64(0), int64(0)
        for i in range(part * half, part * half + half):
            before = reference[left + i - 1] if i > 0 else reference[corner]
            along = int(reference[left + min(i + 1, size - 1)]) - before
            away = 2 * (int(reference[left + i]) - reference[left + size + i])
            across += away * away
            down += along * along
            both += along * away
        orientation(across, down, both, half, step, sides, 9 + 3 * part)
    sides[15] = ONE


@kernel(void(WEIGHTS, LINE, int64, LINE))
def predict(weights, reference, count, predicted):
    """Multiply a reference of `count` numbers with weights, int16[count, pixels], into `predicted`.

    Four rows go at once: each sum is loaded and stored a quarter as often, and the loop is too large for the compiler
    to take 32 pixels at a time, which 16 would never fill.
    """
    pixels, whole = weights.shape[1], count & ~3
    for pixel in range(pixels):
        predicted[pixel] = HALF_WEIGHT
    for i in range(0, whole, 4):
        p, q, r, s = int32(reference[i]), int32(reference[i + 1]), int32(reference[i + 2]), int32(reference[i + 3])
        for pixel in range(pixels):
            one = int32(int32(weights[i, pixel] * p) + int32(weights[i + 1, pixel] * q))
            other = int32(int32(weights[i + 2, pixel] * r) + int32(weights[i + 3, pixel] * s))
            predicted[pixel] += one + other
    for i in range(whole, count):
        p = int32(reference[i])
        for pixel in range(pixels):
            predicted[pixel] += weights[i, pixel] * p
    for pixel in range(pixels):
        predicted[pixel] >>= WEIGHT_BITS


predict = twin.interpreted_or(predict, twin.predict)


@kernel(int64(LINE, LINE, int64, int64))
def spread_of(predicted, mean, pixels, step):
    """Half the logarithm, in 256ths, of how far a prediction is from the mean predictor's, against the step."""
    total = int64(0)
    for pixel in range(pixels):
        far = int(predicted[pixel]) - mean[pixel]
        total += far * far
    return log2_of(ONE + (total << 14) // (pixels * step * step)) >> 1


@kernel(int64(int64, int64, LINE))
def value_of(level, step, shifts):
    """What a level stands for, in eighths: its multiple of the step, drawn in by a 64th part that size tells."""
    size = abs(int(level))
    value = ((size << 6) - int(shifts[min(size, 3)])) * step >> 7
    return -value if level < 0 else value


@kernel(int64(LINE, int64, int64))
def after_zeros(levels, i, count):
    """Where the first level other than 0 is, from `i` on; `count` if there is none."""
    while i < count and levels[i] == 0:
        i += 1
    return i


@kernel(void(WEIGHTS, LINE, int64, int64, LINE, LINE, LINE))
def add_levels(basis, levels, count, step, shifts, sums, block):
    """Add to `block` what the first `count` levels stand for in a basis, int16[coefficients, pixels].

    `sums` is scratch, one number a pixel.  What a hostile stream holds beyond SUM_LIMIT is cut.
    """
    pixels, room, i = basis.shape[1], SUM_LIMIT, 0
    for pixel in range(pixels):
        sums[pixel] = HALF_BASIS
    while True:
        i = after_zeros(levels, i, count)
        if i == count:
            break
        j = after_zeros(levels, i + 1, count)  # two at once, the second of nothing where there is no other
        value = min(room, max(-room, value_of(levels[i], step, shifts)))
        room -= abs(value)
        k, other = i, int64(0)
        if j < count:
            k, other = j, min(room, max(-room, value_of(levels[j], step, shifts)))
            room -= abs(other)
        p, q = int32(value), int32(other)
        for pixel in range(pixels):
            sums[pixel] += int32(basis[i, pixel] * p) + int32(basis[k, pixel] * q)
        i = min(count, j + 1)
    for pixel in range(pixels):
        block[pixel] += sums[pixel] >> BASIS_BITS


@kernel(void(LINE, int64, PLANE, int64, int64))
def put_luma(block, size, decoded, y, x):
    """Write a block to its plane, held within black and white."""
    for row in range(size):
        for column in range(size):
            decoded[y + row, x + column] = min(LIGHTEST, max(DARKEST, block[row * size + column]))
