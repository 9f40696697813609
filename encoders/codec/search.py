"""What the encoder chooses and the decoder need not know how: modes, splits and levels of least cost."""
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs

from numba import int64, njit, types, void

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
    PREFIX,
    PRESENT,
    SPLITS,
    UNARY_LEVELS,
)
from encoders.codec.kernels import BLOCK, FIELD, LINE, add_levels, draw, energy_around, note_block, read_line, transform
from encoders.codec.tables import (
    BAND,
    COUNT,
    DECODED,
    GUIDE,
    LEVEL,
    LUMA,
    MODE,
    MODES,
    PLANAR,
    SCAN,
    SCRATCH_BLOCKS,
    SOURCE,
    SPLIT,
)

# A bit is worth LAMBDA / 256 squared steps: 22 and 36 lose 0.04 dB.
LAMBDA = 30
ROOT_LAMBDA = 88  # its root, for costs that are sums of absolute values
TRIES = 2  # modes tried in full, of the MODES ranked by a sum of differences; 1 loses 0.1 dB, 3 gains nothing
PLENTY = 1 << 30  # more than any rank
ENDLESS = 1 << 62  # more than any cost
PAIR = types.UniTuple(int64, 2)
# Slots of the scratch blocks; `add_levels` uses 0 to 2.  Each try has its own prediction and levels.
COEFFICIENTS, HALF_WAY, RESIDUAL, WHOLE, WHOLE_LEVELS, DRAWN, LEVELS = range(7)
NEXT_TRY = 2
assert LEVELS + NEXT_TRY * (TRIES - 1) < SCRATCH_BLOCKS


@njit(int64(BLOCK, int64, int64, BLOCK, int64, BLOCK), cache=True, nogil=True)
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


@njit(int64(BLOCK, int64, int64, int64, int64), cache=True, nogil=True)
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


@njit(int64(BLOCK, int64, int64), cache=True, nogil=True)
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


@njit(int64(int64, int64, int64, BLOCK), cache=True, nogil=True)
def level_cost(level, larger, class_, costs):
    """Price of the size and sign of a level >= 1, in 1/256 bit."""
    if level == 1:
        return 256 + int(costs[larger, 0])
    bits = 256 + int(costs[larger, 1]) + int(costs[larger + 1, 1]) * min(level - 2, UNARY_LEVELS - 2)
    if level < UNARY_LEVELS:
        return bits + int(costs[larger + 1, 0])
    rest = level - UNARY_LEVELS + 1
    while rest > 1:
        bits += 256 + int(costs[PREFIX + class_, 1])
        rest >>= 1
    return bits + int(costs[PREFIX + class_, 0])


@njit(PAIR(int64, int64, int64, int64, int64, int64, BLOCK, int64), cache=True, nogil=True)
def choose_level(value, step, sure, present, larger, class_, costs, lambda_):
    """The cheapest of the two levels nearest to `value` >= 0 and none; `sure` means that none cannot be written.

    Returns: level, and its cost against none for nothing: change of squared error (times 256) and bits (times lambda).
    """
    choice, choice_cost, price = 0, int64(1) << 60, 0
    if not sure:
        choice_cost, price = lambda_ * int(costs[present, 0]), int(costs[present, 1])
    nearest = (2 * value + step) // (2 * step)
    for level in range(max(1, nearest - 1), nearest + 1):
        error = value - level * step
        bits = price + level_cost(level, larger, class_, costs)
        cost = ((error * error - value * value) << 8) + lambda_ * bits
        if cost < choice_cost:
            choice, choice_cost = level, cost
    return choice, choice_cost


@njit(PAIR(BLOCK, int64, int64, BLOCK), cache=True, nogil=True)
def survey(coefficients, size, step, levels):
    """Zigzag place of the last coefficient above half a step, or -1, and the energy of all; clears `levels`."""
    which, last, error = 0 if size == 8 else 1, -1, 0
    for k in range(size * size):
        y, x = SCAN[which, k] >> 3, SCAN[which, k] & 7
        value = int(coefficients[y, x])
        error += value * value
        levels[y, x] = 0
        if 2 * abs(value) > step:
            last = k
    return last, error


