"""Pixels to a stream of at most 1,024 bytes: the search for the finest step that fits."""

from dataclasses import dataclass
from typing import Final

from encoders.codec.entropy import encode_bins, list_plane
from encoders.codec.pixels import split_colours, variation
from encoders.codec.search import code_plane
from encoders.codec.stream import HEADER_BYTES, Pixels, lay_guide
from encoders.codec.tables import (
    BLANK_STEP,
    LEVEL,
    MAX_STREAM_BYTES,
    MODE,
    PLANAR,
    SOURCE,
    STEP,
    STEPS_PER_OCTAVE,
    VERSION,
    log2_256ths,
)
from encoders.codec.workspace import Workspace

PAYLOAD_BYTES: Final = MAX_STREAM_BYTES - HEADER_BYTES
PASSES: Final = 12  # three do for a portrait; halving ends any search within these
SECANTS: Final = 4
CLOSE_BYTES: Final = 10  # one step finer costs about 22 bytes: this near to the limit it rarely fits


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
    lay_source(work, pixels)
    best = best_attempt(work)
    return bytes((VERSION, best.step_index)) + best.payload


def lay_source(work: Workspace, pixels: Pixels) -> None:
    """Put a picture into the workspace."""
    luma, blue, red = (plane.field[SOURCE] for plane in work.planes)
    split_colours(pixels, luma, blue, red)


def best_attempt(work: Workspace) -> Attempt:
    """Search the finest step that fits: modes are chosen once, near the expected step, then only levels change."""
    index = first_index(variation(work.luma.field[SOURCE]))
    last = attempt(work, index, fresh=True)
    finest, coarsest, best = -1, BLANK_STEP, None
    for count in range(PASSES):
        if last.fits:
            coarsest, best = index, last
        else:
            finest = index
        if coarsest - finest <= 1 or PAYLOAD_BYTES - CLOSE_BYTES < last.size_bytes <= PAYLOAD_BYTES:
            break
        # sizes fall nearly evenly with steps on log scales, so the first moves are secants; then halving
        index = index + move(last.size_bytes) if count < SECANTS else (finest + coarsest) // 2
        index = min(coarsest - 1, max(finest + 1, index))
        last = attempt(work, index, fresh=False)
    return best or blank_attempt(work)


def first_index(difference_sum: int) -> int:
    """The step index a picture is likely to need, from `variation` of its luma (standard deviation 4).

    Source: least squares over 118 training portraits: 36.4 * log2(variation) - 558.
    """
    return min(BLANK_STEP - 1, max(0, log2_256ths(difference_sum + 1) * 364 // 2560 - 558))


def move(size_bytes: int) -> int:
    """How many steps to go from a payload's size to just under the limit, the two going as one; never 0."""
    octaves_256ths = log2_256ths(size_bytes + 1) - log2_256ths(PAYLOAD_BYTES - CLOSE_BYTES // 2)
    steps = (octaves_256ths * STEPS_PER_OCTAVE + 128) // 256
    return max(steps, 1) if size_bytes > PAYLOAD_BYTES else min(steps, -1)


def attempt(work: Workspace, step_index: int, *, fresh: bool) -> Attempt:
    """Code the picture in the workspace with one step; `fresh` chooses modes, else those of the call before stay."""
    luma_step = int(STEP[step_index])
    scratch = work.blocks, work.line, work.ranks
    for plane in work.planes:
        lay_guide(work, plane)
        step = plane.step(luma_step)
        code_plane(plane.field, plane.plan, plane.kind, int(fresh), step, work.prior.costs, *scratch)
    return written(work, step_index)


def blank_attempt(work: Workspace) -> Attempt:
    """Code a picture without any level, about 30 bytes: no picture is without a stream."""
    for plane in work.planes:
        plane.field[LEVEL] = 0
        plane.plan[:] = 0
        plane.plan[MODE] = PLANAR
    return written(work, BLANK_STEP)


def written(work: Workspace, step_index: int) -> Attempt:
    """Code the plans and levels in the workspace to bytes."""
    count = listed(work)
    if count < 0:
        return Attempt(step_index, work.stream.size, b"")
    size_bytes = int(encode_bins(work.bins, count, work.prior.probabilities.copy(), work.stream))
    return Attempt(step_index, size_bytes, work.stream[:size_bytes].tobytes())


def listed(work: Workspace) -> int:
    """List all answers in the workspace's bins.  Returns: how many, or -1 if there is no room for them."""
    count = 0
    for plane in work.planes:
        if count >= 0:
            count = list_plane(work.bins, count, plane.field, plane.plan, plane.kind)
    return count
