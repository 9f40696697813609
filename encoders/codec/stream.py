"""A stream of at most 1,024 bytes back to the pixels of one portrait.

Stream of format 1: version byte, step index, then the range-coded answers of `encoders.codec.entropy` to the questions
of luma, Cb and Cr, zeros at the end left out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.entropy import ask_plane, start_decoder
from encoders.codec.kernels import rebuild
from encoders.codec.pixels import halve, join_colours, smooth
from encoders.codec.tables import CHROMA, HEIGHT_PX, SMOOTHING_SHIFT, STEP, WIDTH_PX
from encoders.codec.workspace import Plane, Workspace

Pixels = NDArray[np.uint8]

HEADER_BYTES: Final = 2


def decode_stream(stream: bytes) -> Pixels:
    """The picture of a stream, whose version is taken as read: uint8[126, 102, 3].

    Any payload gives some picture in bounded time: the coder reads zeros past the end, every level has a bound.
    """
    work = Workspace()
    read_plans(np.frombuffer(stream, np.uint8, offset=HEADER_BYTES).copy(), work)
    luma_step = int(STEP[stream[1]])
    for plane in work.planes:
        lay_guide(work, plane)
        rebuild(plane.field, plane.plan, plane.kind, plane.step(luma_step), work.blocks, work.line)
    return finished_picture(work, luma_step)


def read_plans(payload: NDArray[np.uint8], work: Workspace) -> None:
    """Decode the plans and levels of all planes from a payload."""
    state, probabilities = np.zeros(3, np.int64), work.prior.probabilities.copy()
    start_decoder(payload, state)
    for plane in work.planes:
        ask_plane(payload, state, probabilities, plane.field, plane.plan, plane.kind)


def lay_guide(work: Workspace, plane: Plane) -> None:
    """Give a colour plane the decoded luma to follow."""
    if plane.kind == CHROMA:
        halve(work.luma.decoded, plane.guide)


def finished_picture(work: Workspace, luma_step: int) -> Pixels:
    """Smooth the decoded luma (colour grows smooth enough when it is doubled) and join the planes to RGB."""
    smoothed, pixels = np.empty_like(work.luma.decoded), np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    smooth(work.luma.decoded, luma_step >> SMOOTHING_SHIFT, smoothed)
    join_colours(smoothed, work.blue.decoded, work.red.decoded, pixels)
    return pixels
