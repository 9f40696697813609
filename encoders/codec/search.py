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
)
from encoders.codec.workspace import WORK

LINE = int32[::1]
SHORT = int16[::1]
SHORTS = int16[:, ::1]
PLANE = int32[:, ::1]
ENDLESS = 1 << 60
HALF_BASIS = 1 << (BASIS_BITS - 1)

FORGOTTEN = (1 << 31) - 1  # the rank of a mode out of the race
FLOOR_BITS_256THS = 700  # with these four 0.03 dB better than with 820, 230, 3, 5/4
WIDER_256THS = 300  # bits a level is cheaper by where its coefficient is spread twice as wide
LINES_CROSS = 50  # what the second line, of 1, is above the first, of 5/2, at nothing
NEAR_COST_SHIFT = 2  # a candidate a quarter worse by estimate than the best found is not tried


@kernel(void(int16[:, ::1], LINE, LINE))
def project(basis, block, coefficients):
    """Coefficients of a block in a basis, int16[coefficients, pixels]."""
    for i in range(basis.shape[0]):
        total = int32(HALF_BASIS)
        for pixel in range(basis.shape[1]):
            total = int32(total + int32(int32(basis[i, pixel]) * int32(block[pixel])))
        coefficients[i] = total >> BASIS_BITS


project = twin.interpreted_or(project, twin.project)


@kernel(void(SHORTS, SHORT, SHORT, SHORT))
def span(spans, lifted, fixed, seen):
    """Coefficients of a block in all bases at once, less what is fixed in predictions; `lifted` is the block x 2."""
    half = int16(0)
    for part in range(spans.shape[0]):
        half += 1 if lifted[part] else 0
    half >>= 1  # a product loses half an eighth, unless it is none
    for i in range(seen.size):
        seen[i] = half - fixed[i]
    for part in range(spans.shape[0]):
        strength = lifted[part]
        for i in range(seen.size):
            seen[i] += int16(int32(int32(spans[part, i]) * int32(strength)) >> 16)


span = twin.interpreted_or(span, twin.span)


@kernel(void(SHORTS, SHORT, SHORT, SHORT))
def compare(reach, lifted, seen, found):
    """What each mode leaves of a block, in its basis: source less prediction; `lifted` is the reference x 16."""
    half = int16(0)
    for part in range(reach.shape[0]):
        half += 1 if lifted[part] else 0
    half >>= 1
    for i in range(found.size):
        found[i] = seen[i] - half
    for part in range(reach.shape[0]):
        strength = lifted[part]
        for i in range(found.size):
            found[i] -= int16(int32(int32(reach[part, i]) * int32(strength)) >> 16)


compare = twin.interpreted_or(compare, twin.compare)


@kernel(void(SEARCH, WORK, DESK))
def project_source(search, work, desk):
    """Transform every source block with every basis, once for all steps, into `desk.seen8` and `desk.seen4`."""
    lifted = desk.lifted
    for row in range(work.mode.shape[0]):
        for column in range(work.mode.shape[1]):
            for i in range(16):
                lifted[i] = 2 * work.luma[4 * row + (i >> 2), 4 * column + (i & 3)]
            span(search.spans4, lifted, search.fixed4, desk.seen4[row, column])
    for row in range(work.split.shape[0]):
        for column in range(work.split.shape[1]):
            for i in range(64):
                lifted[i] = 2 * work.luma[8 * row + (i >> 3), 8 * column + (i & 7)]
            span(search.spans8, lifted, search.fixed8, desk.seen8[row, column])


@kernel(void(PLANE, LINE, int64))
def price_levels(widths, floors, weight):
    """What a level costs at least, in 1/256 squared steps, by how wide its coefficient is spread.

    A coefficient costs its square; or, by and by more with its logarithm, a level: two lines follow that well enough.
    """
    number = widths.shape[1]
    for mode in range(widths.shape[0]):
        for i in range(number):
            bits_256ths = FLOOR_BITS_256THS - WIDER_256THS * max(-2 * ONE, min(2 * ONE, widths[mode, i])) // ONE
            floors[mode * number + i] = weight * bits_256ths >> 8


