"""How `FORMAT_PRIOR` was made: count the answers that portraits give, a tool for whoever makes a new format."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.codec.contexts import CONTEXTS, Prior, prior_of
from encoders.codec.rate import attempt, best_attempt, lay_source, listed
from encoders.codec.stream import Pixels
from encoders.codec.workspace import Workspace


def learned_table(pictures: Sequence[Pixels], rounds: int = 4) -> bytes:
    """The byte table for `prior_of` that suits `pictures`: it starts from ignorance and settles in four rounds."""
    table = bytes([128] * CONTEXTS)
    for _ in range(rounds):
        prior = prior_of(table)
        counts = sum((answers(picture, prior) for picture in pictures), np.zeros((CONTEXTS, 2), np.int64))
        ones = (counts[:, 1] + 0.4) / (counts.sum(axis=1) + 0.8)
        table = np.minimum(ones * 256, 255).astype(np.uint8).tobytes()
    return table


def answers(pixels: Pixels, prior: Prior) -> NDArray[np.int64]:
    """How often each context answers 0 and 1 in the stream of a picture: int64[CONTEXTS, 2]."""
    work = Workspace(prior)
    lay_source(work, pixels)
    attempt(work, best_attempt(work).step_index, fresh=False)
    count = max(0, listed(work))
    return np.bincount(work.bins[:count], minlength=2 * CONTEXTS).reshape(CONTEXTS, 2)
