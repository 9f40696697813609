"""What nobody would send: streams and pictures of every bad kind, each made of a seed and a number alone."""

import string
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.portrait_pictures import OWN_PICTURES, paths_in
from encoders import portrait

Pixels = NDArray[np.uint8]
Chance = np.random.Generator

SHAPE: Final = (portrait.HEIGHT_PX, portrait.WIDTH_PX, 3)
PORTRAITS: Final = 12  # the real ones that others are made of
LONGEST_BYTES: Final = portrait.MAX_STREAM_BYTES + 76  # streams may be longer than any that is read
EXTREMES: Final = (0, 1, 127, 128, 254, 255)


@cache
def portraits() -> tuple[Pixels, ...]:
    """Some real portraits, of people who do not exist."""
    paths = paths_in(OWN_PICTURES)
    return tuple(portrait.prepare(path.read_bytes()) for path in paths[:: max(1, len(paths) // PORTRAITS)])


@cache
def streams() -> tuple[bytes, ...]:
    """Their streams."""
    return tuple(map(portrait.encode, portraits()))


def one_of(chance: Chance, several: tuple[bytes, ...]) -> bytes:
    """One of several streams."""
    return several[int(chance.integers(len(several)))]


# ---- streams --------------------------------------------------------------------------------------------------


def anything(chance: Chance) -> bytes:
    """Bytes of any number, the first of them too."""
    return chance.bytes(int(chance.integers(0, LONGEST_BYTES)))


def behind_the_version(chance: Chance) -> bytes:
    """The version, and any bytes behind it."""
    return bytes((portrait.VERSION,)) + chance.bytes(int(chance.integers(1, portrait.MAX_STREAM_BYTES)))


def one_sided(chance: Chance) -> bytes:
    """Any step, then one byte again and again: answers that are always the likeliest, or never."""
    again = bytes((int(chance.choice(EXTREMES)),)) * int(chance.integers(0, portrait.MAX_STREAM_BYTES - 1))
    head = chance.bytes(int(chance.integers(0, 40)))
    return (bytes((portrait.VERSION, int(chance.integers(0, 256)))) + head + again)[: portrait.MAX_STREAM_BYTES]


def mutated(chance: Chance) -> bytes:
    """A real stream with some bytes changed, or cut out, or put in."""
    stream = bytearray(one_of(chance, streams()))
    for _ in range(int(chance.integers(1, 9))):
        at = int(chance.integers(2, len(stream)))
        way = chance.integers(4)
        if way == 0:
            stream[at] ^= 1 << int(chance.integers(8))
        elif way == 1:
            stream[at : at + 8] = chance.bytes(8)
        elif way == 2:
            del stream[at : at + int(chance.integers(1, 5))]
        else:
            stream[at:at] = chance.bytes(int(chance.integers(1, 5)))
    return bytes(stream[: portrait.MAX_STREAM_BYTES])


def truncated(chance: Chance) -> bytes:
    """The beginning of a real stream."""
    stream = one_of(chance, streams())
    return stream[: int(chance.integers(0, len(stream)))]


def other_step(chance: Chance) -> bytes:
    """A real stream under another step."""
    return bytes((portrait.VERSION, int(chance.integers(0, 256)))) + one_of(chance, streams())[2:]


def spliced(chance: Chance) -> bytes:
    """The beginning of a real stream and the end of another."""
    one, other = one_of(chance, streams()), one_of(chance, streams())
    return one[: int(chance.integers(2, len(one)))] + other[int(chance.integers(2, len(other))) :]


STREAMS: Final[tuple[Callable[[Chance], bytes], ...]] = (
    anything,
    behind_the_version,
    one_sided,
    mutated,
    truncated,
    other_step,
    spliced,
)


# ---- pictures -------------------------------------------------------------------------------------------------


def colour(chance: Chance) -> tuple[int, int, int]:
    """A colour, every other one of the extreme ones."""
    red, green, blue = chance.choice(EXTREMES, 3) if chance.integers(2) else chance.integers(0, 256, 3)
    return int(red), int(green), int(blue)


def plain(chance: Chance) -> Pixels:
    """One colour, black and white among them, with a few pixels of another at times."""
    pixels = np.full(SHAPE, colour(chance), np.uint8)
    for _ in range(int(chance.integers(0, 4))):
        pixels[chance.integers(SHAPE[0]), chance.integers(SHAPE[1])] = colour(chance)
    return pixels


def noise(chance: Chance) -> Pixels:
    """Noise, full or between two lights, grey at times."""
    low, high = sorted(chance.integers(0, 257, 2).tolist())
    shape = SHAPE if chance.integers(2) else (*SHAPE[:2], 1)
    return np.broadcast_to(chance.integers(low, high + 1, shape).clip(0, 255), SHAPE).astype(np.uint8)


def two_lights(chance: Chance) -> Pixels:
    """Pixels of two colours by chance."""
    chosen = chance.random(SHAPE[:2])[:, :, None] < chance.random()
    return np.where(chosen, colour(chance), colour(chance)).astype(np.uint8)


def checkerboard(chance: Chance) -> Pixels:
    """Fields of two colours, one pixel wide or more."""
    rows, columns = np.indices(SHAPE[:2])
    high, wide = chance.integers(1, 20, 2)
    lit = ((rows + chance.integers(20)) // high + (columns + chance.integers(20)) // wide) % 2 == 0
    return np.where(lit[:, :, None], colour(chance), colour(chance)).astype(np.uint8)


def text(chance: Chance) -> Pixels:
    """Lines of letters."""
    image = Image.new("RGB", (SHAPE[1], SHAPE[0]), colour(chance))
    pen = ImageDraw.Draw(image)
    for y in range(0, SHAPE[0], int(chance.integers(8, 16))):
        letters = "".join(chance.choice(list(string.ascii_letters + string.digits), 20))
        pen.text((int(chance.integers(-5, 5)), y), letters, fill=colour(chance))
    return np.array(image)


def shapes(chance: Chance) -> Pixels:
    """Ellipses, boxes and lines over each other."""
    image = Image.new("RGB", (SHAPE[1], SHAPE[0]), colour(chance))
    pen = ImageDraw.Draw(image)
    for _ in range(int(chance.integers(1, 60))):
        left, right = sorted(chance.integers(-20, 130, 2).tolist())
        top, bottom = sorted(chance.integers(-20, 150, 2).tolist())
        draw = (pen.ellipse, pen.rectangle, pen.line)[int(chance.integers(3))]
        draw((left, top, right, bottom), fill=colour(chance))
    return np.array(image)


def waves(chance: Chance) -> Pixels:
    """Waves of every length in each colour, cut off at black and white."""
    rows, columns = np.indices(SHAPE[:2])
    across, down, shift = chance.uniform(-3.2, 3.2, (3, 3))
    heights = chance.uniform(0, 400, 3)
    lights = [128 + heights[i] * np.sin(across[i] * columns + down[i] * rows + shift[i]) for i in range(3)]
    pixels: Pixels = np.clip(np.stack(lights, axis=-1), 0, 255).astype(np.uint8)
    return pixels


def spoiled(chance: Chance) -> Pixels:
    """A real portrait with noise, in false colours, turned over, or with a part of another."""
    several = portraits()
    pixels = several[int(chance.integers(len(several)))]
    way = int(chance.integers(4))
    if way == 0:
        return np.clip(pixels + chance.normal(0, chance.uniform(1, 90), SHAPE), 0, 255).astype(np.uint8)
    if way == 1:
        return np.clip((pixels.astype(int) - 128) * chance.uniform(-9, 9, 3) + 128, 0, 255).astype(np.uint8)
    if way == 2:
        return np.ascontiguousarray(np.roll(pixels[::-1], int(chance.integers(100)), 1))
    joined = pixels.copy()
    row, column = chance.integers(0, 120), chance.integers(0, 96)
    joined[row:, column:] = several[int(chance.integers(len(several)))][row:, column:]
    return joined


PICTURES: Final[tuple[Callable[[Chance], Pixels], ...]] = (
    plain,
    noise,
    two_lights,
    checkerboard,
    text,
    shapes,
    waves,
    spoiled,
)


def named(one: Callable[[Chance], object]) -> str:
    """The kind of input a function makes, in words."""
    return one.__name__.replace("_", " ")