@kernel(void(SHORT, int64, LINE, LINE, int64, LINE))
def rank_modes(found, number, floors, bits, step, ranks):
    """Estimate in `ranks`, in 1/256 squared steps, what each mode would cost: its coefficients and its name.

    By the first 24 of 48 coefficients alone was 0.05 dB worse and not faster.
    """
    inverse = int32((1 << 21) // step)
    for mode in range(MODES):
        total, base = int32(bits[mode]), mode * number
        for i in range(number):
            part = int32(int32(abs(int32(found[base + i])) * inverse) >> 16)  # in 1/16 steps
            line = int32(min(int32(part * 5) >> 1, int32(part + LINES_CROSS)))
            total = int32(total + min(int32(part * part), int32(line + floors[base + i])))
        ranks[mode] = total


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
def choose_block(model, search, work, desk, kind, row, column, step, lambda_, tries, ways):
    """Choose a luma block's mode and levels, and decode it.  Returns: its cost; the error is in `desk.spent`.

    A cost is squared eighths, in 1/256; `desk.spent` gets the error and the bits in 1/256.
    """
    size, cells, number = (8, 2, COEFFICIENTS[BIG]) if kind == BIG else (4, 1, COEFFICIENTS[SMALL])
    pixels, count = size * size, REFERENCES[kind]
    total = open_block(model, work, kind, row, column, step)
    total_log, weight = log2_of(total << 8), (lambda_ << 10) // (step * step)
    for mode in range(MODES):
        desk.bits[mode] = total_log - log2_of(int64(work.shares[mode]) << 8)
        desk.ranked_bits[mode] = desk.bits[mode] * weight >> 8
    for part in range(count - 1):
        desk.lifted[part] = work.reference[part] << 4
    if kind == BIG:
        compare(search.reach8, desk.lifted, desk.seen8[row >> 1, column >> 1], desk.found8)
        rank_modes(desk.found8, number, desk.floor8, desk.ranked_bits, step, desk.ranks)
    else:
        compare(search.reach4, desk.lifted, desk.seen4[row, column], desk.found4)
        rank_modes(desk.found4, number, desk.floor4, desk.ranked_bits, step, desk.ranks)
    widths = work.widths8 if kind == BIG else work.widths4
    all_found = desk.found8 if kind == BIG else desk.found4
    predictors = model.predictors8 if kind == BIG else model.predictors4
    basis = model.basis8 if kind == BIG else model.basis4
    mean, found = work.mean[:pixels], desk.found
    predict(predictors[MODES], work.reference, count, mean)
    for y in range(size):
        for x in range(size):
            desk.block[y * size + x] = work.luma[4 * row + y, 4 * column + x]
    best_cost, best, best_error, best_bits = ENDLESS, 0, int64(0), int64(0)
    first_rank = int64(0)
    block, best_block = work.predicted[:pixels], desk.best_block[:pixels]
    best_levels = work.levels[row, column, :number]
    for attempt in range(tries):
        mode = take_best(desk.ranks, desk.place)
        rank = int64(desk.place[0])
        if attempt == 0:
            first_rank = rank
        elif rank - first_rank > (best_cost // (step * step)) >> (NEAR_COST_SHIFT - 2):
            break
        predict(predictors[mode], work.reference, count, block)
        work.features[12] = spread_of(block, mean, pixels, step)
        outside = int64(0)
        for pixel in range(pixels):
            far = int32(desk.block[pixel] - block[pixel])
            outside += int32(far * far)
        for i in range(number):
            found[i] = all_found[mode * number + i]
            outside -= int64(found[i]) * found[i]
        settle(model.answers[kind], work.features, work.settled)
        error, cost = quantise(
            found, number, widths[mode], work.settled, model.answers[kind], search.costs, step, lambda_,
            model.shifts[kind], desk.levels, desk.ways, desk.nodes, ways,
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
    desk.spent[0], desk.spent[1], desk.spent[2] = best_error, best_bits, desk.bits[best]
    return best_cost


@kernel(void(PLANE, int64, int64, PLANE, int64, int64, int64))
def copy_block(source, y, x, target, to_y, to_x, size):
    """Copy a size x size block."""
    for row in range(size):
        for column in range(size):
            target[to_y + row, to_x + column] = source[y + row, x + column]


@njit(inline="always")
def choose_unit(model, search, work, desk, y, x, step, lambda_, tries, ways):
    """Code an 8x8 unit whole and, if that leaves something to gain, in quarters; the cheaper one stays."""
    row, column = 2 * y, 2 * x
    look_around(work.energy, work.peak, row, column, 2, step, work.features)
    gather(work.decoded, 4 * row, 4 * column, 8, work.reference)
    work.features[5] = activity(work.reference, 8, step)
    place = split_place(model.splits, work.features)
    whole_bits, parts_bits = int64(search.costs[place, 0]), int64(search.costs[place, 1])
    whole = choose_block(model, search, work, desk, BIG, row, column, step, lambda_, tries, ways) + lambda_ * whole_bits
    error, bits, named = int64(desk.spent[0]), int64(desk.spent[1]) + whole_bits, int64(desk.spent[2]) + whole_bits
    work.split[y, x] = 0
    if whole >= lambda_ * (whole_bits + 3 * ONE):
        copy_block(work.decoded, 8 * y, 8 * x, desk.whole, 0, 0, 8)
        number = COEFFICIENTS[BIG]
        for i in range(number):
            desk.whole_levels[i] = work.levels[row, column, i]
        mode, energy, peak = work.mode[row, column], work.energy[row, column], work.peak[row, column]
        parts, part_error, part_bits, part_named = lambda_ * parts_bits, int64(0), parts_bits, parts_bits
        for part in range(4):
            parts += choose_block(
                model, search, work, desk, SMALL, row + (part >> 1), column + (part & 1), step, lambda_, tries, ways
            )
            part_error, part_bits = part_error + desk.spent[0], part_bits + desk.spent[1]
            part_named += desk.spent[2]
            if parts >= whole:
                break
        if parts < whole:
            work.split[y, x] = 1
            error, bits, named = part_error, part_bits, part_named
        else:
            copy_block(desk.whole, 0, 0, work.decoded, 8 * y, 8 * x, 8)
            for i in range(number):
                work.levels[row, column, i] = desk.whole_levels[i]
            for part in range(4):
                cell_y, cell_x = row + (part >> 1), column + (part & 1)
                work.mode[cell_y, cell_x], work.energy[cell_y, cell_x] = mode, energy
                work.peak[cell_y, cell_x] = peak
    unit = y * work.split.shape[1] + x
    desk.paid[unit], desk.named[unit] = bits, named
    desk.total[0] += error
    desk.total[1] += bits


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64, int64, int64))
def search_luma(model, search, work, desk, step, lambda_, tries, ways):
    """Choose splits, modes and levels of all luma.  `desk.total` gets the error and the bits in 1/256."""
    measure_widths(model.wide8, step, work.widths8)
    measure_widths(model.wide4, step, work.widths4)
    weight = (lambda_ << 10) // (step * step)
    price_levels(work.widths8, desk.floor8, weight)
    price_levels(work.widths4, desk.floor4, weight)
    work.decoded[:] = 0
    desk.total[:2] = 0
    for unit in range(work.split.size):
        y, x = unit // work.split.shape[1], unit % work.split.shape[1]
        choose_unit(model, search, work, desk, y, x, step, lambda_, tries, ways)


@njit(inline="always")
def choose_colours(model, search, work, desk, unit, step, lambda_, ways):
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
            lambda_, model.shifts[COLOUR], desk.levels, desk.ways, desk.nodes, ways,
        )  # fmt: skip
        error = inside + max(0, error)
        named = total_log - log2_of(int64(shares[cluster]) << 8)
        bits = cost + named
        if (error << 8) + lambda_ * bits < best_cost:
            best_cost, best, best_error, best_bits = (error << 8) + lambda_ * bits, cluster, error, bits
            desk.named[work.split.size + unit] = named
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
    desk.paid[work.split.size + unit] = best_bits
    desk.total[2] += best_error
    desk.total[3] += best_bits


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64, int64))
def search_colour(model, search, work, desk, step, lambda_, ways):
    """Choose clusters and levels of all colour blocks; luma is decoded.  `desk.total[2:]` gets error and bits."""
    measure_widths(model.wide_colour, step, work.widths_colour)
    halve(work.decoded, work.half)
    desk.total[2:] = 0
    for unit in range(work.cluster.size):
        choose_colours(model, search, work, desk, unit, step, lambda_, ways)
