"""The portrait as a picture: measures on its decoded grey pixels (DOMAIN.md 3, 11.12).

The caller decodes, and only a portrait whose header was not refused.  Hard rules refuse (blank) or hold (background);
everything else is a note.  No face detector is used: the place of the head is that of the silhouette against the white
background, with bounds wide enough for every hair-dress.  The bounds of exposure, sharpness and place were set on 1,014
public-domain and generated portraits so that none of them is flagged, and a Gaussian blur of 3 px always is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from controller.checks.finding import FINDINGS, Finding
from controller.checks.portrait import HEIGHT_PX, WIDTH_PX

Grey = npt.NDArray[np.uint8]

EDGE_PX = 8  # the outermost pixels may be a border, which is only a note
CORNER_PX = 24  # side of the two squares in which the background is measured; hair reaches into larger ones
BACKGROUND_FLOOR = 200.0  # least mean of the corners
BACKGROUND_SPREAD = 40.0
BLANK_RANGE = 25.0  # a picture whose runs of pixels differ less than this shows nobody; faces have 100 and more
RUN_PX = 8
FRAME_PX = 16  # the outermost pixels of a picture, in which nobody looks for a person
BORDER_PX = 2
BORDER_STEP = 40.0  # how much darker than the background an edge is to count as a border
FACE = (slice(130, 330), slice(100, 258))
DARK_FACE, LIGHT_FACE = 50.0, 228.0
STRONG_CURVE, STRONG_SHARE = 8, 0.02  # a sharp face has a Laplacian of this magnitude in this share of its pixels
SILHOUETTE_BELOW = 225
CROWN_MAX_PX, CROWN_LEAST_PX, HEAD_MIN_PX, CENTRE_SLACK_PX = 80, 16, 150, 39


def check_pixels(grey: Grey | None) -> list[Finding]:
    """Give what a portrait's pixels show.

    Args:
        grey: uint8, shape (441, 358), luma as decoded; None when the decoder refused the file, its warnings counted
            as errors: then the file is damaged.
    Raises: ValueError: another shape or dtype.
    """
    if grey is None:
        return [FINDINGS["portrait.damaged"]]
    if grey.shape != (HEIGHT_PX, WIDTH_PX) or grey.dtype != np.uint8:
        raise ValueError(f"grey pixels of {HEIGHT_PX} rows and {WIDTH_PX} columns, 8 bit, are needed")
    return list(_measure(grey))


def _measure(grey: Grey) -> Iterator[Finding]:
    if _range_of_runs(grey) < BLANK_RANGE:
        yield FINDINGS["portrait.blank"]
        return
    mean, spread = background(grey)
    if mean < BACKGROUND_FLOOR or spread > BACKGROUND_SPREAD:
        yield FINDINGS["portrait.background"]
    else:
        if _darkest_edge(grey) < mean - BORDER_STEP:
            yield FINDINGS["portrait.border"]
        if _is_misplaced(grey):
            yield FINDINGS["portrait.position"]
    face = grey[FACE].astype(np.int16)
    if not DARK_FACE <= int(face.sum(dtype=np.int32)) / face.size <= LIGHT_FACE:
        yield FINDINGS["portrait.exposure"]
    if _is_soft(face):
        yield FINDINGS["portrait.sharpness"]


def background(grey: Grey) -> tuple[float, float]:
    """Give mean and spread, in grey levels, of the two top corners.

    The spread is the larger of the standard deviation over both and the difference of their means, so that a light
    that falls from one side counts as uneven.
    """
    rows = slice(EDGE_PX, EDGE_PX + CORNER_PX)
    corners = (grey[rows, EDGE_PX : EDGE_PX + CORNER_PX], grey[rows, -EDGE_PX - CORNER_PX : -EDGE_PX])
    left, right = (corner.astype(np.float64).ravel() for corner in corners)
    sums = int(left.sum()), int(right.sum())  # whole numbers below 2**53 are exact, squares too
    squares = float(left @ left) + float(right @ right)
    count = left.size + right.size
    mean = sum(sums) / count
    deviation = math.sqrt(max(0.0, squares / count - mean * mean))
    return mean, max(deviation, abs(sums[0] - sums[1]) / left.size)


def _range_of_runs(grey: Grey) -> float:
    """Give the range between the 5th and 95th percentile of runs of 8 pixels: noise falls out, a person does not."""
    inner = grey[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX]  # an empty picture with a border is still empty
    runs = inner.shape[1] // RUN_PX
    sampled = inner[RUN_PX // 2 :: RUN_PX, : runs * RUN_PX].reshape(-1, RUN_PX)
    sums = np.sort(sampled.sum(axis=1, dtype=np.uint16))
    return float(sums[sums.size * 95 // 100] - sums[sums.size * 5 // 100]) / RUN_PX


def _darkest_edge(grey: Grey) -> float:
    """Give the least mean of the outermost pixels beside and above the two corners."""
    along = slice(EDGE_PX, EDGE_PX + CORNER_PX)
    edges = (
        grey[:BORDER_PX, along],
        grey[:BORDER_PX, ::-1][:, along],
        grey[along, :BORDER_PX],
        grey[along, -BORDER_PX:],
    )
    return min(int(edge.sum(dtype=np.uint32)) / edge.size for edge in edges)


def _is_misplaced(grey: Grey) -> bool:
    """Say whether the head stands far from the middle, far below the edge, or is far too narrow."""
    dark = (grey[: CROWN_MAX_PX + 1, FACE[1]] < SILHOUETTE_BELOW).view(np.uint8)
    crowns = dark.sum(axis=1, dtype=np.uint8) >= CROWN_LEAST_PX  # a row has fewer than 256 pixels
    crown = int(crowns.argmax())
    if not crowns[crown]:
        return True
    head = grey[crown + 30 : crown + 150 : 2] < SILHOUETTE_BELOW
    head = head[head.any(axis=1)]
    if not len(head):
        return True
    left, right = head.argmax(axis=1), WIDTH_PX - 1 - head[:, ::-1].argmax(axis=1)
    centre = _median(left + right) / 2
    return abs(centre - (WIDTH_PX - 1) / 2) > CENTRE_SLACK_PX or _median(right - left) < HEAD_MIN_PX


def _median(whole: npt.NDArray[np.intp]) -> float:
    """Give the median of some whole numbers, at least one; a quarter of the time that numpy's takes."""
    ordered = np.sort(whole)
    return (int(ordered[(ordered.size - 1) // 2]) + int(ordered[ordered.size // 2])) / 2


def _is_soft(face: npt.NDArray[np.int16]) -> bool:
    """Say whether nearly nowhere in the face the Laplacian is strong."""
    middle = face[1:-1, 1:-1]
    curves = (middle << 2) - face[:-2, 1:-1] - face[2:, 1:-1] - face[1:-1, :-2] - face[1:-1, 2:]
    return int(np.count_nonzero(np.abs(curves) >= STRONG_CURVE)) < STRONG_SHARE * curves.size
