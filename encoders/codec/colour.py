"""The colour planes, both ways: blocks of Cb and Cr together, foretold from decoded luma and their neighbours."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int32, int64, njit, void

from encoders.codec.coder import code_choice
from encoders.codec.compiled import kernel
from encoders.codec.kernels import add_levels, log2_of, predict
from encoders.codec.levels import code_levels
from encoders.codec.luma import measure_widths
from encoders.codec.model import MODEL
from encoders.codec.tables import BIAS, CLUSTERS, COEFFICIENTS, COLOUR, FARTHEST, ONE
from encoders.codec.workspace import WORK

LINE = int32[::1]
PLANE = int32[:, ::1]

NUMBER = COEFFICIENTS[COLOUR]


@kernel(void(PLANE, PLANE))
def halve(luma, half):
    """Average luma over 2x2; the last columns repeat."""
    rows, columns = half.shape
    inner = luma.shape[1] // 2
    for row in range(rows):
        for column in range(columns):
            y, x = 2 * row, 2 * min(column, inner - 1)
            half[row, column] = (luma[y, x] + luma[y, x + 1] + luma[y + 1, x] + luma[y + 1, x + 1] + 2) >> 2


@njit(inline="always")
def gather_colour(work, y, x, reference):
    """Read a colour block's reference: halved luma below it; of luma, Cb, Cr the row above, the column to the left and
    the corner, 0 outside the picture; BIAS.  Returns: its length."""
    at = 0
    for row in range(y, y + 8):
        for column in range(x, x + 8):
            reference[at] = work.half[row, column]
            at += 1
    for number in range(3):
        plane = work.half if number == 0 else work.decoded_blue if number == 1 else work.decoded_red
        for column in range(x, x + 8):
            reference[at] = plane[y - 1, column] if y > 0 else 0
            at += 1
        for row in range(y, y + 8):
            reference[at] = plane[row, x - 1] if x > 0 else 0
            at += 1
        reference[at] = plane[y - 1, x - 1] if y > 0 and x > 0 else 0
        at += 1
    reference[at] = BIAS
    return at + 1


@njit(inline="always")
def look_around_colour(work, row, column, features):
    """Fill the features of a colour block: how busy its neighbours are, and the luma below it."""
    left = work.colour_energy[row, column - 1] if column > 0 else 0
    above = work.colour_energy[row - 1, column] if row > 0 else 0
    busy, cells = int64(0), 0
    for y in range(4 * row, 4 * row + 4):
        for x in range(4 * column, min(4 * column + 4, work.energy.shape[1])):
            busy += work.energy[y, x]
            cells += 1
    features[:] = 0
    features[0], features[2], features[3] = ONE, (left + above) >> 1, busy // cells


@njit(inline="always")
def put_colour(block, limit, work, y, x):
    """Write a block of 64 Cb and 64 Cr values to their planes, held within what colours can be."""
    for row in range(8):
        for column in range(8):
            at = row * 8 + column
            work.decoded_blue[y + row, x + column] = min(limit, max(-limit, block[at]))
            work.decoded_red[y + row, x + column] = min(limit, max(-limit, block[64 + at]))


@njit(inline="always")
def open_colour(model, work, row, column):
    """Look at what is around a colour block, code its cluster and predict it.  Returns: the cluster."""
    count = gather_colour(work, 8 * row, 8 * column, work.reference)
    look_around_colour(work, row, column, work.features)
    above = work.cluster[row - 1, column] if row > 0 else CLUSTERS
    left = work.cluster[row, column - 1] if column > 0 else CLUSTERS
    shares, total = model.cluster_shares[above, left], 0
    for cluster in range(CLUSTERS):
        total += shares[cluster]
    cluster = code_choice(work.stream, work.state, shares, total, work.cluster[row, column])
    work.cluster[row, column] = cluster
    predict(model.predictors_colour[cluster], work.reference, count, work.predicted)
    return cluster


@njit(inline="always")
def close_colour(model, work, row, column, cluster, step):
    """Code the levels of a predicted colour block, and decode it."""
    levels = work.colour_levels[row, column]
    busy = code_levels(
        work.stream, work.state, levels, NUMBER, work.widths_colour[cluster], work.features, model.answers[COLOUR],
        work.settled, model.chances, work.diary, COLOUR,
    )  # fmt: skip
    add_levels(model.basis_colour[cluster], levels, NUMBER, step, model.shifts[COLOUR], work.sums, work.predicted)
    put_colour(work.predicted, FARTHEST // 2, work, 8 * row, 8 * column)
    work.colour_energy[row, column] = log2_of(ONE + busy * ONE)


@kernel(void(MODEL, WORK, int64))
def walk_colour(model, work, step):
    """Code all colour blocks, writing the plan or reading it, and decode them; luma is decoded already."""
    measure_widths(model.wide_colour, step, work.widths_colour)
    halve(work.decoded, work.half)
    for unit in range(work.cluster.size):
        row, column = unit // work.cluster.shape[1], unit % work.cluster.shape[1]
        cluster = open_colour(model, work, row, column)
        close_colour(model, work, row, column, cluster, step)
