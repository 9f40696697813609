"""One portrait's pixels to a stream of at most 1,024 bytes, by finding the finest step that fits; and back.

Stream: version byte, step index, then the range-coded answers of `encoders.codec.entropy`: luma, Cb, Cr.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.contexts import bit_costs, initial_probabilities
from encoders.codec.entropy import ask_plane, encode_bins, list_plane, start_decoder
from encoders.codec.kernels import rebuild
from encoders.codec.pixels import halve, join_colours, smooth, split_colours, variation
from encoders.codec.search import code_plane
from encoders.codec.tables import (
    BLANK_STEP,
    CHROMA,
    DECODED,
    GUIDE,
    HEIGHT_PX,
    LEVEL,
    LUMA,
    MAX_STREAM_BYTES,
    MODE,
    PLANAR,
    SMOOTHING_SHIFT,
    SOURCE,
    STEP,
    STEPS_PER_OCTAVE,
    VERSION,
    WIDTH_PX,
    chroma_step,
    log2_256ths,
)
from encoders.codec.workspace import LUMA_PLANE, Plane, Workspace

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.int32]

HEADER_BYTES: Final = 2
PAYLOAD_BYTES: Final = MAX_STREAM_BYTES - HEADER_BYTES
PASSES: Final = 12  # three to four do for a portrait; halving ends any search within these
SECANTS: Final = 4

INITIAL: Final[Probabilities] = initial_probabilities()
COSTS: Final = bit_costs(INITIAL)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a step gave; a size of `STREAM_BYTES` means that much or more."""

    step_index: int
    size_bytes: int
    payload: bytes

    @property
    def fits(self) -> bool:
        """Whether it goes into a stream."""
        return self.size_bytes <= PAYLOAD_BYTES


def encode_stream(pixels: Pixels) -> bytes:
    """The stream of `pixels`, uint8[126, 102, 3] in C order: at most 1,024 bytes, whatever they show."""
    work = Workspace()
    split_colours(pixels, *(plane.field[SOURCE] for plane in work.planes))
    best = best_attempt(work)
    return bytes((VERSION, best.step_index)) + best.payload


def decode_stream(stream: bytes) -> Pixels:
    """The picture of a stream of 2 to 1,024 bytes whose version is VERSION: uint8[126, 102, 3].

    Any payload gives some picture: the coder reads zeros past its end and every level has a bound.
    """
    work = Workspace()
    payload = np.frombuffer(stream, np.uint8, offset=HEADER_BYTES).copy()
    state, probabilities = np.zeros(3, np.int64), INITIAL.copy()
    start_decoder(payload, state)
    for plane in work.planes:
        ask_plane(payload, state, probabilities, plane.field, plane.plan, plane.kind)
    step = int(STEP[stream[1]])
    for plane in work.planes:
        prepare_guide(work, plane)
        rebuild(plane.field, plane.plan, plane.kind, plane_step(plane.kind, step), work.blocks, work.line)
    return finished_picture(work, step)


def finished_picture(work: Workspace, step: int) -> Pixels:
    """Smooth the decoded luma (colour grows smooth enough when it is doubled) and join the planes to RGB."""
    luma, blue, red = (plane.field[DECODED] for plane in work.planes)
    smoothed, pixels = np.empty_like(luma), np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    smooth(luma, step >> SMOOTHING_SHIFT, smoothed)
    join_colours(smoothed, blue, red, pixels)
    return pixels


def plane_step(kind: int, step: int) -> int:
    """The step of a kind of plane where luma has `step`."""
    return step if kind == LUMA else chroma_step(step)


def prepare_guide(work: Workspace, plane: Plane) -> None:
    """Give a colour plane the decoded luma to follow."""
    if plane.kind == CHROMA:
        halve(work.planes[LUMA_PLANE].field[DECODED], plane.field[GUIDE])


def best_attempt(work: Workspace) -> Attempt:
    """Search the finest step that fits: modes are chosen once, near the expected step, then only levels change."""
    index = first_index(variation(work.planes[LUMA_PLANE].field[SOURCE]))
    last = attempt(work, index, fresh=True)
    finest, coarsest, best = -1, BLANK_STEP, None
    for count in range(PASSES):
        if last.fits:
            coarsest, best = index, last
        else:
            finest = index
        if coarsest - finest <= 1:
            break
        # sizes fall nearly evenly with steps on log scales, so the first moves are secants; then halving
        index = index + move(last.size_bytes) if count < SECANTS else (finest + coarsest) // 2
        index = min(coarsest - 1, max(finest + 1, index))
        last = attempt(work, index, fresh=False)
    return best or blank_attempt(work)


def first_index(difference_sum: int) -> int:
    """The step index a picture is likely to need, from `variation` of its luma (standard deviation 3.5).

    Source: least squares over 118 training portraits: 36.4 * log2(variation) - 561.
    """
    return min(BLANK_STEP - 1, max(0, log2_256ths(difference_sum + 1) * 364 // 2560 - 561))


def move(size_bytes: int) -> int:
    """How many steps to go from a payload's size to the limit, the size going with step ** -0.85; never 0."""
    octaves = log2_256ths(size_bytes + 1) - log2_256ths(PAYLOAD_BYTES + 1)  # in 1/256
    steps = octaves * STEPS_PER_OCTAVE * 20 // (17 * 256)
    return steps + 1 if size_bytes > PAYLOAD_BYTES else min(steps, -1)


def attempt(work: Workspace, step_index: int, *, fresh: bool) -> Attempt:
    """Code the picture in the workspace with one step; `fresh` chooses modes, else those of the call before stay."""
    step = int(STEP[step_index])
    for plane in work.planes:
        prepare_guide(work, plane)
        code_plane(
            plane.field,
            plane.plan,
            plane.kind,
            int(fresh),
            plane_step(plane.kind, step),
            COSTS,
            work.blocks,
            work.line,
            work.ranks,
        )
    return written(work, step_index)


def blank_attempt(work: Workspace) -> Attempt:
    """Code a picture without any level: about 40 bytes, so that no picture is without a stream."""
    for plane in work.planes:
        plane.field[LEVEL], plane.plan[:] = 0, 0
        plane.plan[MODE] = PLANAR
    return written(work, BLANK_STEP)


def written(work: Workspace, step_index: int) -> Attempt:
    """Code the plans and levels in the workspace to bytes."""
    at = 0
    for plane in work.planes:
        if at >= 0:
            at = list_plane(work.bins, at, plane.field, plane.plan, plane.kind)
    if at < 0:
        return Attempt(step_index, work.stream.size, b"")
    size_bytes = encode_bins(work.bins, at, INITIAL.copy(), work.stream)
    return Attempt(step_index, size_bytes, work.stream[:size_bytes].tobytes())
