"""The encoder's search: modes, splits and levels of luma, clusters and levels of colour, by cost and truth."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, njit, void

from encoders.codec import twin
from encoders.codec.colour import gather_colour, halve, look_around_colour, put_colour
from encoders.codec.compiled import kernel
from encoders.codec.desk import DESK
from encoders.codec.kernels import activity, add_levels, gather, log2_of, predict, put_luma, spread_of
from encoders.codec.levels import settle
from encoders.codec.luma import look_around, measure_widths, note_block, open_block, split_place
from encoders.codec.model import MODEL, SEARCH
from encoders.codec.quantiser import quantise
from encoders.codec.tables import (
    BASIS_BITS,
    BIG,
    CLUSTERS,
    COEFFICIENTS,
    COLOUR,
    MODES,
    ONE,
    REFERENCES,
    SMALL,
    WEIGHT_BITS,
)
from encoders.codec.workspace import WORK

LINE = int32[::1]
PLANE = int32[:, ::1]
ENDLESS = 1 << 60
HALF_BASIS = 1 << (BASIS_BITS - 1)
HALF_WEIGHT = 1 << (WEIGHT_BITS - 1)

FORGOTTEN = (1 << 31) - 1  # the rank of a mode out of the race
KEEP_BITS = 12 << 8  # modes whose names cost more are not looked at; at 9 it is 0.06 dB worse, at 7 0.12
NEAR_COST_SHIFT = 2  # a candidate an eighth worse by estimate than the best found is not tried


@kernel(void(int16[:, ::1], LINE, LINE))
def project(basis, block, coefficients):
    """Coefficients of a block in a basis, int16[coefficients, pixels]."""
    for i in range(basis.shape[0]):
        total = int32(HALF_BASIS)
        for pixel in range(basis.shape[1]):
            total = int32(total + int32(int32(basis[i, pixel]) * int32(block[pixel])))
        coefficients[i] = total >> BASIS_BITS


project = twin.interpreted_or(project, twin.project)


@kernel(void(PLANE, LINE, int64, LINE, LINE))
def compare(reach, reference, count, seen, found):
    """What a mode leaves of a block, in its basis: the source's coefficients less those of the prediction."""
    for i in range(found.size):
        found[i] = HALF_WEIGHT
    for part in range(count):
        strength = reference[part]
        for i in range(found.size):
            found[i] += reach[part, i] * strength
    for i in range(found.size):
        found[i] = seen[i] - (found[i] >> WEIGHT_BITS)


compare = twin.interpreted_or(compare, twin.compare)


@kernel(void(MODEL, WORK, DESK))
def project_source(model, work, desk):
    """Transform every source block with every basis, once for all steps, into `desk.seen8` and `desk.seen4`."""
    block = desk.block
    for row in range(work.mode.shape[0]):
        for column in range(work.mode.shape[1]):
            for i in range(16):
                block[i] = work.luma[4 * row + (i >> 2), 4 * column + (i & 3)]
            for mode in range(MODES):
                project(model.basis4[mode], block[:16], desk.seen4[row, column, mode])
    for row in range(work.split.shape[0]):
        for column in range(work.split.shape[1]):
            for i in range(64):
                block[i] = work.luma[8 * row + (i >> 3), 8 * column + (i & 7)]
            for mode in range(MODES):
                project(model.basis8[mode], block[:64], desk.seen8[row, column, mode])


@kernel(void(MODEL, DESK, int64, int64))
def price_sizes(model, desk, step, lambda_):
    """Fill the table of what a coefficient costs by its size in eighths of a step and its spread, in 1/256 squares."""
    for spread in range(desk.prices.shape[0]):
        for part in range(desk.prices.shape[1]):
            height = (2 * part + 1) * step >> 5  # the middle of its eighth of a step, in eighths
            best, size = height * height, (part + 3) >> 3
            if size > 0:
                error = abs(height - (size * step >> 1))
                bits_256ths = 1075 + 410 * log2_of(size << 8) // 256 - 230 * max(-2, min(2, spread - 3))
                best = min(best, error * error + (lambda_ * bits_256ths >> 8))
            desk.prices[spread, part] = min(1 << 24, best)


@kernel(void(PLANE, int64, LINE, LINE, PLANE, LINE, int64))
def rank_modes(widths, count, coefficients, bits, prices, ranks, step):
    """Estimate in `ranks` what each mode would cost, from its coefficients (one row a mode) and its name's bits.

    By the first 24 of 48 coefficients alone was 0.05 dB worse and not faster.
    """
    inverse = (1 << 20) // step
    for mode in range(MODES):
        if bits[mode] == FORGOTTEN:
            ranks[mode] = FORGOTTEN
            continue
        total = int64(0)
        base = mode * count
        for i in range(count):
            part = min(511, abs(coefficients[base + i]) * inverse >> 16)
            total += prices[(widths[mode, i] + 3 * ONE + 128) >> 8, part]
        ranks[mode] = min(total, 1 << 30) + bits[mode]


