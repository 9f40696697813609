"""The encoder's last passes: the plan stays, levels are chosen anew for another step, and the stream is written."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int64, njit, void

from encoders.codec.colour import close_colour, halve, open_colour
from encoders.codec.compiled import kernel
from encoders.codec.desk import DESK
from encoders.codec.levels import settle
from encoders.codec.luma import close_block, measure_widths, name_block, open_block, walk_split
from encoders.codec.model import MODEL, SEARCH
from encoders.codec.quantiser import quantise
from encoders.codec.search import project
from encoders.codec.tables import BIG, COEFFICIENTS, COLOUR, SMALL
from encoders.codec.workspace import WORK


@njit(inline="always")
def polish_block(model, search, work, desk, kind, row, column, step, lambda_):
    """Choose a luma block's levels anew, write and decode it."""
    size, number = 8 if kind == BIG else 4, COEFFICIENTS[kind]
    total = open_block(model, work, kind, row, column, step)
    mode = name_block(model, work, kind, row, column, total, step)
    for pixel in range(size * size):
        y, x = 4 * row + pixel // size, 4 * column + pixel % size
        desk.block[pixel] = work.luma[y, x] - work.predicted[pixel]
    if kind == BIG:
        project(model.basis8[mode], desk.block[:64], desk.found8[0])
    else:
        project(model.basis4[mode], desk.block[:16], desk.found4[0])
    found = desk.found8[0] if kind == BIG else desk.found4[0]
    widths = work.widths8 if kind == BIG else work.widths4
    settle(model.answers[kind], work.features, work.settled)
    quantise(
        found, number, widths[mode], work.settled, model.answers[kind], search.costs, step, lambda_,
        model.shifts[kind], work.levels[row, column], desk.walk, desk.other,
    )  # fmt: skip
    close_block(model, work, kind, row, column, mode, step)


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64))
def polish_luma(model, search, work, desk, step, lambda_):
    """Choose the levels of all luma anew, write and decode it."""
    measure_widths(model.wide8, step, work.widths8)
    measure_widths(model.wide4, step, work.widths4)
    work.decoded[:] = 0
    for unit in range(work.split.size):
        y, x = unit // work.split.shape[1], unit % work.split.shape[1]
        if walk_split(model, work, y, x, step):
            for part in range(4):
                row, column = 2 * y + (part >> 1), 2 * x + (part & 1)
                polish_block(model, search, work, desk, SMALL, row, column, step, lambda_)
        else:
            polish_block(model, search, work, desk, BIG, 2 * y, 2 * x, step, lambda_)


@kernel(void(MODEL, SEARCH, WORK, DESK, int64, int64))
def polish_colour(model, search, work, desk, step, lambda_):
    """Choose the levels of all colour blocks anew, write and decode them."""
    measure_widths(model.wide_colour, step, work.widths_colour)
    halve(work.decoded, work.half)
    for unit in range(work.cluster.size):
        row, column = unit // work.cluster.shape[1], unit % work.cluster.shape[1]
        y, x = 8 * row, 8 * column
        cluster = open_colour(model, work, row, column)
        for pixel in range(128):
            plane = work.blue if pixel < 64 else work.red
            desk.block[pixel] = plane[y + (pixel & 63) // 8, x + pixel % 8] - work.predicted[pixel]
        project(model.basis_colour[cluster], desk.block, desk.found_colour)
        settle(model.answers[COLOUR], work.features, work.settled)
        quantise(
            desk.found_colour, COEFFICIENTS[COLOUR], work.widths_colour[cluster], work.settled, model.answers[COLOUR],
            search.costs, step, lambda_, model.shifts[COLOUR], work.colour_levels[row, column], desk.walk, desk.other,
        )  # fmt: skip
        close_colour(model, work, row, column, cluster, step)
