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
# Measured on portraits: sizes fall with these powers of the step (in 1/256), if each step has its own plan or if a plan
# stays, and with this power of the worth of a bit.
PLANNED: Final = 302
POLISHED: Final = 187
WORTH_POWER: Final = 0.163
LOG_2: Final = 0.6931471805599453  # natural; written out, so that no library rounds it
SPARE_BYTES: Final = 1  # that a pass leaves, since a stream has up to two bytes more or less than its levels cost
NEAR_BYTES: Final = 3  # a stream that lacks so few is full


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How hard the encoder tries; nothing here changes the format."""

    tries: int = 3  # modes a block is quantised with
    lambda_1024ths: int = 32  # worth of a bit in squared steps (1/16): 0.125 where both are in pixel values
    near_steps: int = 1  # a plan made this near to the step that fits is good enough
    plans: int = 2  # full searches at most
    polishes: int = 4  # passes that fit the stream to its bytes, at most; one is enough for two of three portraits
    plan_ways: int = 3  # ways through a block's levels that are kept while planning
    ways: int = 4  # and while polishing


STANDARD: Final = Tuning()


class Encoder:
    """One portrait's encoder: its arrays, and the search over steps."""

    def __init__(self, model: Model, search: Search, tuning: Tuning = STANDARD, *, diary: bool = False) -> None:
        self.model, self.search, self.tuning = model, search, tuning
        self.work: Work = new_work(40_000, 1_000) if diary else new_work()
        self.desk: Desk = new_desk()

    def lay_source(self, pixels: Pixels) -> None:
        """Put a picture on the desk."""
        split_colours(pixels, self.work.luma, self.work.blue, self.work.red)
        project_source(self.search, self.work, self.desk)

    def plan(self, index: int) -> float:
        """Choose splits, modes and levels for a step.  Returns: the bytes that will take, nearly."""
        step, weight = int(STEP[index]), self.tuning.lambda_1024ths
        lambda_, tried = step * step * weight >> 10, (self.tuning.tries, self.tuning.plan_ways)
        search_luma(self.model, self.search, self.work, self.desk, step, lambda_, *tried)
        colour = colour_step(self.model, step)
        search_colour(self.model, self.search, self.work, self.desk, colour, colour * colour * weight >> 10, tried[1])
        return int(self.desk.total[1] + self.desk.total[3]) / 2048

    def polish(self, index: int, worth: int, wanted_bytes: float) -> tuple[float, int]:
        """Keep the plan, choose levels for a step and about a worth of a bit (1/32768 squared steps).

        Returns: the bytes, nearly as wanted; what a bit was worth on average.
        """
        step = int(STEP[index])
        colour = colour_step(self.model, step)
        self.desk.pace[:] = int(wanted_bytes * 2048), int(self.desk.paid.sum()), 0, 0, 0
        shared = self.model, self.search, self.work, self.desk
        polish_luma(*shared, step, step * step * worth >> 15, self.tuning.ways)
        polish_colour(*shared, colour, colour * colour * worth >> 15, self.tuning.ways)
        spent, moved = int(self.desk.pace[3]), int(self.desk.pace[4])
        return spent / 2048, worth + worth * moved // (spent * 256)

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
            said = self.plan(index)
            wanted = held(index + steps_between(said, PAYLOAD_BYTES, PLANNED))
            if abs(wanted - index) <= self.tuning.near_steps:
                break
            index = wanted
        return self._fitted(index, said)

    def _fitted(self, index: int, said: float) -> tuple[int, bytes]:
        """Polish a plan to the largest payload that fits."""
        standard = worth = self.tuning.lambda_1024ths << 5
        wanted, best, best_index = float(PAYLOAD_BYTES - SPARE_BYTES), b"", index
        for passes in range(self.tuning.polishes):
            index, worth = balanced(index, worth, said / wanted, standard)
            said, worth = self.polish(index, worth, wanted)
            payload = self.written(index)
            if len(best) < len(payload) <= PAYLOAD_BYTES:
                best, best_index = payload, index
            if PAYLOAD_BYTES - NEAR_BYTES <= len(payload) <= PAYLOAD_BYTES:
                break
            wanted = PAYLOAD_BYTES - SPARE_BYTES - passes + said - len(payload)
        while not best and index < PLAIN_STEP:
            index = min(PLAIN_STEP, index + 2 + max(0, steps_between(len(payload), PAYLOAD_BYTES, PLANNED)))
            if index < PLAIN_STEP:
                self.plan(index)
                payload = self.written(index)
                best, best_index = (payload, index) if len(payload) <= PAYLOAD_BYTES else (b"", PLAIN_STEP)
        return (best_index, best) if best else (PLAIN_STEP, b"")


def held(index: int) -> int:
    """A step index held within those that have levels."""
    return min(PLAIN_STEP - 1, max(0, index))


def steps_between(size_bytes: float, wanted_bytes: float, power_256ths: int) -> int:
    """How many steps coarser a stream must become to have another size, if sizes fall with that power of steps."""
    octaves_256ths = log2_256ths(round(size_bytes * 16) + 1) - log2_256ths(round(wanted_bytes * 16) + 1)
    return round(octaves_256ths * STEPS_PER_OCTAVE / power_256ths)


def balanced(index: int, worth: int, share: float, standard: int) -> tuple[int, int]:
    """The step index and worth of a bit, near the standard one, that make 1 of a size that is `share` of the wanted."""
    share *= 1 + WORTH_POWER * (worth / standard - 1)  # at the standard worth
    moved = held(index + steps_between(1024 * share, 1024, POLISHED))
    share *= 1 - (moved - index) * POLISHED * LOG_2 / (256 * STEPS_PER_OCTAVE)
    return moved, round(standard * (1 + min(0.25, max(-0.25, (share - 1) / WORTH_POWER))))


def colour_step(model: Model, step: int) -> int:
    """The step of the colour planes where luma has `step`."""
    return max(1, step * int(model.colour_step[0]) >> 6)


def first_index(difference_sum: int) -> int:
    """The step index a picture is likely to need, from `variation` of its luma (in eighths)."""
    return held(log2_256ths((difference_sum >> 3) + 1) * 383 // 2560 - 610)
