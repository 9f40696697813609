"""Where a portrait is looked at, and from which grey level on something is seen there (DOMAIN.md 11.12).

Numba freezes these into the compiled kernel: change one, and touch `pixel_kernel.py`; the warm-up finds who forgot.
"""

from __future__ import annotations

EDGE_PX = 8  # the outermost pixels may be a border, which is only a note
CORNER_PX = 24  # side of the two squares in which the background is measured; hair reaches into larger ones
RUN_PX = 8
FRAME_PX = 16  # the outermost pixels of a picture, in which nobody looks for a person
BORDER_PX = 2
FACE_TOP_PX, FACE_END_PX, FACE_LEFT_PX, FACE_RIGHT_PX = 130, 330, 100, 258  # the ends are outside
STRONG_CURVE = 8  # least magnitude of a Laplacian that is counted
SILHOUETTE_BELOW = 225
CROWN_MAX_PX, CROWN_LEAST_PX = 80, 16  # the crown is the first row with so many dark pixels above the face
HEAD_FROM_PX, HEAD_TO_PX, HEAD_STEP_PX = 30, 150, 2  # rows below the crown in which the head's sides are looked for

# the places of the figures that kernel and twin give
RANGE, LEFT, RIGHT, SQUARES, EDGE, FACE, STRONG, CENTRE, WIDTH, FIGURES = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
NOBODY = -1  # of CENTRE and WIDTH, where no head was found
