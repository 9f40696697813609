"""What the encoder chooses and the decoder need not know how: modes, splits and levels of least cost."""
# mypy: allow-untyped-defs, allow-untyped-decorators, no-check-untyped-defs

from numba import int32, int64, njit, void

from encoders.codec.contexts import (
    BANDS,
    CODED,
    ENERGIES,
    ENERGY,
    LARGER,
    MODE_CONTEXTS,
    MODES_AT,
    MORE,
    NEAR,
    NEARS,
    PRESENT,
    SPLITS,
)
from encoders.codec.kernels import BLOCK, FIELD, LINE, add_levels, draw, energy_around, note_block, read_line, transform
from encoders.codec.tables import BAND, CHROMA, DECODED, GUIDE, LEVEL, LUMA, MODE, MODES, PLANAR, SCAN, SOURCE, SPLIT

# A bit is worth LAMBDA / 256 squared steps.  30 to 40 measure the same; less wastes bits, more blurs.
LAMBDA = 36
ROOT_LAMBDA = 96  # its root, for costs that are sums of absolute values
TRIES = 2  # modes tried in full, of the MODES ranked by a sum of differences; 1 loses 0.1 dB, 3 gains nothing
PLENTY = 1 << 30
# Slots of the scratch blocks; `add_levels` uses 0 to 2.
COEFFICIENTS, HALF_WAY, RESIDUAL, DRAWN, LEVELS, BEST_DRAWN, BEST_LEVELS, WHOLE, WHOLE_LEVELS = range(9)
SCRATCH_BLOCKS = 9


@njit(int32(BLOCK, int32, int32, BLOCK, int32, BLOCK), cache=True, nogil=True)
def difference(source, y, x, predicted, size, half_way):
    """Sum of absolute values of the Hadamard transform of source less prediction, in 1/16 as the coefficients."""
    total = 0
    for top in range(0, size, 4):
        for left in range(0, size, 4):
            for row in range(4):
                line, at = top + row, x + left
                a = source[y + line, at] - predicted[line, left]
                b = source[y + line, at + 1] - predicted[line, left + 1]
                c = source[y + line, at + 2] - predicted[line, left + 2]
                d = source[y + line, at + 3] - predicted[line, left + 3]
                half_way[row, 0], half_way[row, 1] = a + b + c + d, a - b + c - d
                half_way[row, 2], half_way[row, 3] = a + b - c - d, a - b - c + d
            for column in range(4):
                a, b = half_way[0, column], half_way[1, column]
                c, d = half_way[2, column], half_way[3, column]
                total += abs(a + b + c + d) + abs(a - b + c - d) + abs(a + b - c - d) + abs(a - b - c + d)
    return total * 4


@njit(int32(BLOCK, int32, int32, int32, int32), cache=True, nogil=True)
def mode_cost(costs, class_, mode, left, above):
    """Price of naming a mode beside its neighbours' modes, in 1/256 bit."""
    base = MODES_AT + class_ * MODE_CONTEXTS
    same = base + (0 if left == above else 1)
    if mode == left:
        return costs[same, 1]
    price = costs[same, 0]
    if left != above:
        if mode == above:
            return price + costs[base + 2, 1]
        price += costs[base + 2, 0]
    node = 1
    for shift in range(3, -1, -1):
        bit = (mode >> shift) & 1
        price += costs[base + 4 + node, bit]
        node = 2 * node + bit
    return price


@njit(int32(BLOCK, int32, int32), cache=True, nogil=True)
def near(levels, y, x):
    """Class of the weighted sum of the levels above and to the left in a block: those known before this one."""
    total = 0
    if y > 0:
        total += 2 * abs(levels[y - 1, x])
        if x > 0:
            total += abs(levels[y - 1, x - 1])
        if y > 1:
            total += abs(levels[y - 2, x])
    if x > 0:
        total += 2 * abs(levels[y, x - 1])
        if x > 1:
            total += abs(levels[y, x - 2])
    return NEAR[min(total, 8)]


@njit(int64(int32, int32, int32, int32, BLOCK, int64, int64), cache=True, nogil=True)
def level_cost(value, step, level, at, costs, price, lambda_):
    """Cost of one level >= 1 against none: change of squared error (times 256) and bits (times lambda)."""
    error = int(value) - int(level) * int(step)
    bits = price + costs[at, 1 if level > 1 else 0]
    if level > 1:
        bits += costs[at + 1, 1] * min(level - 2, 12) + (costs[at + 1, 0] if level < 14 else 0)
    return ((error * error - int(value) * int(value)) << 8) + lambda_ * bits


@njit(int64(BLOCK, int32, int32, int32, int32, int64, BLOCK, BLOCK), cache=True, nogil=True)
def quantise(coefficients, size, class_, energy, step, lambda_, costs, levels):
    """Choose levels in zigzag order, each the cheapest after those before it, then the cheapest end.

    Args:
        coefficients, levels: int32[8, 8]; the upper left size x size is read and written.
        energy: class of the neighbour blocks' energy; costs: int32[CONTEXTS, 2] in 1/256 bit.
        lambda_: worth of a bit in squared coefficient units.
    Returns: squared error plus lambda_ times bits.
    """
    which, cells = 0 if size == 8 else 1, size * size
    last, error = -1, 0
    for k in range(cells):
        y, x = SCAN[which, k] >> 3, SCAN[which, k] & 7
        value = int(coefficients[y, x])
        error += value * value
        levels[y, x] = 0
        if 2 * abs(value) > step:
            last = k
    coded = CODED + class_ * ENERGIES + energy
    best, end = (error << 8) + lambda_ * costs[coded, 0], -1
    cost, found, ended = (error << 8) + lambda_ * costs[coded, 1], 0, True
    for k in range(last + 1):
        y, x, band = SCAN[which, k] >> 3, SCAN[which, k] & 7, BAND[which, k]
        if k > 0 and ended:
            cost += lambda_ * costs[MORE + (class_ * BANDS + band) * 4 + min(found, 4) - 1, 1]
        beside = near(levels, y, x) if k > 0 else energy
        present = PRESENT + (class_ * BANDS + band) * NEARS + beside
        larger = LARGER + ((class_ * 3 + min(band, 2)) * 5 + min(beside, 4)) * 2
        price, choice_cost = 256, int64(1) << 60
        if k < cells - 1 or not ended:
            price, choice_cost = 256 + costs[present, 1], lambda_ * costs[present, 0]
        value, choice = abs(coefficients[y, x]), 0
        nearest = (2 * value + step) // (2 * step)
        for level in range(max(1, nearest - 1), nearest + 1):
            trial = level_cost(value, step, level, larger, costs, price, lambda_)
            if trial < choice_cost:
                choice, choice_cost = level, trial
        cost += choice_cost
        ended = choice > 0
        if ended:
            levels[y, x] = choice if coefficients[y, x] > 0 else -choice
            found += 1
            stop = cost
            if k + 1 < cells:
                stop += lambda_ * costs[MORE + (class_ * BANDS + BAND[which, k + 1]) * 4 + min(found, 4) - 1, 0]
            if stop < best:
                best, end = stop, k
    for k in range(end + 1, last + 1):
        levels[SCAN[which, k] >> 3, SCAN[which, k] & 7] = 0
    return best >> 8