@njit(int64(BLOCK, int64, int64, int64, int64, int64, BLOCK, BLOCK), cache=True, nogil=True)
def quantise(coefficients, size, class_, energy, step, lambda_, costs, levels):
    """Choose levels in zigzag order, each the cheapest after those before it, then the cheapest end.

    Args:
        coefficients, levels: int32[8, 8]; the upper left size x size is read and written.
        energy: class of the neighbour blocks' energy; costs: int32[CONTEXTS, 2] in 1/256 bit.
        lambda_: worth of a bit in squared coefficient units.
    Returns: squared error plus lambda_ times bits.
    """
    last, error = survey(coefficients, size, step, levels)
    which, cells, coded = 0 if size == 8 else 1, size * size, CODED + class_ * ENERGIES + energy
    best, end = (error << 8) + lambda_ * int(costs[coded, 0]), -1
    cost, found, ended = (error << 8) + lambda_ * int(costs[coded, 1]), 0, True
    for k in range(last + 1):
        y, x, band = SCAN[which, k] >> 3, SCAN[which, k] & 7, BAND[which, k]
        if k > 0 and ended:
            cost += lambda_ * int(costs[MORE + (class_ * BANDS + band) * 4 + min(found, 4) - 1, 1])
        beside = near(levels, y, x) if k > 0 else energy
        present = PRESENT + (class_ * BANDS + band) * NEARS + beside
        larger = LARGER + ((class_ * 3 + min(band, 2)) * 5 + min(beside, 4)) * 2
        value, sure = int(coefficients[y, x]), ended and k == cells - 1
        level, change = choose_level(abs(value), step, sure, present, larger, class_, costs, lambda_)
        cost, ended = cost + change, level > 0
        if ended:
            levels[y, x], found, stop = level if value > 0 else -level, found + 1, cost
            if k + 1 < cells:
                more = MORE + (class_ * BANDS + BAND[which, k + 1]) * 4 + min(found, 4) - 1
                stop += lambda_ * int(costs[more, 0])
            if stop < best:
                best, end = stop, k
    for k in range(end + 1, last + 1):
        levels[SCAN[which, k] >> 3, SCAN[which, k] & 7] = 0
    return best >> 8


@njit(void(FIELD, FIELD, int64, int64, int64, int64, int64, BLOCK, FIELD, LINE, LINE), cache=True, nogil=True)
def rank_modes(field, plan, kind, y, x, size, step, costs, blocks, line, ranks):
    """Give each mode an estimate of its cost in `ranks`, int32[MODES], from a sum of differences and its name."""
    row, column = y >> 2, x >> 2
    left = plan[MODE, row, column - 1] if x > 0 else PLANAR
    above = plan[MODE, row - 1, column] if y > 0 else PLANAR
    class_ = 2 * kind + (0 if size == 8 else 1)
    source, guide, half_way, drawn = field[SOURCE], field[GUIDE], blocks[HALF_WAY], blocks[DRAWN]
    root = step * ROOT_LAMBDA >> 8
    for mode in range(MODES):
        draw(line, size, mode, kind, guide, y, x, drawn)
        price = mode_cost(costs, class_, mode, left, above)
        ranks[mode] = difference(source, y, x, drawn, size, half_way) + (root * price >> 8)


@njit(int64(LINE), cache=True, nogil=True)
def take_best(ranks):
    """The first mode of lowest rank, which is then out of the race."""
    best = 0
    for mode in range(1, MODES):
        if ranks[mode] < ranks[best]:
            best = mode
    ranks[best] = PLENTY
    return best


@njit(
    int64(FIELD, FIELD, int64, int64, int64, int64, int64, int64, BLOCK, FIELD, LINE, BLOCK, BLOCK),
    cache=True,
    nogil=True,
)
def try_mode(field, plan, kind, y, x, size, mode, step, costs, blocks, line, drawn, levels):
    """Draw a block by one mode and quantise what is left.  Returns: its whole cost."""
    row, column = y >> 2, x >> 2
    left = plan[MODE, row, column - 1] if x > 0 else PLANAR
    above = plan[MODE, row - 1, column] if y > 0 else PLANAR
    class_ = 2 * kind + (0 if size == 8 else 1)
    energy = ENERGY[min(energy_around(plan, y, x, size), 15)]
    source, residual = field[SOURCE], blocks[RESIDUAL]
    draw(line, size, mode, kind, field[GUIDE], y, x, drawn)
    for i in range(size):
        for j in range(size):
            residual[i, j] = source[y + i, x + j] - drawn[i, j]
    transform(residual, size, blocks[HALF_WAY], blocks[COEFFICIENTS])
    lambda_ = LAMBDA * int(step) * int(step) >> 8
    cost = quantise(blocks[COEFFICIENTS], size, class_, energy, step, lambda_, costs, levels)
    return cost + (lambda_ * int(mode_cost(costs, class_, mode, left, above)) >> 8)


@njit(void(BLOCK, int64, int64, BLOCK, int64, int64, int64), cache=True, nogil=True)
def copy_block(source, y, x, target, to_y, to_x, size):
    """Copy a size x size block."""
    for row in range(size):
        for column in range(size):
            target[to_y + row, to_x + column] = source[y + row, x + column]


