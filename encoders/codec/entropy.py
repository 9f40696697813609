"""Levels, modes and splits to bytes and back: which yes-or-no questions are asked, and the range coder that answers.

The encoder first lists its answers ("bins": 2 * context + bit) and then codes the list in one loop, whose state the
compiler keeps in registers; the decoder must ask one by one.
"""

from numba import int32, int64, njit, uint8, void

from encoders.codec.contexts import (
    ADAPT_SHIFT,
    BANDS,
    CODED,
    ENERGIES,
    ENERGY,
    FLOOR,
    LARGER,
    MAX_PREFIX,
    MODE_CONTEXTS,
    MODES_AT,
    MORE,
    NEAR,
    NEARS,
    PREFIX,
    PRESENT,
    PROBABILITY_BITS,
    RAW,
    SPLITS,
    UNARY_LEVELS,
)
from encoders.codec.kernels import energy_around, note_block
from encoders.codec.tables import BAND, LEVEL, LUMA, MODE, PLANAR, SCAN, SPLIT

BLOCK = int32[:, ::1]
FIELD = int32[:, :, ::1]
LINE = int32[::1]
BYTES = uint8[::1]
STATE = int64[::1]

TOP = (1 << PROBABILITY_BITS) - FLOOR
FULL = 0xFFFFFFFF
LEAST = 1 << 24  # the interval is kept above this
UNIT_BINS = 4096  # more than the answers of one unit
RANGE, CODE, AT = range(3)  # the decoder's state, int64[3]


@njit(int64(BLOCK, int64, int64, int64, int64), cache=True, nogil=True)
def near(levels, top, left, y, x):
    """Class of the weighted sum of the levels above and to the left in the block at (top, left)."""
    total, row, column = 0, top + y, left + x
    if y > 0:
        total += 2 * abs(levels[row - 1, column])
        if x > 0:
            total += abs(levels[row - 1, column - 1])
        if y > 1:
            total += abs(levels[row - 2, column])
    if x > 0:
        total += 2 * abs(levels[row, column - 1])
        if x > 1:
            total += abs(levels[row, column - 2])
    return NEAR[min(total, 8)]


@njit(int64(LINE, int64, int64, int64, int64), cache=True, nogil=True)
def list_level(bins, at, larger, class_, level):
    """List the size and sign of one level other than 0.  Returns: the new end of the list."""
    size = abs(level)
    for smaller in range(1, UNARY_LEVELS):
        bins[at] = 2 * (larger + (1 if smaller > 1 else 0)) + (1 if size > smaller else 0)
        at += 1
        if size <= smaller:
            break
    if size >= UNARY_LEVELS:
        rest, bits = size - UNARY_LEVELS + 1, 0
        while rest >> (bits + 1):
            bins[at] = 2 * (PREFIX + class_) + 1
            at, bits = at + 1, bits + 1
        if bits < MAX_PREFIX:
            bins[at] = 2 * (PREFIX + class_)
            at += 1
        for shift in range(bits - 1, -1, -1):
            bins[at] = 2 * RAW + ((rest >> shift) & 1)
            at += 1
    bins[at] = 2 * RAW + (1 if level < 0 else 0)
    return at + 1


@njit(int64(LINE, int64, BLOCK, int64, int64, int64, int64, int64), cache=True, nogil=True)
def list_levels(bins, at, levels, top, left, size, class_, energy):
    """List the levels of the block at (top, left).  Returns: the new end of the list."""
    which, cells, last = 0 if size == 8 else 1, size * size, -1
    for k in range(cells):
        if levels[top + (SCAN[which, k] >> 3), left + (SCAN[which, k] & 7)]:
            last = k
    bins[at] = 2 * (CODED + class_ * ENERGIES + energy) + (1 if last >= 0 else 0)
    at += 1
    found, ended = 0, True
    for k in range(min(last + 2, cells) if last >= 0 else 0):
        y, x, band = SCAN[which, k] >> 3, SCAN[which, k] & 7, BAND[which, k]
        if k > 0 and ended:
            bins[at] = 2 * (MORE + (class_ * BANDS + band) * 4 + min(found, 4) - 1) + (1 if k <= last else 0)
            at += 1
        if k > last:
            break
        beside = near(levels, top, left, y, x) if k > 0 else energy
        level = levels[top + y, left + x]
        if k < cells - 1 or not ended:
            bins[at] = 2 * (PRESENT + (class_ * BANDS + band) * NEARS + beside) + (1 if level else 0)
            at += 1
        ended = level != 0
        if ended:
            found += 1
            at = list_level(bins, at, LARGER + ((class_ * 3 + min(band, 2)) * 5 + min(beside, 4)) * 2, class_, level)
    return at


