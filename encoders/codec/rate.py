"""Pixels to a stream of at most 1,024 bytes: the search for the finest step that fits."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.coder import finish, start
from encoders.codec.colour import walk_colour
from encoders.codec.desk import Desk, new_desk
from encoders.codec.luma import walk_luma
from encoders.codec.model import Model, Search
from encoders.codec.pixels import split_colours, variation
from encoders.codec.polish import polish_colour, polish_luma
from encoders.codec.search import project_source, search_colour, search_luma
from encoders.codec.tables import MAX_STREAM_BYTES, PLAIN_STEP, STEP, STEPS_PER_OCTAVE, log2_256ths
from encoders.codec.workspace import Work, new_work

Pixels = NDArray[np.uint8]

HEADER_BYTES: Final = 2
PAYLOAD_BYTES: Final = MAX_STREAM_BYTES - HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How hard the encoder tries; nothing here changes the format."""

    tries: int = 2  # modes a block is quantised with
    lambda_1024ths: int = 32  # worth of a bit in squared steps (1/16): 0.125 where both are in pixel values
    near_steps: int = 1  # a plan made this near to the step that fits is good enough
    plans: int = 2  # full searches at most
    polishes: int = 4  # passes that fit the stream to its bytes


STANDARD: Final = Tuning()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A stream's step index, worth of a bit, size and payload."""

    index: int
    lambda_1024ths: int
    size_bytes: int
    payload: bytes

    @property
    def fits(self) -> bool:
        """Whether it goes into a stream."""
        return self.size_bytes <= PAYLOAD_BYTES


class Encoder:
    """One portrait's encoder: its arrays, and the search over steps."""

    def __init__(self, model: Model, search: Search, tuning: Tuning = STANDARD, *, diary: bool = False) -> None:
        self.model, self.search, self.tuning = model, search, tuning
        self.work: Work = new_work(40_000, 1_000) if diary else new_work()
        self.desk: Desk = new_desk()

    def lay_source(self, pixels: Pixels) -> None:
        """Put a picture on the desk."""
        split_colours(pixels, self.work.luma, self.work.blue, self.work.red)
        project_source(self.model, self.work, self.desk)

    def plan(self, index: int) -> float:
        """Choose splits, modes and levels for a step.  Returns: the bytes that will take, nearly."""
        step, weight = int(STEP[index]), self.tuning.lambda_1024ths
        lambda_ = step * step * weight >> 10
        search_luma(self.model, self.search, self.work, self.desk, step, lambda_, self.tuning.tries)
        colour = colour_step(self.model, step)
        search_colour(self.model, self.search, self.work, self.desk, colour, colour * colour * weight >> 10)
        return int(self.desk.total[1] + self.desk.total[3]) / 2048

    def polish(self, index: int, lambda_1024ths: int) -> Attempt:
        """Keep the plan, choose levels for a step and a worth of a bit, and write the stream."""
        step = int(STEP[index])
        colour = colour_step(self.model, step)
        start(self.work.stream, self.work.state, 1)
        shared = self.model, self.search, self.work, self.desk
        polish_luma(*shared, step, step * step * lambda_1024ths >> 10)
        polish_colour(*shared, colour, colour * colour * lambda_1024ths >> 10)
        size = int(finish(self.work.stream, self.work.state))
        return Attempt(index, lambda_1024ths, size, self.work.stream[:size].tobytes())

    def written(self, index: int) -> bytes:
        """Write the plan and the levels that lie in the workspace."""
        step = int(STEP[index])
        start(self.work.stream, self.work.state, 1)
        walk_luma(self.model, self.work, step)
        walk_colour(self.model, self.work, colour_step(self.model, step))
        size = int(finish(self.work.stream, self.work.state))
        return bytes(self.work.stream[:size])

    def best(self) -> tuple[int, bytes]:
        """The step index and payload of the finest stream that fits; PLAIN_STEP and nothing if none does."""
        index = first_index(variation(self.work.luma))
        for _ in range(self.tuning.plans):
            move = steps_between(self.plan(index), PAYLOAD_BYTES)
            wanted = held(index + move)
            if abs(move) <= self.tuning.near_steps or wanted == index:
                break
            index = wanted
        return self._fitted(wanted)

    def _fitted(self, index: int) -> tuple[int, bytes]:
        """Polish the plan to the largest payload that fits: first the step, then the worth of a bit."""
        weight, best = self.tuning.lambda_1024ths, None
        for _ in range(self.tuning.polishes):
            last = self.polish(index, weight)
            if last.fits:
                if best is None or last.size_bytes > best.size_bytes:
                    best = last
                if last.size_bytes >= PAYLOAD_BYTES - 4:
                    break
            # a 1 % dearer bit saves about 0.15 % of the bytes
            share = last.size_bytes / (PAYLOAD_BYTES - 2)
            if share > 1.02 or share < 0.98:
                index = held(index + steps_between(last.size_bytes, PAYLOAD_BYTES - 2))
            else:
                weight = max(8, round(weight * (1 + (share - 1) * 6.5)))
        while best is None:
            if index == PLAIN_STEP:
                return PLAIN_STEP, b""
            index = min(PLAIN_STEP, index + 1 + max(1, abs(steps_between(last.size_bytes, PAYLOAD_BYTES))))
            if index < PLAIN_STEP:
                last = self.polish(index, self.tuning.lambda_1024ths)
                best = last if last.fits else None
        return best.index, best.payload


def held(index: int) -> int:
    """A step index held within those that have levels."""
    return min(PLAIN_STEP - 1, max(0, index))


def steps_between(size_bytes: float, wanted_bytes: float) -> int:
    """How many steps coarser a stream of one size must become to have another; sizes fall with steps to the 1.18th."""
    octaves_256ths = log2_256ths(round(size_bytes * 16) + 1) - log2_256ths(round(wanted_bytes * 16) + 1)
    return round(octaves_256ths * STEPS_PER_OCTAVE / (256 * 1.18))


def colour_step(model: Model, step: int) -> int:
    """The step of the colour planes where luma has `step`."""
    return max(1, step * int(model.colour_step[0]) >> 6)


def first_index(difference_sum: int) -> int:
    """The step index a picture is likely to need, from `variation` of its luma (in eighths)."""
    return held(log2_256ths((difference_sum >> 3) + 1) * 383 // 2560 - 610)
