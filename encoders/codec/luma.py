"""Luma, both ways: one walk over its blocks writes the answers of the encoder's plan or reads them, and decodes."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, njit, void

from encoders.codec.coder import MODES_FILLED, code_bit, code_choice, odds_place
from encoders.codec.compiled import kernel
from encoders.codec.kernels import (
    activity,
    add_levels,
    gather,
    log2_of,
    look_aside,
    predict,
    put_luma,
    spread_of,
)
from encoders.codec.levels import code_levels, note
from encoders.codec.model import MODEL
from encoders.codec.tables import (
    BIG,
    COEFFICIENTS,
    COUNT_LOG,
    MODES,
    ONE,
    REFERENCES,
    ROWS,
    SIDE_BITS,
    SIDES,
    SMALL,
)
from encoders.codec.workspace import WORK

LINE = int32[::1]
PLANE = int32[:, ::1]

SPLIT_ROW = 3 * ROWS  # of the diary


@kernel(void(PLANE, int64, PLANE))
def measure_widths(wide, step, widths):
    """Spread of each coefficient against the step, as logarithm in 256ths, held within -3 and 5."""
    step_log = log2_of(int64(step) << 4)  # the step is in 1/16
    for mode in range(wide.shape[0]):
        for i in range(wide.shape[1]):
            widths[mode, i] = min(5 * ONE, max(-3 * ONE, wide[mode, i] - step_log))


@kernel(void(PLANE, PLANE, int64, int64, int64, int64, LINE))
def look_around(energy, peak, row, column, cells, step, features):
    """Fill the features of a block at a cell that its neighbours tell: how busy they are, and the step."""
    columns = energy.shape[1]
    left, above, corner, right, high = 0, 0, 0, 0, 0
    if column > 0:
        left = energy[row, column - 1]
        high = peak[row, column - 1]
        if cells == 2:
            left = (left + energy[row + 1, column - 1]) >> 1
    if row > 0:
        above = energy[row - 1, column]
        high = max(high, peak[row - 1, column])
        if cells == 2:
            above = (above + energy[row - 1, column + 1]) >> 1
        right = energy[row - 1, min(columns - 1, column + cells)]
        if cells == 1 and row & 1 and column & 1:  # what is to the upper right there comes later
            right = above
        if column > 0:
            corner = energy[row - 1, column - 1]
    features[0] = ONE
    features[2], features[3] = (left + above) >> 1, (corner + right) >> 1
    features[4] = log2_of(int64(step) << 8) - 8 * ONE
    features[12], features[13] = 0, high


@kernel(int64(int16[:, :, ::1], int16[:, ::1], LINE, int64, int64, int32[::1], LINE))
def share_modes(follows, leans, powers, above, left, sides, shares):
    """Share the choice among the modes, by the modes above and to the left and by the sides.  Returns: the total."""
    modes = shares.size  # MODES; a loop whose length the compiler knew would be unrolled, not done in eights
    flat = leans.reshape(leans.size)
    for mode in range(modes):
        shares[mode] = 0
    for side in range(0, SIDES, 8):
        a, b, c, d = int32(sides[side]), int32(sides[side + 1]), int32(sides[side + 2]), int32(sides[side + 3])
        e, f, g, h = int32(sides[side + 4]), int32(sides[side + 5]), int32(sides[side + 6]), int32(sides[side + 7])
        at = side * MODES
        for mode in range(modes):
            i = at + mode
            total = int32(flat[i] * a) + int32(flat[i + MODES] * b) + int32(flat[i + 2 * MODES] * c)
            total += int32(flat[i + 3 * MODES] * d) + int32(flat[i + 4 * MODES] * e) + int32(flat[i + 5 * MODES] * f)
            shares[mode] += total + int32(flat[i + 6 * MODES] * g) + int32(flat[i + 7 * MODES] * h)
    best = int64(-(1 << 30))
    for mode in range(MODES):
        shares[mode] = (shares[mode] >> SIDE_BITS) + follows[above, left, mode]
        best = max(best, shares[mode])
    total = int64(0)
    for mode in range(MODES):
        shares[mode] = powers[min(powers.size - 1, best - shares[mode])]
        total += shares[mode]
    return total


@kernel(void(PLANE, PLANE, PLANE, int64, int64, int64, int64, LINE, int64))
def note_block(mode, energy, peak, row, column, cells, chosen, levels, total):
    """Record a block's mode and how busy it is in all its cells."""
    high, busy = 0, log2_of(ONE + total * 2 * ONE // 5) if cells == 2 else log2_of(ONE + total * ONE)
    for i in range(levels.size):
        high = max(high, abs(levels[i]))
    for y in range(row, row + cells):
        for x in range(column, column + cells):
            mode[y, x], energy[y, x], peak[y, x] = chosen, busy, COUNT_LOG[high]


@kernel(int64(int16[::1], LINE))
def split_place(weights, features):
    """Where the odds of a split stand in the tables: six features tell."""
    odds = int64(0)
    for feature in range(6):
        if feature != 1:
            odds += int(weights[feature]) * features[feature]
    return odds_place(odds)


@njit(inline="always")
def open_block(model, work, kind, row, column, step):
    """Look at what is around a block at a cell, and share the choice among its modes.  Returns: the total."""
    size, cells = (8, 2) if kind == BIG else (4, 1)
    look_around(work.energy, work.peak, row, column, cells, step, work.features)
    gather(work.decoded, 4 * row, 4 * column, size, work.reference)
    look_aside(work.reference, size, step, work.sides)
    work.features[5] = activity(work.reference, size, step)
    above = work.mode[row - 1, column] if row > 0 else MODES
    left = work.mode[row, column - 1] if column > 0 else MODES
    return share_modes(model.follows[kind], model.leans[kind], model.powers, above, left, work.sides, work.shares)


@njit(inline="always")
def name_block(model, work, kind, row, column, total, step):
    """Code the mode of an opened block, and predict it.  Returns: the mode."""
    mode = code_choice(work.stream, work.state, work.shares, total, work.mode[row, column])
    at = work.state[MODES_FILLED]
    if at < work.mode_diary.shape[0]:
        work.mode_diary[at, 0], work.mode_diary[at, 1] = kind, mode
        work.mode_diary[at, 2] = work.mode[row - 1, column] if row > 0 else MODES
        work.mode_diary[at, 3] = work.mode[row, column - 1] if column > 0 else MODES
        for side in range(SIDES):
            work.mode_diary[at, 4 + side] = work.sides[side]
        work.state[MODES_FILLED] = at + 1
    if kind == BIG:
        predict(model.predictors8[mode], work.reference, REFERENCES[BIG], work.predicted[:64])
        predict(model.predictors8[MODES], work.reference, REFERENCES[BIG], work.mean[:64])
    else:
        predict(model.predictors4[mode], work.reference, REFERENCES[SMALL], work.predicted[:16])
        predict(model.predictors4[MODES], work.reference, REFERENCES[SMALL], work.mean[:16])
    work.features[12] = spread_of(work.predicted, work.mean, 64 if kind == BIG else 16, step)
    return mode


@njit(inline="always")
def close_block(model, work, kind, row, column, mode, step):
    """Code the levels of a predicted block, and decode it."""
    size, cells = (8, 2) if kind == BIG else (4, 1)
    number = COEFFICIENTS[kind]
    basis = model.basis8 if kind == BIG else model.basis4
    widths = work.widths8 if kind == BIG else work.widths4
    levels, block = work.levels[row, column, :number], work.predicted[: size * size]
    busy = code_levels(
        work.stream, work.state, levels, number, widths[mode], work.features, model.answers[kind], work.settled,
        model.chances, work.diary, kind,
    )  # fmt: skip
    add_levels(basis[mode], levels, number, step, model.shifts[kind], work.sums[: size * size], block)
    put_luma(block, size, work.decoded, 4 * row, 4 * column)
    note_block(work.mode, work.energy, work.peak, row, column, cells, mode, levels, busy)


@njit(inline="always")
def walk_block(model, work, kind, row, column, step):
    """Code one luma block at a cell and decode it."""
    total = open_block(model, work, kind, row, column, step)
    mode = name_block(model, work, kind, row, column, total, step)
    close_block(model, work, kind, row, column, mode, step)


@njit(inline="always")
def walk_split(model, work, y, x, step):
    """Code whether a unit is in quarters.  Returns: 1 if so."""
    look_around(work.energy, work.peak, 2 * y, 2 * x, 2, step, work.features)
    gather(work.decoded, 8 * y, 8 * x, 8, work.reference)
    work.features[5] = activity(work.reference, 8, step)
    place = split_place(model.splits, work.features)
    split = code_bit(work.stream, work.state, model.chances[place], work.split[y, x])
    note(work.state, work.diary, SPLIT_ROW, split, work.features, 0, 0, 0, 0, 0, 0)
    work.split[y, x] = split
    return split


@kernel(void(MODEL, WORK, int64))
def walk_luma(model, work, step):
    """Code all luma blocks, writing the plan or reading it, and decode them."""
    measure_widths(model.wide8, step, work.widths8)
    measure_widths(model.wide4, step, work.widths4)
    work.decoded[:] = 0
    for unit in range(work.split.size):
        y, x = unit // work.split.shape[1], unit % work.split.shape[1]
        row, column = 2 * y, 2 * x
        split = walk_split(model, work, y, x, step)
        if split:
            for part in range(4):
                walk_block(model, work, SMALL, row + (part >> 1), column + (part & 1), step)
        else:
            walk_block(model, work, BIG, row, column, step)