@njit(int64(LINE, int64, int64, int64, int64, int64), cache=True, nogil=True)
def list_mode(bins, at, class_, mode, left, above):
    """List a mode: as left? as above? else its four bits.  Returns: the new end of the list."""
    base = MODES_AT + class_ * MODE_CONTEXTS
    bins[at] = 2 * (base + (0 if left == above else 1)) + (1 if mode == left else 0)
    at += 1
    if mode == left:
        return at
    if left != above:
        bins[at] = 2 * (base + 2) + (1 if mode == above else 0)
        at += 1
        if mode == above:
            return at
    node = 1
    for shift in range(3, -1, -1):
        bit = (mode >> shift) & 1
        bins[at] = 2 * (base + 4 + node) + bit
        at, node = at + 1, 2 * node + bit
    return at


@njit(int64(LINE, int64, FIELD, FIELD, int64), cache=True, nogil=True)
def list_plane(bins, at, field, plan, kind):
    """List all answers of a plane behind the first `at`.  Returns: the new end, or -1 if the list is too short."""
    levels = field[LEVEL]
    rows, columns = levels.shape
    for unit in range((rows >> 3) * (columns >> 3)):
        if at + UNIT_BINS > bins.size:
            return -1
        top, left = unit // (columns >> 3) * 8, unit % (columns >> 3) * 8
        row, column = top >> 2, left >> 2
        split = plan[SPLIT, row, column]
        if kind == LUMA:
            around = (plan[SPLIT, row, column - 1] if left else 0) + (plan[SPLIT, row - 1, column] if top else 0)
            bins[at] = 2 * (SPLITS + around) + split
            at += 1
        class_, size = 2 * kind + split, 4 if split else 8
        for part in range(4 if split else 1):
            y, x = top + 4 * (part >> 1), left + 4 * (part & 1)
            row, column = y >> 2, x >> 2
            beside = plan[MODE, row, column - 1] if x > 0 else PLANAR
            above = plan[MODE, row - 1, column] if y > 0 else PLANAR
            at = list_mode(bins, at, class_, plan[MODE, row, column], beside, above)
            energy = ENERGY[min(energy_around(plan, y, x, size), 15)]
            at = list_levels(bins, at, levels, y, x, size, class_, energy)
    return at


@njit(int64(BYTES, int64), cache=True, nogil=True)
def carry(stream, at):
    """Add one to the number that ends before `at`."""
    at -= 1
    while stream[at] == 255:
        stream[at] = 0
        at -= 1
    stream[at] += 1
    return at


@njit(int64(int64, int64), cache=True, nogil=True)
def adapted(probability, bit):
    """The probability of a 1 after an answer."""
    if bit:
        return probability + ((TOP - probability) >> ADAPT_SHIFT)
    return probability - ((probability - FLOOR) >> ADAPT_SHIFT)


@njit(int64(BYTES, int64, int64), cache=True, nogil=True)
def finish(stream, at, low):
    """Write the one byte that names the last interval, drop zeros at the end.  Returns: the stream's size."""
    low += LEAST - 1  # some number in the interval ends in 24 zero bits
    if low > FULL:
        carry(stream, at)
    stream[at] = (low >> 24) & 255
    at += 1
    while at > 0 and stream[at - 1] == 0:
        at -= 1
    return at


@njit(int64(LINE, int64, LINE, BYTES), cache=True, nogil=True)
def encode_bins(bins, count, probabilities, stream):
    """Code `count` listed answers into `stream`.

    Args:
        probabilities: of a 1, int32[CONTEXTS], of 65536; they adapt.
        stream: uint8[any], overwritten.
    Returns: bytes written, zeros at the end left out (the decoder reads zeros there); the size of `stream` if
        they did not fit.
    """
    low, width, at = int64(0), int64(FULL), 0
    for index in range(count):
        context, bit = bins[index] >> 1, bins[index] & 1
        share = (width >> PROBABILITY_BITS) * probabilities[context]
        if bit:
            width = share
        else:
            low, width = low + share, width - share
            if low > FULL:
                low &= FULL
                carry(stream, at)
        if context != RAW:
            probabilities[context] = adapted(probabilities[context], bit)
        while width < LEAST:
            if at + 1 >= stream.size:
                return stream.size
            stream[at] = low >> 24
            low, width, at = (low << 8) & FULL, width << 8, at + 1
    return finish(stream, at, low)


@njit(void(BYTES, STATE), cache=True, nogil=True)
def start_decoder(stream, state):
    """Set up the state, int64[3], to read `stream` from its first byte."""
    state[RANGE], state[CODE], state[AT] = FULL, 0, 4
    for at in range(4):
        state[CODE] = (state[CODE] << 8) | (stream[at] if at < stream.size else 0)


