"""The look at a portrait as `pixel_kernel.measure` does it, in plain numpy, to be read and compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from controller.checks.pixel_bounds import (
    BORDER_PX,
    CORNER_PX,
    CROWN_LEAST_PX,
    CROWN_MAX_PX,
    EDGE_PX,
    FACE_END_PX,
    FACE_LEFT_PX,
    FACE_RIGHT_PX,
    FACE_TOP_PX,
    FRAME_PX,
    HEAD_FROM_PX,
    HEAD_STEP_PX,
    HEAD_TO_PX,
    NOBODY,
    RUN_PX,
    SILHOUETTE_BELOW,
    STRONG_CURVE,
)

Grey = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]


def measure_twin(grey: Grey) -> Whole:
    """Give the figures of one portrait, shape (FIGURES,), in the order of `pixel_bounds`."""
    left, right = _corners(grey)
    face = grey[FACE_TOP_PX:FACE_END_PX, FACE_LEFT_PX:FACE_RIGHT_PX].astype(np.int64)
    figures = [
        _range_of_runs(grey),
        left.sum(),
        right.sum(),
        (left * left).sum() + (right * right).sum(),
        min(edge.sum(dtype=np.int64) for edge in _edges(grey)),
        face.sum(),
        np.count_nonzero(np.abs(_laplacian(face)) >= STRONG_CURVE),
        *_head(grey),
    ]
    return np.array(figures, np.int64)


def _range_of_runs(grey: Grey) -> int:
    inner = grey[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX]
    runs = inner.shape[1] // RUN_PX
    sampled = inner[RUN_PX // 2 :: RUN_PX, : runs * RUN_PX].reshape(-1, RUN_PX)
    sums = np.sort(sampled.sum(axis=1, dtype=np.int64))
    return int(sums[sums.size * 95 // 100] - sums[sums.size * 5 // 100])


def _corners(grey: Grey) -> tuple[Whole, Whole]:
    rows = slice(EDGE_PX, EDGE_PX + CORNER_PX)
    left, right = grey[rows, EDGE_PX : EDGE_PX + CORNER_PX], grey[rows, -EDGE_PX - CORNER_PX : -EDGE_PX]
    return left.astype(np.int64), right.astype(np.int64)


def _edges(grey: Grey) -> Iterator[Grey]:
    """Give the outermost pixels above and beside the two corners."""
    along = slice(EDGE_PX, EDGE_PX + CORNER_PX)
    yield grey[:BORDER_PX, along]
    yield grey[:BORDER_PX, ::-1][:, along]
    yield grey[along, :BORDER_PX]
    yield grey[along, -BORDER_PX:]


def _laplacian(face: Whole) -> Whole:
    return 4 * face[1:-1, 1:-1] - face[:-2, 1:-1] - face[2:, 1:-1] - face[1:-1, :-2] - face[1:-1, 2:]


def _head(grey: Grey) -> tuple[int, int]:
    """Give twice the medians of the sum and of the distance of the head's two sides."""
    dark = grey[: CROWN_MAX_PX + 1, FACE_LEFT_PX:FACE_RIGHT_PX] < SILHOUETTE_BELOW
    [crowns] = np.nonzero(dark.sum(axis=1) >= CROWN_LEAST_PX)
    if not crowns.size:
        return NOBODY, NOBODY
    head = grey[crowns[0] + HEAD_FROM_PX : crowns[0] + HEAD_TO_PX : HEAD_STEP_PX] < SILHOUETTE_BELOW
    head = head[head.any(axis=1)]
    if not len(head):
        return NOBODY, NOBODY
    left, right = head.argmax(axis=1), grey.shape[1] - 1 - head[:, ::-1].argmax(axis=1)
    return int(2 * np.median(left + right)), int(2 * np.median(right - left))