@kernel(int64(LINE, LINE))
def take_best(ranks, place):
    """The first mode of lowest rank, which is then out of the race; `place[0]` gets the rank."""
    best = 0
    for mode in range(1, MODES):
        if ranks[mode] < ranks[best]:
            best = mode
    place[0] = ranks[best]
    ranks[best] = FORGOTTEN
    return best


@njit(inline="always")
def choose_block(model, search, work, desk, kind, row, column, step, lambda_, tries):
    """Choose a luma block's mode and levels, and decode it.  Returns: its cost; the error is in `desk.spent`.

    A cost is squared eighths, in 1/256; `desk.spent` gets the error and the bits in 1/256.
    """
    size, cells, number = (8, 2, COEFFICIENTS[BIG]) if kind == BIG else (4, 1, COEFFICIENTS[SMALL])
    pixels, count = size * size, REFERENCES[kind]
    total = open_block(model, work, kind, row, column, step)
    total_log = log2_of(total << 8)
    for mode in range(MODES):
        desk.bits[mode] = total_log - log2_of(int64(work.shares[mode]) << 8)
        desk.ranked_bits[mode] = min(1 << 28, desk.bits[mode] * lambda_ >> 8)
    widths = work.widths8 if kind == BIG else work.widths4
    seen = desk.seen8[row >> 1, column >> 1] if kind == BIG else desk.seen4[row, column]
    reach = search.reach8 if kind == BIG else search.reach4
    found = desk.found8 if kind == BIG else desk.found4
    for mode in range(MODES):
        if desk.bits[mode] > KEEP_BITS:
            desk.ranked_bits[mode] = FORGOTTEN
            continue
        compare(reach[mode], work.reference, count, seen[mode], found[mode])
    rank_modes(widths, number, found.reshape(MODES * number), desk.ranked_bits, desk.prices, desk.ranks, step)
    predictors = model.predictors8 if kind == BIG else model.predictors4
    basis = model.basis8 if kind == BIG else model.basis4
    mean = work.mean[:pixels]
    predict(predictors[MODES], work.reference, count, mean)
    best_cost, best, best_error, best_bits = ENDLESS, 0, int64(0), int64(0)
    first_rank = int64(0)
    block, best_block = work.predicted[:pixels], desk.best_block[:pixels]
    best_levels = work.levels[row, column, :number]
    for attempt in range(tries):
        mode = take_best(desk.ranks, desk.place)
        rank = int64(desk.place[0])
        if attempt == 0:
            first_rank = rank
        elif rank == FORGOTTEN or rank - first_rank > (best_cost >> 8) >> NEAR_COST_SHIFT:
            break
        predict(predictors[mode], work.reference, count, block)
        work.features[12] = spread_of(block, mean, pixels, step)
        outside = int64(0)
        for pixel in range(pixels):
            x, y = 4 * column + pixel % size, 4 * row + pixel // size
            far = int64(work.luma[y, x]) - block[pixel]
            outside += far * far
        for i in range(number):
            outside -= int64(found[mode, i]) * found[mode, i]
        settle(model.answers[kind], work.features, work.settled)
        error, cost = quantise(
            found[mode], number, widths[mode], work.settled, model.answers[kind], search.costs, step, lambda_,
            model.shifts[kind], desk.levels, desk.walk, desk.other,
        )  # fmt: skip
        error += max(0, outside)
        bits = cost + desk.bits[mode]
        whole = (error << 8) + lambda_ * bits
        if whole < best_cost:
            best_cost, best, best_error, best_bits = whole, mode, error, bits
            for i in range(number):
                best_levels[i] = desk.levels[i]
            for pixel in range(pixels):
                best_block[pixel] = block[pixel]
    busy = int64(0)
    for i in range(number):
        busy += abs(best_levels[i])
    add_levels(basis[best], best_levels, number, step, model.shifts[kind], work.sums[:pixels], best_block)
    put_luma(best_block, size, work.decoded, 4 * row, 4 * column)
    note_block(work.mode, work.energy, work.peak, row, column, cells, best, best_levels, busy)
    desk.spent[0], desk.spent[1] = best_error, best_bits
    return best_cost


@kernel(void(PLANE, int64, int64, PLANE, int64, int64, int64))
def copy_block(source, y, x, target, to_y, to_x, size):
    """Copy a size x size block."""
    for row in range(size):
        for column in range(size):
            target[to_y + row, to_x + column] = source[y + row, x + column]