@njit(int64(BYTES, STATE, LINE, int64), cache=True, nogil=True)
def ask(stream, state, probabilities, context):
    """Decode one answer.  Past the end of `stream` there are zeros."""
    share = (state[RANGE] >> PROBABILITY_BITS) * probabilities[context]
    bit = 1 if state[CODE] < share else 0
    if bit:
        state[RANGE] = share
    else:
        state[CODE], state[RANGE] = state[CODE] - share, state[RANGE] - share
    if context != RAW:
        probabilities[context] = adapted(probabilities[context], bit)
    while state[RANGE] < LEAST:
        at = state[AT]
        state[CODE] = (state[CODE] << 8) | (stream[at] if at < stream.size else 0)
        state[RANGE], state[AT] = state[RANGE] << 8, at + 1
    return bit


@njit(int64(BYTES, STATE, LINE, int64, int64), cache=True, nogil=True)
def ask_level(stream, state, probabilities, larger, class_):
    """Decode the size and sign of one level other than 0."""
    size = 1
    while size < UNARY_LEVELS and ask(stream, state, probabilities, larger + (1 if size > 1 else 0)):
        size += 1
    if size == UNARY_LEVELS:
        bits, rest = 0, 1
        while bits < MAX_PREFIX and ask(stream, state, probabilities, PREFIX + class_):
            bits += 1
        for _ in range(bits):
            rest = 2 * rest + ask(stream, state, probabilities, RAW)
        size += rest - 1
    return -size if ask(stream, state, probabilities, RAW) else size


@njit(int64(BYTES, STATE, LINE, BLOCK, int64, int64, int64, int64, int64), cache=True, nogil=True)
def ask_levels(stream, state, probabilities, levels, top, left, size, class_, energy):
    """Decode the levels of the block at (top, left).  Returns: how many there are."""
    which, cells = 0 if size == 8 else 1, size * size
    for k in range(cells):
        levels[top + (SCAN[which, k] >> 3), left + (SCAN[which, k] & 7)] = 0
    if not ask(stream, state, probabilities, CODED + class_ * ENERGIES + energy):
        return 0
    found, ended = 0, True
    for k in range(cells):
        y, x, band = SCAN[which, k] >> 3, SCAN[which, k] & 7, BAND[which, k]
        if k > 0 and ended:
            more = MORE + (class_ * BANDS + band) * 4 + min(found, 4) - 1
            if not ask(stream, state, probabilities, more):
                break
        beside = near(levels, top, left, y, x) if k > 0 else energy
        if k < cells - 1 or not ended:
            present = PRESENT + (class_ * BANDS + band) * NEARS + beside
            ended = ask(stream, state, probabilities, present) != 0
        if ended:
            found += 1
            larger = LARGER + ((class_ * 3 + min(band, 2)) * 5 + min(beside, 4)) * 2
            levels[top + y, left + x] = ask_level(stream, state, probabilities, larger, class_)
    return found


@njit(int64(BYTES, STATE, LINE, int64, int64, int64), cache=True, nogil=True)
def ask_mode(stream, state, probabilities, class_, left, above):
    """Decode a mode."""
    base = MODES_AT + class_ * MODE_CONTEXTS
    if ask(stream, state, probabilities, base + (0 if left == above else 1)):
        return left
    if left != above and ask(stream, state, probabilities, base + 2):
        return above
    node = 1
    for _ in range(4):
        node = 2 * node + ask(stream, state, probabilities, base + 4 + node)
    return node - 16


@njit(void(BYTES, STATE, LINE, FIELD, FIELD, int64), cache=True, nogil=True)
def ask_plane(stream, state, probabilities, field, plan, kind):
    """Decode the levels, modes and splits of a plane.  Any bytes give some plane, in bounded time."""
    levels = field[LEVEL]
    rows, columns = levels.shape
    for unit in range((rows >> 3) * (columns >> 3)):
        top, left = unit // (columns >> 3) * 8, unit % (columns >> 3) * 8
        row, column, split = top >> 2, left >> 2, 0
        if kind == LUMA:
            around = (plan[SPLIT, row, column - 1] if left else 0) + (plan[SPLIT, row - 1, column] if top else 0)
            split = ask(stream, state, probabilities, SPLITS + around)
        for cell in range(4):
            plan[SPLIT, row + (cell >> 1), column + (cell & 1)] = split
        class_, size = 2 * kind + split, 4 if split else 8
        for part in range(4 if split else 1):
            y, x = top + 4 * (part >> 1), left + 4 * (part & 1)
            row, column = y >> 2, x >> 2
            beside = plan[MODE, row, column - 1] if x > 0 else PLANAR
            above = plan[MODE, row - 1, column] if y > 0 else PLANAR
            mode = ask_mode(stream, state, probabilities, class_, beside, above)
            energy = ENERGY[min(energy_around(plan, y, x, size), 15)]
            found = ask_levels(stream, state, probabilities, levels, y, x, size, class_, energy)
            note_block(plan, y, x, size, mode, found)
