"""The range coder: one state both ways, and the yes-or-no answers and choices it codes."""
# mypy: allow-untyped-defs, no-check-untyped-defs

from numba import int32, int64, njit, uint8, void

from encoders.codec.compiled import kernel
from encoders.codec.tables import ODDS_BITS, ODDS_LIMIT, PROBABILITY_BITS

BYTES = uint8[::1]
STATE = int64[::1]
LINE = int32[::1]

FULL = 0xFFFFFFFF
LEAST = 1 << 24  # the interval is kept at or above this
# The state, int64[6]: the low end (or the code read), the width, the place in the stream, whether it writes, how
# many rows of the diary are filled, how many of the diary of modes.
LOW, WIDTH, AT, WRITES, ROWS_FILLED, MODES_FILLED = range(6)


@kernel(void(BYTES, STATE, int64))
def start(stream, state, writes):
    """Set up a state to write a stream, or to read it from its first byte; zeros follow its last."""
    state[:] = 0
    state[WIDTH], state[WRITES] = FULL, writes
    if not writes:
        for at in range(4):
            state[LOW] = (state[LOW] << 8) | (stream[at] if at < stream.size else 0)
        state[AT] = 4


@kernel(void(BYTES, int64))
def carry(stream, at):
    """Add one to the number that ends before `at`."""
    at -= 1
    while at > 0 and stream[at] == 255:
        stream[at] = 0
        at -= 1
    stream[at] += 1


@kernel(void(BYTES, STATE, int64, int64))
def narrow(stream, state, low, width):
    """Take a part of the interval, `low` above its low end and `width` wide, and move on until it is wide enough."""
    if state[WRITES]:
        state[LOW] += low
        if state[LOW] > FULL:
            state[LOW] &= FULL
            carry(stream, state[AT])
        while width < LEAST:
            if state[AT] < stream.size:
                stream[state[AT]] = state[LOW] >> 24
                state[AT] += 1
            state[LOW], width = (state[LOW] << 8) & FULL, width << 8
    else:
        state[LOW] -= low
        while width < LEAST:
            at = state[AT]
            state[LOW] = (state[LOW] << 8) | (stream[at] if at < stream.size else 0)
            state[AT], width = at + 1, width << 8
    state[WIDTH] = width


@kernel(int64(BYTES, STATE, int64, int64))
def code_bit(stream, state, probability, bit):
    """Write a bit whose probability to be 1 is given, of 32768; or read one.  Returns: the bit."""
    share = (state[WIDTH] >> PROBABILITY_BITS) * probability
    if not state[WRITES]:
        bit = 1 if state[LOW] < share else 0
    if bit:
        narrow(stream, state, 0, share)
    else:
        narrow(stream, state, share, state[WIDTH] - share)
    return bit


@kernel(int64(BYTES, STATE, LINE, int64, int64))
def code_choice(stream, state, shares, total, choice):
    """Write which of several was chosen, whose shares sum up to `total`; or read it.  Returns: the choice."""
    unit = state[WIDTH] // total
    low = int64(0)
    if state[WRITES]:
        for other in range(choice):
            low += shares[other]
    else:
        place, choice = state[LOW] // unit, 0
        while choice < shares.size - 1 and low + shares[choice] <= place:
            low += shares[choice]
            choice += 1
    narrow(stream, state, unit * low, unit * shares[choice])
    return choice


@kernel(int64(BYTES, STATE))
def finish(stream, state):
    """Write the one byte that names the last interval, drop zeros at the end.  Returns: the stream's size.

    A stream that did not fit has the size of its array.
    """
    if state[AT] >= stream.size:
        return stream.size
    low, at = state[LOW] + LEAST - 1, state[AT]  # some number in the interval ends in 24 zero bits
    if low > FULL:
        carry(stream, at)
    stream[at] = (low >> 24) & 255
    at += 1
    while at > 0 and stream[at - 1] == 0:
        at -= 1
    return at


@njit(inline="always")
def odds_place(odds):
    """Where a weighted sum of features stands in the tables of probabilities and costs."""
    return min(ODDS_LIMIT, max(-ODDS_LIMIT, odds >> ODDS_BITS)) + ODDS_LIMIT
