"""The entropy side of the format in plain Python: one walk through the questions serves to write, read and price."""
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs

from functools import cache

import numpy as np

from encoders.codec.contexts import (
    ADAPT_SHIFT,
    CODED,
    FLOOR,
    FORMAT_PRIOR,
    LARGER,
    MAX_PREFIX,
    MODES_AT,
    MORE,
    PREFIX,
    PRESENT,
    RAW,
    SPLITS,
    UNARY_LEVELS,
)
from encoders.codec.tables import CHROMA, CHROMA_SHAPE, LUMA, LUMA_SHAPE, PLANAR


class Model:
    """The probability of a 1 in each context, and how it learns."""

    def __init__(self, prior=FORMAT_PRIOR):
        self.ones = prior.probabilities.tolist()

    def share(self, width, context):
        """The part of an interval that stands for a 1."""
        return (width >> 16) * self.ones[context]

    def learn(self, context, bit):
        """Take note of an answer."""
        goal = 65536 - FLOOR if bit else FLOOR
        if context != RAW:
            way = abs(goal - self.ones[context]) >> ADAPT_SHIFT
            self.ones[context] += way if bit else -way


class Writer:
    """Answers to bytes: an interval of one endless whole number, so that no carry has to be thought of."""

    def __init__(self):
        self.model, self.low, self.width, self.bytes = Model(), 0, 0xFFFFFFFF, 0

    def ask(self, context, bit):
        """Write an answer, and give it back."""
        share = self.model.share(self.width, context)
        self.low, self.width = (self.low, share) if bit else (self.low + share, self.width - share)
        self.model.learn(context, bit)
        while self.width < 1 << 24:
            self.low, self.width, self.bytes = self.low << 8, self.width << 8, self.bytes + 1
        return bit

    def payload(self):
        """All answers so far: the shortest number within the interval."""
        number = (self.low + (1 << 24) - 1) >> 24
        return number.to_bytes(self.bytes + 1).rstrip(b"\0")


class Reader:
    """Bytes to answers; past the end there are zeros."""

    def __init__(self, payload):
        self.model, self.rest, self.width = Model(), iter(payload), 0xFFFFFFFF
        self.number = int.from_bytes(bytes(next(self.rest, 0) for _ in range(4)))

    def ask(self, context, _=0):
        """Read an answer."""
        share = self.model.share(self.width, context)
        bit = int(self.number < share)
        self.number, self.width = (self.number, share) if bit else (self.number - share, self.width - share)
        self.model.learn(context, bit)
        while self.width < 1 << 24:
            self.number, self.width = self.number << 8 | next(self.rest, 0), self.width << 8
        return bit


class Pricer:
    """Answers to their price in 1/256 bit, as the encoder reckons: by the prior, without learning."""

    def __init__(self, costs=FORMAT_PRIOR.costs):
        self.costs, self.price = costs, 0

    def ask(self, context, bit):
        """Add an answer's price, and give it back."""
        self.price += int(self.costs[context, bit])
        return bit


