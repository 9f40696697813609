"""The encoder's last passes: levels chosen anew for the plan that stays, each unit at a worth that keeps the size."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int64, njit, void

from encoders.codec.colour import gather_colour, halve, look_around_colour, put_colour
from encoders.codec.compiled import kernel
from encoders.codec.desk import DESK
from encoders.codec.kernels import activity, add_levels, gather, log2_of, predict, put_luma, spread_of
from encoders.codec.levels import settle
from encoders.codec.luma import look_around, measure_widths, note_block
from encoders.codec.model import MODEL, SEARCH
from encoders.codec.quantiser import quantise
from encoders.codec.search import project
from encoders.codec.tables import BIG, COEFFICIENTS, COLOUR, FARTHEST, MODES, ONE, REFERENCES, SMALL
from encoders.codec.workspace import WORK

# The pace of a pass, in 1/256 bit: what it may spend, what the pass before spent, of both what is behind it; and how
# much dearer its bits have been made, in 1/256 times bits spent.
WANTED, BEFORE, DUE, SPENT, MOVED = range(5)
DEARER = 1664  # a 1 % dearer bit saves 0.15 % of the bits: 6.5, in 1/256
DEAREST = 64  # a bit's worth moves by a quarter at most


@njit(inline="always")
def paced(pace):
    """By how many 256ths a bit is dearer for the next unit: more if more has been spent than was due."""
    ahead, rest = pace[SPENT] - pace[DUE], max(1, pace[WANTED] - pace[DUE])
    return min(DEAREST, max(-DEAREST, ahead * DEARER // rest))


@njit(inline="always")
def pay(desk, unit, bits, move):
    """Note what a unit costs, its name included, and what was due for it."""
    pace = desk.pace
    pace[DUE] += desk.paid[unit] * pace[WANTED] // pace[BEFORE]
    desk.paid[unit] = desk.named[unit] + bits
    pace[SPENT] += desk.paid[unit]
    pace[MOVED] += move * desk.paid[unit]


@njit(inline="always")
def polish_block(model, search, work, desk, kind, row, column, step, lambda_, ways):
    """Choose a luma block's levels anew, and decode it.  Returns: what they cost in 1/256 bit."""
    size, cells, number = (8, 2, COEFFICIENTS[BIG]) if kind == BIG else (4, 1, COEFFICIENTS[SMALL])
    pixels, mode = size * size, work.mode[row, column]
    predictors = model.predictors8 if kind == BIG else model.predictors4
    basis = model.basis8[mode] if kind == BIG else model.basis4[mode]
    widths = work.widths8[mode] if kind == BIG else work.widths4[mode]
    look_around(work.energy, work.peak, row, column, cells, step, work.features)
    gather(work.decoded, 4 * row, 4 * column, size, work.reference)
    work.features[5] = activity(work.reference, size, step)
    block, mean, levels = work.predicted[:pixels], work.mean[:pixels], work.levels[row, column, :number]
    predict(predictors[mode], work.reference, REFERENCES[kind], block)
    predict(predictors[MODES], work.reference, REFERENCES[kind], mean)
    work.features[12] = spread_of(block, mean, pixels, step)
    for y in range(size):
        for x in range(size):
            desk.block[y * size + x] = work.luma[4 * row + y, 4 * column + x] - block[y * size + x]
    project(basis, desk.block[:pixels], desk.found[:number])
    settle(model.answers[kind], work.features, work.settled)
    bits = quantise(
        desk.found, number, widths, work.settled, model.answers[kind], search.costs, step, lambda_,
        model.shifts[kind], levels, desk.ways, desk.nodes, ways,
    )[1]  # fmt: skip
    busy = int64(0)
    for i in range(number):
        busy += abs(levels[i])
    add_levels(basis, levels, number, step, model.shifts[kind], work.sums[:pixels], block)
    put_luma(block, size, work.decoded, 4 * row, 4 * column)
    note_block(work.mode, work.energy, work.peak, row, column, cells, mode, levels, busy)
    return bits


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64, int64))
def polish_luma(model, search, work, desk, step, lambda_, ways):
    """Choose the levels of all luma anew, and decode it."""
    measure_widths(model.wide8, step, work.widths8)
    measure_widths(model.wide4, step, work.widths4)
    work.decoded[:] = 0
    for unit in range(work.split.size):
        y, x = unit // work.split.shape[1], unit % work.split.shape[1]
        move = paced(desk.pace)
        worth = lambda_ * (ONE + move) >> 8
        if work.split[y, x]:
            bits = int64(0)
            for part in range(4):
                row, column = 2 * y + (part >> 1), 2 * x + (part & 1)
                bits += polish_block(model, search, work, desk, SMALL, row, column, step, worth, ways)
        else:
            bits = polish_block(model, search, work, desk, BIG, 2 * y, 2 * x, step, worth, ways)
        pay(desk, unit, bits, move)


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64, int64))
def polish_colour(model, search, work, desk, step, lambda_, ways):
    """Choose the levels of all colour blocks anew, and decode them; luma is decoded."""
    measure_widths(model.wide_colour, step, work.widths_colour)
    halve(work.decoded, work.half)
    number = COEFFICIENTS[COLOUR]
    for unit in range(work.cluster.size):
        row, column = unit // work.cluster.shape[1], unit % work.cluster.shape[1]
        y, x, cluster, levels = 8 * row, 8 * column, work.cluster[row, column], work.colour_levels[row, column]
        count = gather_colour(work, y, x, work.reference)
        look_around_colour(work, row, column, work.features)
        predict(model.predictors_colour[cluster], work.reference, count, work.predicted)
        for pixel in range(64):
            at_y, at_x = y + (pixel >> 3), x + (pixel & 7)
            desk.block[pixel] = work.blue[at_y, at_x] - work.predicted[pixel]
            desk.block[64 + pixel] = work.red[at_y, at_x] - work.predicted[64 + pixel]
        project(model.basis_colour[cluster], desk.block, desk.found_colour)
        settle(model.answers[COLOUR], work.features, work.settled)
        move = paced(desk.pace)
        bits = quantise(
            desk.found_colour, number, work.widths_colour[cluster], work.settled, model.answers[COLOUR], search.costs,
            step, lambda_ * (ONE + move) >> 8, model.shifts[COLOUR], levels, desk.ways, desk.nodes, ways,
        )[1]  # fmt: skip
        busy = int64(0)
        for i in range(number):
            busy += abs(levels[i])
        add_levels(model.basis_colour[cluster], levels, number, step, model.shifts[COLOUR], work.sums, work.predicted)
        put_colour(work.predicted, FARTHEST // 2, work, y, x)
        work.colour_energy[row, column] = log2_of(ONE + busy * ONE)
        pay(desk, work.split.size + unit, bits, move)
