"""The portrait as a picture: what the measures of its decoded grey pixels say (DOMAIN.md 3, 11.12).

The caller decodes, and only a portrait whose header was not refused.  Hard rules refuse (blank) or hold (background);
everything else is a note.  No face detector is used: the place of the head is that of the silhouette against the white
background, with bounds wide enough for every hair-dress.  The bounds of exposure, sharpness and place were set on 1,014
public-domain and generated portraits so that none of them is flagged, and a Gaussian blur of 3 px always is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from controller.checks.errors import KernelError
from controller.checks.finding import FINDINGS, Finding
from controller.checks.pixel_bounds import (
    BORDER_PX,
    CENTRE,
    CORNER_PX,
    EDGE,
    FACE,
    FACE_END_PX,
    FACE_LEFT_PX,
    FACE_RIGHT_PX,
    FACE_TOP_PX,
    FIGURES,
    LEFT,
    NOBODY,
    RANGE,
    RIGHT,
    RUN_PX,
    SQUARES,
    STRONG,
    WIDTH,
)
from controller.checks.pixel_twin import Grey, measure_twin
from controller.checks.portrait import HEIGHT_PX, WIDTH_PX

BACKGROUND_FLOOR = 200.0  # least mean of the corners
BACKGROUND_SPREAD = 40.0
BLANK_RANGE = 25.0  # a picture whose runs of pixels differ less than this shows nobody; faces have 100 and more
BORDER_STEP = 40.0  # how much darker than the background an edge is to count as a border
DARK_FACE, LIGHT_FACE = 50.0, 228.0
STRONG_SHARE = 0.02  # a sharp face has a strong Laplacian in this share of its pixels
HEAD_MIN_PX, CENTRE_SLACK_PX = 150, 39

_CORNER_SIZE = CORNER_PX * CORNER_PX
_EDGE_SIZE = CORNER_PX * BORDER_PX
_FACE_SIZE = (FACE_END_PX - FACE_TOP_PX) * (FACE_RIGHT_PX - FACE_LEFT_PX)
_MIDDLE_SIZE = (FACE_END_PX - FACE_TOP_PX - 2) * (FACE_RIGHT_PX - FACE_LEFT_PX - 2)


def check_pixels(grey: Grey | None) -> list[Finding]:
    """Give what a portrait's pixels show.

    Args:
        grey: uint8, shape (441, 358), luma as decoded; None when the decoder refused the file, its warnings counted
            as errors: then the file is damaged.
    Raises: ValueError: another shape or dtype.
    Cost: 50 us, nearly all of it without the GIL; the first call of a process loads the kernel.
    """
    if grey is None:
        return [FINDINGS["portrait.damaged"]]
    return list(_findings(measures(grey)))


def measures(grey: Grey) -> list[int]:
    """Give the FIGURES of a portrait, in the order of `pixel_bounds`.  Raises: ValueError: another shape or dtype."""
    if grey.shape != (HEIGHT_PX, WIDTH_PX) or grey.dtype != np.uint8:
        raise ValueError(f"grey pixels of {HEIGHT_PX} rows and {WIDTH_PX} columns, 8 bit, are needed")
    # numba takes half a second to import, which most of the commands that import the checks never need
    from controller.checks.pixel_kernel import measure

    figures = np.empty(FIGURES, np.int64)
    measure(np.require(grey, requirements=("C", "W")), figures, np.zeros((2, 255 * RUN_PX + 1), np.uint16))
    found: list[int] = figures.tolist()
    return found


def warm_up() -> None:
    """Load or compile the kernel and compare it with its twin, before anything waits for it.  Raises: KernelError."""
    rows, columns = np.ogrid[:HEIGHT_PX, :WIDTH_PX]
    drawn = (rows * 7 + columns * columns) % 256
    drawn[: 2 * CORNER_PX] = 255 - drawn[: 2 * CORNER_PX] % 64  # light enough above for a crown to be looked for
    picture = drawn.astype(np.uint8)
    if measures(picture) != measure_twin(picture).tolist():
        raise KernelError


def background(grey: Grey) -> tuple[float, float]:
    """Give mean and spread, in grey levels, of the two top corners.

    The spread is the larger of the standard deviation over both and the difference of their means, so that a light
    that falls from one side counts as uneven.
    """
    return _background(measures(grey))


def _findings(figures: Sequence[int]) -> Iterator[Finding]:
    if figures[RANGE] / RUN_PX < BLANK_RANGE:
        yield FINDINGS["portrait.blank"]
        return
    mean, spread = _background(figures)
    if mean < BACKGROUND_FLOOR or spread > BACKGROUND_SPREAD:
        yield FINDINGS["portrait.background"]
    else:
        if figures[EDGE] / _EDGE_SIZE < mean - BORDER_STEP:
            yield FINDINGS["portrait.border"]
        if _is_misplaced(figures[CENTRE], figures[WIDTH]):
            yield FINDINGS["portrait.position"]
    if not DARK_FACE <= figures[FACE] / _FACE_SIZE <= LIGHT_FACE:
        yield FINDINGS["portrait.exposure"]
    if figures[STRONG] < STRONG_SHARE * _MIDDLE_SIZE:
        yield FINDINGS["portrait.sharpness"]


def _background(figures: Sequence[int]) -> tuple[float, float]:
    count = 2 * _CORNER_SIZE
    mean = (figures[LEFT] + figures[RIGHT]) / count
    deviation = math.sqrt(max(0.0, figures[SQUARES] / count - mean * mean))
    return mean, max(deviation, abs(figures[LEFT] - figures[RIGHT]) / _CORNER_SIZE)


def _is_misplaced(twice_sum: int, twice_width: int) -> bool:
    """Say whether the head stands far from the middle, far below the edge, or is far too narrow."""
    if twice_sum == NOBODY:
        return True
    return abs(twice_sum / 4 - (WIDTH_PX - 1) / 2) > CENTRE_SLACK_PX or twice_width / 2 < HEAD_MIN_PX
