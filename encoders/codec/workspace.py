"""The arrays one portrait needs while it is coded or decoded; one set for each call, so threads share nothing."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.contexts import FORMAT_PRIOR, Prior
from encoders.codec.tables import (
    CHROMA,
    CHROMA_SHAPE,
    DECODED,
    GUIDE,
    LINE_PX,
    LUMA,
    LUMA_SHAPE,
    MODES,
    SCRATCH_BLOCKS,
    chroma_step,
)

Numbers = NDArray[np.int32]

BINS: Final = 1 << 16  # room for a list of answers; a picture whose list is longer is far above 1,024 bytes
STREAM_BYTES: Final = 4096  # room for a stream that turns out too long, for the search to know by how much


class Plane:
    """One plane: its `field` of pixel layers, its `plan` of modes and splits, and its kind (see `tables`)."""

    __slots__ = ("field", "kind", "plan")

    def __init__(self, kind: int) -> None:
        rows, columns = LUMA_SHAPE if kind == LUMA else CHROMA_SHAPE
        self.kind = kind
        self.field: Numbers = np.zeros((4, rows, columns), np.int32)
        self.plan: Numbers = np.zeros((3, rows // 4, columns // 4), np.int32)

    def step(self, luma_step: int) -> int:
        """The step of this plane where luma has `luma_step`."""
        return luma_step if self.kind == LUMA else chroma_step(luma_step)

    @property
    def decoded(self) -> Numbers:
        """The decoded layer."""
        layer: Numbers = self.field[DECODED]
        return layer

    @property
    def guide(self) -> Numbers:
        """The layer a colour plane may follow: luma, decoded and halved."""
        layer: Numbers = self.field[GUIDE]
        return layer


class Workspace:
    """Three planes, what the coder knows beforehand, and the kernels' scratch; about 0.7 MB."""

    __slots__ = ("bins", "blocks", "blue", "line", "luma", "prior", "ranks", "red", "stream")

    def __init__(self, prior: Prior = FORMAT_PRIOR) -> None:
        self.luma, self.blue, self.red = Plane(LUMA), Plane(CHROMA), Plane(CHROMA)
        self.prior = prior
        self.blocks: Numbers = np.zeros((SCRATCH_BLOCKS, 8, 8), np.int32)
        self.line: Numbers = np.zeros(LINE_PX, np.int32)
        self.ranks: Numbers = np.zeros(MODES, np.int32)
        self.bins: Numbers = np.empty(BINS, np.int32)
        self.stream: NDArray[np.uint8] = np.empty(STREAM_BYTES, np.uint8)

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        """Luma, blue and red: the order of the stream."""
        return self.luma, self.blue, self.red
