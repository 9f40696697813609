"""The arrays one portrait needs while it is coded or decoded; one for each call, so threads share nothing."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.entropy import BINS
from encoders.codec.search import SCRATCH_BLOCKS
from encoders.codec.tables import CHROMA, CHROMA_SHAPE, LINE_PX, LUMA, LUMA_SHAPE, MODES

Numbers = NDArray[np.int32]

LUMA_PLANE, BLUE_PLANE, RED_PLANE = range(3)
STREAM_BYTES: Final = 4096  # room for a stream that turns out too long, for the search to know how much


class Plane:
    """One plane: its `field` of pixel layers, its `plan` of modes and splits, and its kind (see `tables`)."""

    __slots__ = ("field", "kind", "plan")

    def __init__(self, kind: int) -> None:
        rows, columns = LUMA_SHAPE if kind == LUMA else CHROMA_SHAPE
        self.kind = kind
        self.field: Numbers = np.zeros((4, rows, columns), np.int32)
        self.plan: Numbers = np.zeros((3, rows // 4, columns // 4), np.int32)


class Workspace:
    """Three planes and the kernels' scratch; about 0.7 MB."""

    __slots__ = ("bins", "blocks", "line", "planes", "ranks", "stream")

    def __init__(self) -> None:
        self.planes = (Plane(LUMA), Plane(CHROMA), Plane(CHROMA))
        self.blocks: Numbers = np.zeros((SCRATCH_BLOCKS, 8, 8), np.int32)
        self.line: Numbers = np.zeros(LINE_PX, np.int32)
        self.ranks: Numbers = np.zeros(MODES, np.int32)
        self.bins: Numbers = np.empty(BINS, np.int32)
        self.stream: NDArray[np.uint8] = np.empty(STREAM_BYTES, np.uint8)
