"""A stream of at most 1,024 bytes back to the pixels of one portrait, and pixels to the stream.

Stream of format 2: version byte, step index, then the range-coded answers of luma, then of colour, zeros at the end
left out.  A stream whose step is PLAIN_STEP holds one colour instead: three bytes, red, green, blue.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.coder import start
from encoders.codec.colour import walk_colour
from encoders.codec.finish import finish_picture, new_room
from encoders.codec.luma import walk_luma
from encoders.codec.model import Frozen
from encoders.codec.rate import HEADER_BYTES, STANDARD, Encoder, Tuning, colour_step
from encoders.codec.tables import HEIGHT_PX, PLAIN_STEP, STEP, VERSION, WIDTH_PX
from encoders.codec.workspace import new_work

Pixels = NDArray[np.uint8]

COLOURS: Final = 3
DOUBTFUL_STEP: Final = 112  # of 400 portraits none needed a step coarser than 91: what does may be worse than plain


def encode_stream(pixels: Pixels, frozen: Frozen, tuning: Tuning = STANDARD) -> bytes:
    """The stream of `pixels`, uint8[126, 102, 3] in C order: at most 1,024 bytes, whatever they show."""
    index, payload = PLAIN_STEP, b""
    if (pixels != pixels[0, 0]).any():
        encoder = Encoder(frozen.model, frozen.search, tuning)
        encoder.lay_source(pixels)
        index, payload = encoder.best()
    coded = bytes((VERSION, index)) + payload
    if index < DOUBTFUL_STEP:
        return coded
    plain = bytes((VERSION, PLAIN_STEP)) + bytes(
        int(light) for light in pixels.reshape(-1, COLOURS).sum(axis=0) // (HEIGHT_PX * WIDTH_PX)
    )
    if index == PLAIN_STEP:
        return plain
    return min((coded, plain), key=lambda stream: squares_between(pixels, decode_stream(stream, frozen)))


def squares_between(one: Pixels, other: Pixels) -> int:
    """The sum of squared differences of two pictures."""
    apart = one.astype(np.int64) - other
    return int((apart * apart).sum())


def decode_stream(stream: bytes, frozen: Frozen) -> Pixels:
    """The picture of a stream, whose version is taken as read: uint8[126, 102, 3].

    Any payload gives some picture in bounded time: the coder reads zeros past the end, every level has a bound.
    """
    pixels = np.empty((HEIGHT_PX, WIDTH_PX, COLOURS), np.uint8)
    if stream[1] == PLAIN_STEP:
        colour = stream[HEADER_BYTES : HEADER_BYTES + COLOURS]
        pixels[:] = np.frombuffer(colour + bytes(COLOURS - len(colour)), np.uint8)
        return pixels
    work, step = new_work(), int(STEP[stream[1]])
    coded = np.frombuffer(stream, np.uint8, offset=HEADER_BYTES)
    work = work._replace(stream=coded.copy())
    start(work.stream, work.state, 0)
    walk_luma(frozen.model, work, step)
    walk_colour(frozen.model, work, colour_step(frozen.model, step))
    finish_picture(frozen.filters, work, new_room(), step, pixels)
    return pixels