@njit(inline="always")
def choose_unit(model, search, work, desk, y, x, step, lambda_, tries):
    """Code an 8x8 unit whole and, if that leaves something to gain, in quarters; the cheaper one stays."""
    row, column = 2 * y, 2 * x
    look_around(work.energy, work.peak, row, column, 2, step, work.features)
    gather(work.decoded, 4 * row, 4 * column, 8, work.reference)
    work.features[5] = activity(work.reference, 8, step)
    place = split_place(model.splits, work.features)
    whole_bits, parts_bits = int64(search.costs[place, 0]), int64(search.costs[place, 1])
    whole = choose_block(model, search, work, desk, BIG, row, column, step, lambda_, tries) + lambda_ * whole_bits
    error, bits = int64(desk.spent[0]), int64(desk.spent[1]) + whole_bits
    work.split[y, x] = 0
    if whole >= lambda_ * (whole_bits + 3 * ONE):
        copy_block(work.decoded, 8 * y, 8 * x, desk.whole, 0, 0, 8)
        number = COEFFICIENTS[BIG]
        for i in range(number):
            desk.whole_levels[i] = work.levels[row, column, i]
        mode, energy, peak = work.mode[row, column], work.energy[row, column], work.peak[row, column]
        parts, part_error, part_bits = lambda_ * parts_bits, int64(0), parts_bits
        for part in range(4):
            parts += choose_block(
                model, search, work, desk, SMALL, row + (part >> 1), column + (part & 1), step, lambda_, tries
            )
            part_error, part_bits = part_error + desk.spent[0], part_bits + desk.spent[1]
            if parts >= whole:
                break
        if parts < whole:
            work.split[y, x] = 1
            error, bits = part_error, part_bits
        else:
            copy_block(desk.whole, 0, 0, work.decoded, 8 * y, 8 * x, 8)
            for i in range(number):
                work.levels[row, column, i] = desk.whole_levels[i]
            for part in range(4):
                cell_y, cell_x = row + (part >> 1), column + (part & 1)
                work.mode[cell_y, cell_x], work.energy[cell_y, cell_x] = mode, energy
                work.peak[cell_y, cell_x] = peak
    desk.total[0] += error
    desk.total[1] += bits


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64, int64))
def search_luma(model, search, work, desk, step, lambda_, tries):
    """Choose splits, modes and levels of all luma.  `desk.total` gets the error and the bits in 1/256."""
    measure_widths(model.wide8, step, work.widths8)
    measure_widths(model.wide4, step, work.widths4)
    price_sizes(model, desk, step, lambda_)
    work.decoded[:] = 0
    desk.total[:2] = 0
    for unit in range(work.split.size):
        y, x = unit // work.split.shape[1], unit % work.split.shape[1]
        choose_unit(model, search, work, desk, y, x, step, lambda_, tries)


@njit(inline="always")
def choose_colours(model, search, work, desk, unit, step, lambda_):
    """Choose the cluster and the levels of one colour block, and decode it."""
    row, column = unit // work.cluster.shape[1], unit % work.cluster.shape[1]
    y, x, number = 8 * row, 8 * column, COEFFICIENTS[COLOUR]
    count = gather_colour(work, y, x, work.reference)
    look_around_colour(work, row, column, work.features)
    settle(model.answers[COLOUR], work.features, work.settled)
    above = work.cluster[row - 1, column] if row > 0 else CLUSTERS
    left = work.cluster[row, column - 1] if column > 0 else CLUSTERS
    shares, total = model.cluster_shares[above, left], int64(0)
    for cluster in range(CLUSTERS):
        total += shares[cluster]
    total_log = log2_of(total << 8)
    best_cost, best, best_error, best_bits = ENDLESS, 0, int64(0), int64(0)
    for cluster in range(CLUSTERS):
        predict(model.predictors_colour[cluster], work.reference, count, work.predicted)
        error = int64(0)
        for pixel in range(128):
            plane = work.blue if pixel < 64 else work.red
            far = plane[y + (pixel & 63) // 8, x + pixel % 8] - work.predicted[pixel]
            desk.block[pixel] = far
            error += int64(far) * far
        coefficients = desk.found_colour
        project(model.basis_colour[cluster], desk.block[:128], coefficients)
        for i in range(number):
            error -= int64(coefficients[i]) * coefficients[i]
        inside, cost = quantise(
            coefficients, number, work.widths_colour[cluster], work.settled, model.answers[COLOUR], search.costs, step,
            lambda_, model.shifts[COLOUR], desk.levels, desk.walk, desk.other,
        )  # fmt: skip
        error = inside + max(0, error)
        bits = cost + total_log - log2_of(int64(shares[cluster]) << 8)
        if (error << 8) + lambda_ * bits < best_cost:
            best_cost, best, best_error, best_bits = (error << 8) + lambda_ * bits, cluster, error, bits
            for i in range(number):
                work.colour_levels[row, column, i] = desk.levels[i]
            for pixel in range(128):
                desk.best_block[pixel] = work.predicted[pixel]
    levels, busy = work.colour_levels[row, column], int64(0)
    for i in range(number):
        busy += abs(levels[i])
    add_levels(model.basis_colour[best], levels, number, step, model.shifts[COLOUR], work.sums, desk.best_block)
    put_colour(desk.best_block, 1020, work, y, x)
    work.cluster[row, column] = best
    work.colour_energy[row, column] = log2_of(ONE + busy * ONE)
    desk.total[2] += best_error
    desk.total[3] += best_bits


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64))
def search_colour(model, search, work, desk, step, lambda_):
    """Choose clusters and levels of all colour blocks; luma is decoded.  `desk.total[2:]` gets error and bits."""
    measure_widths(model.wide_colour, step, work.widths_colour)
    halve(work.decoded, work.half)
    desk.total[2:] = 0
    for unit in range(work.cluster.size):
        choose_colours(model, search, work, desk, unit, step, lambda_)
