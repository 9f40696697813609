"""The levels of one block: the contexts their answers are coded in, and their coding both ways."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int16, int32, int64, njit, uint8

from encoders.codec.coder import ROWS_FILLED, WRITES, code_bit, odds_place
from encoders.codec.compiled import kernel
from encoders.codec.tables import (
    CODED,
    COUNT_LOG,
    FEATURES,
    GROUP,
    LARGER,
    LAST,
    LEVEL_LIMIT,
    PRESENT,
    ROWS,
)

BYTES = uint8[::1]
STATE = int64[::1]
LINE = int32[::1]
TABLE = int32[:, ::1]
WEIGHTS = int16[:, ::1]

SETTLED = (0, 2, 3, 4, 5, 12, 13)  # features that are the same for all levels of a block
EVEN = 1 << 14


@njit(inline="always")
def settle(weights, features, settled):
    """The part of each regression's sum that is the same for all levels of a block: int32[ROWS]."""
    for row in range(ROWS):
        total = int64(0)
        for feature in SETTLED:
            total += int(weights[row, feature]) * features[feature]
        settled[row] = total


@njit(inline="always")
def place_of(weights, settled, row, i, wide, found, total, before, before_that):
    """Where the odds of an answer about coefficient `i` stand in the tables; `wide` is how wide it is spread."""
    odds = int64(settled[row])
    odds += int(weights[row, 1]) * wide + int(weights[row, 6]) * COUNT_LOG[found]
    odds += (int(weights[row, 7]) * min(before, 2) + int(weights[row, 8]) * min(before_that, 2)) << 8
    odds += int(weights[row, 9]) * (i << 3) + int(weights[row, 10]) * COUNT_LOG[i]
    odds += int(weights[row, 11]) * COUNT_LOG[min(total, 4095)]
    return odds_place(odds)


@njit(inline="always")
def note(state, diary, row, answer, features, i, wide, found, total, before, before_that):
    """Write an answer and its features into the diary that training learns from, while there is room."""
    at = state[ROWS_FILLED]
    if at < diary.shape[0]:
        diary[at, 0], diary[at, 1] = row, answer
        for feature in range(FEATURES):
            diary[at, 2 + feature] = features[feature]
        diary[at, 3], diary[at, 8], diary[at, 9] = wide, COUNT_LOG[found], min(before, 2) << 8
        diary[at, 10], diary[at, 11], diary[at, 12] = min(before_that, 2) << 8, i << 3, COUNT_LOG[i]
        diary[at, 13] = COUNT_LOG[min(total, 4095)]
        state[ROWS_FILLED] = at + 1


@njit(inline="always")
def larger_row(size):
    """The regression that answers whether a level is larger than `size`."""
    if size == 1:
        return LARGER
    if size == 2:
        return LARGER + 1
    return LARGER + (2 if size < 5 else 3)


@kernel(int64(BYTES, STATE, LINE, int64, LINE, LINE, WEIGHTS, LINE, LINE, TABLE, int64))
def code_levels(stream, state, levels, count, widths, features, weights, settled, chances, diary, kind):
    """Code the `count` levels of a block, writing or reading.  Returns: the sum of their sizes.

    Args:
        widths: logarithm of each coefficient's spread against the step, int32[count].
        features: int32[FEATURES]; 1 and 6 to 11 are filled here.
        chances: probability of a 1, of 32768, by place.
    """
    writes, last = state[WRITES], -1
    if writes:
        for i in range(count):
            if levels[i]:
                last = i
    else:
        for i in range(count):
            levels[i] = 0
    settle(weights, features, settled)
    base = kind * ROWS
    place = place_of(weights, settled, CODED, 0, widths[0], 0, 0, 0, 0)
    coded = code_bit(stream, state, chances[place], 1 if last >= 0 else 0)
    if diary.shape[0]:
        note(state, diary, base + CODED, coded, features, 0, widths[0], 0, 0, 0, 0)
    if not coded:
        return 0
    found, total, before, before_that, i, wide = 0, 0, 0, 0, 0, int64(0)
    while i < count:
        group, wide, size = GROUP[i], widths[i], abs(levels[i])
        present = 1
        if i < count - 1 or found > 0:
            place = place_of(weights, settled, PRESENT + group, i, wide, found, total, before, before_that)
            present = code_bit(stream, state, chances[place], 1 if size else 0)
            if diary.shape[0]:
                note(
                    state, diary, base + PRESENT + group, present, features, i, wide, found, total, before, before_that
                )
        if present:
            negative = code_bit(stream, state, EVEN, 1 if levels[i] < 0 else 0)
            reached, more = 1, 1
            while more and reached < LEVEL_LIMIT:
                row = larger_row(reached)
                place = place_of(weights, settled, row, i, wide, found, total, before, before_that)
                more = code_bit(stream, state, chances[place], 1 if size > reached else 0)
                if diary.shape[0]:
                    note(state, diary, base + row, more, features, i, wide, found, total, before, before_that)
                reached += more
            size = reached
            levels[i] = -size if negative else size
            found, total = found + 1, total + size
            if i < count - 1:
                place = place_of(weights, settled, LAST + group, i, wide, found, total, before, before_that)
                ended = code_bit(stream, state, chances[place], 1 if i == last else 0)
                if diary.shape[0]:
                    note(state, diary, base + LAST + group, ended, features, i, wide, found, total, before, before_that)
                if ended:
                    break
        before_that, before = before, size if present else 0
        i += 1
    return total