@njit(int64(FIELD, FIELD, int64, int64, int64, int64, int64, int64, BLOCK, FIELD, LINE, LINE), cache=True, nogil=True)
def code_block(field, plan, kind, y, x, size, fresh, step, costs, blocks, line, ranks):
    """Choose a block's mode (or, not `fresh`, keep the plan's) and levels, and decode it.  Returns: its cost."""
    read_line(field[DECODED], kind, y, x, size, line)
    best_cost, best, best_slot = ENDLESS, int(plan[MODE, y >> 2, x >> 2]), 0
    if fresh:
        rank_modes(field, plan, kind, y, x, size, step, costs, blocks, line, ranks)
    for number in range(TRIES if fresh else 1):
        slot = NEXT_TRY * number
        mode, drawn, levels = take_best(ranks) if fresh else best, blocks[DRAWN + slot], blocks[LEVELS + slot]
        cost = try_mode(field, plan, kind, y, x, size, mode, step, costs, blocks, line, drawn, levels)
        if cost < best_cost:
            best_cost, best, best_slot = cost, mode, slot
    levels = blocks[LEVELS + best_slot]
    add_levels(blocks[DRAWN + best_slot], levels, size, step, blocks, field[DECODED], y, x)
    count = 0
    for row in range(size):
        for column in range(size):
            level = levels[row, column]
            field[LEVEL, y + row, x + column] = level
            count += 1 if level else 0
    note_block(plan, y, x, size, best, count)
    return best_cost


@njit(int64(FIELD, FIELD, int64, int64, int64, int64, int64, int64, BLOCK, FIELD, LINE, LINE), cache=True, nogil=True)
def code_quarters(field, plan, kind, y, x, fresh, budget, step, costs, blocks, line, ranks):
    """Code a unit as four 4x4 blocks.  Returns: their cost; those left when it reaches the budget are not coded."""
    cost = int64(0)
    for part in range(4):
        if cost >= budget:
            break
        top, left = y + 4 * (part >> 1), x + 4 * (part & 1)
        cost += code_block(field, plan, kind, top, left, 4, fresh, step, costs, blocks, line, ranks)
    return cost


@njit(void(FIELD, FIELD, int64, int64, int64, int64, BLOCK, FIELD, LINE, LINE), cache=True, nogil=True)
def choose_unit(field, plan, kind, y, x, step, costs, blocks, line, ranks):
    """Code an 8x8 unit whole and, if that leaves something to gain, in quarters; the cheaper one stays."""
    row, column = y >> 2, x >> 2
    around = (plan[SPLIT, row, column - 1] if x > 0 else 0) + (plan[SPLIT, row - 1, column] if y > 0 else 0)
    lambda_ = LAMBDA * int(step) * int(step) >> 8
    whole = code_block(field, plan, kind, y, x, 8, 1, step, costs, blocks, line, ranks)
    split = 0
    if kind == LUMA and whole >= 16 * lambda_:  # under the worth of 16 bits quarters gain nothing
        whole += lambda_ * (int(costs[SPLITS + around, 0]) - int(costs[SPLITS + around, 1])) >> 8
        mode, count = plan[MODE, row, column], plan[COUNT, row, column]
        copy_block(field[DECODED], y, x, blocks[WHOLE], 0, 0, 8)
        copy_block(field[LEVEL], y, x, blocks[WHOLE_LEVELS], 0, 0, 8)
        if code_quarters(field, plan, kind, y, x, 1, whole, step, costs, blocks, line, ranks) < whole:
            split = 1
        else:
            copy_block(blocks[WHOLE], 0, 0, field[DECODED], y, x, 8)
            copy_block(blocks[WHOLE_LEVELS], 0, 0, field[LEVEL], y, x, 8)
            note_block(plan, y, x, 8, mode, 2 * count)
    for i in range(2):
        for j in range(2):
            plan[SPLIT, row + i, column + j] = split


@njit(void(FIELD, FIELD, int64, int64, int64, BLOCK, FIELD, LINE, LINE), cache=True, nogil=True)
def code_plane(field, plan, kind, fresh, step, costs, blocks, line, ranks):
    """Code a whole plane: levels and decoded picture into `field`; if `fresh`, modes and splits into `plan`.

    Args:
        field, plan: see `encoders.codec.tables`; SOURCE and (colour only) GUIDE are read.
        fresh: 0 keeps the plan of an earlier call and only quantises anew, in a quarter of the time.
        costs: int32[CONTEXTS, 2]; blocks: scratch, int32[SCRATCH_BLOCKS, 8, 8]; line: scratch, int32[LINE_PX];
        ranks: scratch, int32[MODES].
    """
    rows, columns = field[DECODED].shape
    for unit in range((rows >> 3) * (columns >> 3)):
        y, x = unit // (columns >> 3) * 8, unit % (columns >> 3) * 8
        if fresh:
            choose_unit(field, plan, kind, y, x, step, costs, blocks, line, ranks)
        elif plan[SPLIT, y >> 2, x >> 2]:
            code_quarters(field, plan, kind, y, x, 0, ENDLESS, step, costs, blocks, line, ranks)
        else:
            code_block(field, plan, kind, y, x, 8, 0, step, costs, blocks, line, ranks)
