"""Which levels a block is given: the cheapest way through its coefficients, by truth and bits, of the few kept."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, njit, types

from encoders.codec.coder import odds_place
from encoders.codec.compiled import kernel
from encoders.codec.kernels import value_of
from encoders.codec.tables import CODED, COUNT_LOG, GROUP, LARGER, LAST, LEVEL_LIMIT, ONE, PRESENT

LINE = int32[::1]
TABLE = int32[:, ::1]
WEIGHTS = int16[:, ::1]
WAYS = int64[:, :, ::1]

MOST_WAYS = 4  # that are kept from one coefficient to the next
NODES = 48 * 2 * MOST_WAYS  # that ways can have put together
ROUND_UP_64THS = 30  # a size is looked at from 34/64 of the next on
ENDLESS = 1 << 60
# What a way remembers: its cost, its levels so far, their sum, the last two sizes, the node of its last level.
COST, FOUND, SUM, BEFORE, BEFORE_THAT, NODE = range(6)


@njit(inline="always")
def base_of(weights, settled, row, i, wide):
    """What block and coefficient tell about an answer: the part of its odds that all ways share."""
    odds = int64(settled[row]) + int(weights[row, 1]) * wide
    return odds + int(weights[row, 9]) * (i << 3) + int(weights[row, 10]) * COUNT_LOG[i]


@njit(inline="always")
def place_on(weights, row, base, way):
    """Where the odds of an answer stand in the tables, for a way so far."""
    odds = base + int(weights[row, 6]) * COUNT_LOG[way[FOUND]] + int(weights[row, 11]) * COUNT_LOG[min(way[SUM], 4095)]
    odds += (int(weights[row, 7]) * min(way[BEFORE], 2) + int(weights[row, 8]) * min(way[BEFORE_THAT], 2)) << 8
    return odds_place(odds)


@kernel(int64(int64, WEIGHTS, LINE, TABLE, int64, int64, int64[::1]))
def tall_cost(size, weights, settled, costs, i, wide, way):
    """Cost, in 1/256 bit, of saying how much larger than 1 a size is that is larger than 1."""
    place = place_on(weights, LARGER + 1, base_of(weights, settled, LARGER + 1, i, wide), way)
    if size == 2:
        return costs[place, 0]
    cost = int64(costs[place, 1])
    place = place_on(weights, LARGER + 2, base_of(weights, settled, LARGER + 2, i, wide), way)
    cost += min(size - 3, 2) * int64(costs[place, 1])
    if size < 5:
        return cost + costs[place, 0]
    place = place_on(weights, LARGER + 3, base_of(weights, settled, LARGER + 3, i, wide), way)
    cost += (size - 5) * int64(costs[place, 1])
    return cost + (costs[place, 0] if size < LEVEL_LIMIT else 0)


@njit(inline="always")
def keep(ways, side, kept, most, way, cost, size, node):
    """Put a way with one more size among those kept, if it is cheap enough.  Returns: how many are kept, the place."""
    at = kept
    if kept == most:
        at = 0
        for other in range(1, most):
            if ways[side, other, COST] > ways[side, at, COST]:
                at = other
        if ways[side, at, COST] <= cost:
            return kept, -1
    ways[side, at, COST], ways[side, at, NODE] = cost, node
    ways[side, at, FOUND] = way[FOUND] + (1 if size else 0)
    ways[side, at, SUM] = way[SUM] + size
    ways[side, at, BEFORE], ways[side, at, BEFORE_THAT] = size, way[BEFORE]
    return max(kept, at + 1), at


@kernel(int64(LINE, int64, int64, LINE))
def round_up(coefficients, count, step, sizes):
    """The sizes nearest to coefficients, in `sizes`.  Returns: the place of the last that is not 0; -1: none."""
    last, inverse = -1, (1 << 23) // step
    for i in range(count):
        size = min(LEVEL_LIMIT, ((int64(abs(coefficients[i])) * inverse >> 16) + ROUND_UP_64THS) >> 6)
        sizes[i] = size
        if size:
            last = i
    return last


@kernel(types.UniTuple(int64, 2)(LINE, int64, LINE, LINE, WEIGHTS, TABLE, int64, int64, LINE, LINE, WAYS, TABLE, int64))
def quantise(coefficients, count, widths, settled, weights, costs, step, lambda_, shifts, levels, ways, nodes, most):
    """Choose the levels of a block.

    Args:
        coefficients: int32[count], in eighths; levels: int32[count], written.
        lambda_: worth of a bit in squared eighths.
        ways, nodes: scratch, int64[2, MOST_WAYS, 6] and int32[NODES, 3].
        most: how many ways are kept, 1 to MOST_WAYS.
    Returns: squared error of the `count` coefficients in squared eighths, cost in 1/256 bit.
    """
    last, error = round_up(coefficients, count, step, levels), int64(0)
    for i in range(count):
        error += int64(coefficients[i]) * coefficients[i]
    ways[0, 0, :] = 0
    ways[0, 0, NODE] = -1
    place = place_on(weights, CODED, base_of(weights, settled, CODED, 0, widths[0]), ways[0, 0])
    empty_cost = int64(costs[place, 0])
    best, best_node, filled = lambda_ * empty_cost, -1, 0
    ways[0, 0, COST] = lambda_ * costs[place, 1]
    side, kept = 0, 1
    for i in range(last + 1):
        group, wide, size = GROUP[i], widths[i], levels[i]
        base = base_of(weights, settled, PRESENT + group, i, wide)
        if size == 0:
            for number in range(kept):
                way = ways[side, number]
                way[COST] += lambda_ * costs[place_on(weights, PRESENT + group, base, way), 0]
                way[BEFORE_THAT], way[BEFORE] = way[BEFORE], 0
            continue
        height, others = int64(abs(coefficients[i])), 0
        larger_base = base_of(weights, settled, LARGER, i, wide)
        last_base = base_of(weights, settled, LAST + group, i, wide)
        for number in range(kept):
            way = ways[side, number]
            absent, present = int64(0), int64(0)
            if i < count - 1 or way[FOUND]:
                place = place_on(weights, PRESENT + group, base, way)
                absent, present = int64(costs[place, 0]), int64(costs[place, 1])
            if i < last:
                others, _ = keep(ways, 1 - side, others, most, way, way[COST] + lambda_ * absent, 0, way[NODE])
            place = place_on(weights, LARGER, larger_base, way)
            one, more = int64(costs[place, 0]), int64(costs[place, 1])
            for lowered in range(size, max(0, size - 2), -1):
                far = height - value_of(lowered, step, shifts)
                bits = present + ONE
                bits += one if lowered == 1 else more + tall_cost(lowered, weights, settled, costs, i, wide, way)
                cost = way[COST] + ((far * far - height * height) << 8) + lambda_ * bits
                ended, going = int64(0), int64(0)
                if i < count - 1:
                    way[FOUND] += 1
                    way[SUM] += lowered
                    place = place_on(weights, LAST + group, last_base, way)
                    going, ended = int64(costs[place, 0]), int64(costs[place, 1])
                    way[FOUND] -= 1
                    way[SUM] -= lowered
                at = -1
                if i < last:
                    others, at = keep(ways, 1 - side, others, most, way, cost + lambda_ * going, lowered, filled)
                if at >= 0 or cost + lambda_ * ended < best:
                    if cost + lambda_ * ended < best:
                        best, best_node = cost + lambda_ * ended, filled
                    nodes[filled, 0], nodes[filled, 1], nodes[filled, 2] = way[NODE], i, lowered
                    filled += 1
        side, kept = 1 - side, others
    for i in range(count):
        levels[i] = 0
    empty_error = error
    while best_node >= 0:
        i, size = nodes[best_node, 1], nodes[best_node, 2]
        far, height = int64(abs(coefficients[i])) - value_of(size, step, shifts), int64(abs(coefficients[i]))
        error += far * far - height * height
        levels[i] = size if coefficients[i] >= 0 else -size
        best_node = nodes[best_node, 0]
    return error, (best - ((error - empty_error) << 8)) // lambda_