class Plane:
    """Levels, modes, splits and counts of one plane."""

    def __init__(self, kind):
        self.kind, self.shape = kind, LUMA_SHAPE if kind == LUMA else CHROMA_SHAPE
        self.levels = np.zeros(self.shape, np.int64)
        cells = self.shape[0] // 4, self.shape[1] // 4
        self.split, self.mode, self.count = (np.zeros(cells, np.int64) for _ in range(3))

    def units(self):
        """Places of the 8x8 units in the order of the stream."""
        return [(y, x) for y in range(0, self.shape[0], 8) for x in range(0, self.shape[1], 8)]

    def parts(self, y, x):
        """Places and size of the blocks of a unit."""
        if self.split[y // 4, x // 4]:
            return [(y + dy, x + dx, 4) for dy in (0, 4) for dx in (0, 4)]
        return [(y, x, 8)]

    def blocks(self):
        """Place, size and mode of all blocks."""
        whole = [part for unit in self.units() for part in self.parts(*unit)]
        return [(y, x, size, int(self.mode[y // 4, x // 4])) for y, x, size in whole]

    def energy(self, y, x, size):
        """Class of how busy the blocks to the left and above are, each seen through two cells."""
        row, column, far = y // 4, x // 4, 1 if size == 8 else 0
        total = self.count[row, column - 1] + self.count[row + far, column - 1] if x else 0
        total += self.count[row - 1, column] + self.count[row - 1, column + far] if y else 0
        return sum(total >= least for least in (1, 3, 5, 9, 15))

    def note(self, y, x, size, mode, found):
        """Write down what a block has."""
        cells = np.s_[y // 4 : (y + size) // 4, x // 4 : (x + size) // 4]
        self.mode[cells], self.count[cells] = mode, found if size == 4 else (found + 1) // 2


def blank_planes():
    """Luma, blue and red without anything."""
    return Plane(LUMA), Plane(CHROMA), Plane(CHROMA)


def read_planes(payload, planes):
    """`stream.read_plans`: fill planes from a payload."""
    reader = Reader(payload)
    for plane in planes:
        walk_plane(reader, plane)


def write_planes(planes):
    """`rate.written`: the payload of planes."""
    writer = Writer()
    for plane in planes:
        walk_plane(writer, plane)
    return writer.payload()


def walk_plane(coder, plane):
    """Ask everything about a plane; a reader fills it, which must be blank, others leave it as it is."""
    for top, left in plane.units():
        cells = np.s_[top // 4 : top // 4 + 2, left // 4 : left // 4 + 2]
        if plane.kind == LUMA:
            around = plane.split[top // 4, left // 4 - 1] if left else 0
            around += plane.split[top // 4 - 1, left // 4] if top else 0
            plane.split[cells] = coder.ask(SPLITS + int(around), int(plane.split[top // 4, left // 4]))
        for y, x, size in plane.parts(top, left):
            beside = int(plane.mode[y // 4, x // 4 - 1]) if x else PLANAR
            above = int(plane.mode[y // 4 - 1, x // 4]) if y else PLANAR
            class_ = 2 * plane.kind + (size == 4)
            mode = walk_mode(coder, class_, int(plane.mode[y // 4, x // 4]), beside, above)
            levels = plane.levels[y : y + size, x : x + size]
            found = walk_levels(coder, class_, plane.energy(y, x, size), levels)
            plane.note(y, x, size, mode, found)


def walk_mode(coder, class_, mode, beside, above):
    """Ask for a mode: as the block to the left has? as the one above? else its four bits."""
    base = MODES_AT + class_ * 20
    if coder.ask(base + (beside != above), int(mode == beside)):
        return beside
    if beside != above and coder.ask(base + 2, int(mode == above)):
        return above
    known = 1
    for shift in (3, 2, 1, 0):
        known = 2 * known + coder.ask(base + 4 + known, mode >> shift & 1)
    return known - 16


@cache
def zigzag(size):
    """Places of a block's coefficients, diagonal by diagonal, the way turning."""
    diagonals = [[(y, total - y) for y in range(size) if 0 <= total - y < size] for total in range(2 * size - 1)]
    return [place for total, way in enumerate(diagonals) for place in (way if total % 2 else way[::-1])]


def band(size, number):
    """The band of a zigzag number."""
    if number < 6:
        return (0, 1, 1, 2, 3, 2)[number]
    ends = (10, 13, 16) if size == 4 else (10, 15, 21, 28, 36, 64)
    return 4 + next(which for which, end in enumerate(ends) if number < end)


def near(levels, y, x):
    """Class of the levels known around a place: next above and left twice, corner and second next once."""
    places = [(y - 1, x, 2), (y, x - 1, 2), (y - 1, x - 1, 1), (y - 2, x, 1), (y, x - 2, 1)]
    total = sum(weight * abs(int(levels[row, column])) for row, column, weight in places if min(row, column) >= 0)
    return sum(total >= least for least in (1, 2, 3, 5, 8))


def walk_levels(coder, class_, energy, levels):
    """Ask for a block's levels, and give their number: any? then for each its value, and after each one: more?"""
    size = len(levels)
    places = zigzag(size)
    last = max((number for number, place in enumerate(places) if levels[place]), default=-1)
    if not coder.ask(CODED + class_ * 6 + energy, int(last >= 0)):
        return 0
    found, ended = 0, True
    for number, place in enumerate(places):
        if number and ended and not coder.ask(more_context(class_, size, number, found), int(number <= last)):
            break
        sure = ended and number == size * size - 1
        levels[place] = walk_level(coder, class_, energy, levels, number, sure)
        ended = levels[place] != 0
        found += ended
    return int(found)


def more_context(class_, size, number, found):
    """Context of the question whether there is any level from a zigzag number on."""
    return MORE + (class_ * 10 + band(size, number)) * 4 + min(found, 4) - 1


def walk_level(coder, class_, energy, levels, number, sure):
    """Ask for one level: any at all (unless sure)? above 1, 2 ... 13? the rest in Exp-Golomb code; its sign."""
    size = len(levels)
    place, its_band = zigzag(size)[number], band(size, number)
    level, beside = int(levels[place]), near(levels, *place) if number else energy
    if not sure and not coder.ask(PRESENT + (class_ * 10 + its_band) * 6 + beside, int(level != 0)):
        return 0
    larger, height = LARGER + ((class_ * 3 + min(its_band, 2)) * 5 + min(beside, 4)) * 2, 1
    while height < UNARY_LEVELS and coder.ask(larger + (height > 1), int(abs(level) > height)):
        height += 1
    if height == UNARY_LEVELS:
        height += walk_tail(coder, class_, abs(level) - UNARY_LEVELS + 1) - 1
    return -height if coder.ask(RAW, int(level < 0)) else height


def walk_tail(coder, class_, rest):
    """Ask for a number from 1 on: how many bits follow its first, then those."""
    bits, number = 0, 1
    while bits < MAX_PREFIX and coder.ask(PREFIX + class_, int(rest >> bits + 1 > 0)):
        bits += 1
    for shift in reversed(range(bits)):
        number = 2 * number + coder.ask(RAW, rest >> shift & 1)
    return number


def quantise(coefficients, class_, energy, step, lambda_, costs=FORMAT_PRIOR.costs):
    """`search.quantise`: levels of a block, and their cost."""
    size = len(coefficients)
    levels, places = np.zeros((size, size), np.int64), zigzag(size)
    values = [int(coefficients[place]) for place in places]
    error = sum(value * value for value in values) << 8
    last = max((number for number, value in enumerate(values) if 2 * abs(value) > step), default=-1)
    coded = costs[CODED + class_ * 6 + energy].tolist()
    best, end, cost, found, ended = error + lambda_ * coded[0], -1, error + lambda_ * coded[1], 0, True
    for number in range(last + 1):
        if number and ended:
            cost += lambda_ * int(costs[more_context(class_, size, number, found), 1])
        sure = ended and number == size * size - 1
        change, level = cheapest(values[number], step, lambda_, costs, (class_, energy, levels, number, sure))
        levels[places[number]] = level
        cost, ended, found = cost + change, level != 0, found + (level != 0)
        more = more_context(class_, size, number + 1, found) if number + 1 < size * size else None
        stop = cost + (lambda_ * int(costs[more, 0]) if more else 0)
        if ended and stop < best:
            best, end = stop, number
    for place in places[end + 1 :]:
        levels[place] = 0
    return levels, best >> 8


def cheapest(value, step, lambda_, costs, question):
    """The cost against nothing, and the level, of the best of the two nearest levels and none (unless sure)."""
    _, _, levels, number, sure = question
    place, sign, options = zigzag(len(levels))[number], 1 if value >= 0 else -1, []
    nearest = (2 * abs(value) + step) // (2 * step)
    for size in sorted({max(0, nearest - 1), nearest} | {0}):
        if size or not sure:
            pricer, levels[place] = Pricer(costs), sign * size
            walk_level(pricer, *question)
            change = ((abs(value) - size * step) ** 2 - value * value) << 8
            options.append((change + lambda_ * pricer.price, size, sign * size))
    return min(options)[::2]
