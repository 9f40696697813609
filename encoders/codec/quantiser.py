"""Which levels a block is given: each lowered while that saves more bits than it costs in truth."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, types

from encoders.codec.compiled import kernel
from encoders.codec.kernels import value_of
from encoders.codec.levels import cost_from, place_of
from encoders.codec.tables import CODED, LEVEL_LIMIT

LINE = int32[::1]
TABLE = int32[:, ::1]
WEIGHTS = int16[:, ::1]

ROUND_UP_64THS = 27  # a size is first taken as whole from 37/64 on
PASSES = 2


@kernel(types.UniTuple(int64, 2)(int64, int64, int64, LINE))
def squares(coefficient, size, step, shifts):
    """Squared error of a coefficient that is given a level of `size`, and of one lower."""
    height = abs(coefficient)
    here, lower = height, height
    if size > 0:
        here = height - value_of(size, step, shifts)
    if size > 1:
        lower = height - value_of(size - 1, step, shifts)
    return here * here, lower * lower


@kernel(types.UniTuple(int64, 2)(LINE, int64, LINE, LINE, WEIGHTS, TABLE, int64, int64, LINE, LINE, TABLE, TABLE))
def quantise(coefficients, count, widths, settled, weights, costs, step, lambda_, shifts, levels, walk, other):
    """Choose the levels of a block.

    Args:
        coefficients: int32[count], in eighths; levels: int32[count], written.
        lambda_: worth of a bit in squared eighths.
        walk, other: scratch, int32[count, 5].
    Returns: squared error of the `count` coefficients in squared eighths, cost in 1/256 bit.
    """
    last, error, empty_error = -1, int64(0), int64(0)
    for i in range(count):
        height = int64(abs(coefficients[i]))
        size = min(LEVEL_LIMIT, ((height << 7) // step + ROUND_UP_64THS) >> 6)
        levels[i] = size if coefficients[i] >= 0 else -size
        empty_error += height * height
        error += squares(height, size, step, shifts)[0]
        if size:
            last = i
    place = place_of(weights, settled, CODED, 0, widths[0], 0, 0, 0, 0)
    empty_cost, coded_cost = int64(costs[place, 0]), int64(costs[place, 1])
    if last < 0:
        return empty_error, empty_cost
    walk[0, :] = 0
    walk[0, 4] = coded_cost
    cost = cost_from(levels, 0, last, count, widths, settled, weights, costs, walk)
    best = (error << 8) + lambda_ * cost
    for _ in range(PASSES):
        changed, i = False, last
        while i >= 0:
            if levels[i] == 0:
                i -= 1
                continue
            size, level = abs(levels[i]), levels[i]
            here, lower = squares(coefficients[i], size, step, shifts)
            levels[i] = size - 1 if level > 0 else 1 - size
            end, first = last, i
            if size == 1 and i == last:
                end = i - 1
                while end >= 0 and levels[end] == 0:
                    end -= 1
                first = end
            if end < 0:
                levels[i] = level
                break
            for field in range(5):
                other[first, field] = walk[first, field]
            new_cost = cost_from(levels, first, end, count, widths, settled, weights, costs, other)
            new_error = error - here + lower
            total = (new_error << 8) + lambda_ * new_cost
            if total < best:
                for k in range(first, end + 1):
                    for field in range(5):
                        walk[k, field] = other[k, field]
                best, error, cost, last, changed = total, new_error, new_cost, end, True
                if size > 1:
                    continue
            else:
                levels[i] = level
            i -= 1
        if not changed:
            break
    if (empty_error << 8) + lambda_ * empty_cost <= best:
        for i in range(count):
            levels[i] = 0
        return empty_error, empty_cost
    return error, cost
