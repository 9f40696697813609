"""The wall behind a person made even: gently, in whole numbers, and never the person."""

import numpy as np
from numpy.typing import NDArray

from encoders.background_kernel import flatten
from encoders.background_twin import flattened_twin
from encoders.codec.tables import HEIGHT_PX, WIDTH_PX
from encoders.photo import Pixels, PortraitError


def flattened(pixels: NDArray[np.uint8]) -> Pixels:
    """The picture with what hangs together with its upper border brought nearer to that border's median colour.

    No colour of a pixel changes by more than 12 levels; nothing changes inside the ellipse where the standard puts
    the face, nor within 2 pixels of anything that is no background, and over the next 6 the change only grows to its
    whole strength.  A picture with a dark wall, or with hardly any, comes back as it is.

    Args:
        pixels: uint8[126, 102, 3], RGB, as `portrait.prepare` gives them; they are not changed.
    Raises: PortraitError: portrait.shape.
    Cost: 0.2 ms, nearly all without the GIL; the same bytes on every machine.
    """
    if pixels.shape != (HEIGHT_PX, WIDTH_PX, 3) or pixels.dtype != np.uint8:
        wanted = f"uint8 ({HEIGHT_PX}, {WIDTH_PX}, 3)"
        raise PortraitError("portrait.shape", f"pixels are {pixels.dtype} {pixels.shape}, not {wanted}")
    flat: Pixels = np.array(pixels, order="C")
    flatten(flat, np.empty(3, np.uint8), np.empty((HEIGHT_PX, WIDTH_PX), np.int32), np.empty(flat.size, np.int32))
    return flat


def warm_up() -> None:
    """Load or compile the kernel and compare it with its twin.  Raises: PortraitError: portrait.self_test."""
    rows, columns = np.indices((HEIGHT_PX, WIDTH_PX))
    wall = 225 + rows // 21 + columns // 17 + (rows * 7 + columns * 5) % 4  # uneven, and somebody before it
    wall[(2 * columns - WIDTH_PX) ** 2 + (rows - 80) ** 2 < 70**2] = 90
    picture = np.stack([wall, wall - 3, wall + 2], axis=-1).astype(np.uint8)
    if not np.array_equal(flattened(picture), flattened_twin(picture)):
        raise PortraitError("portrait.self_test", "background flattening gives other pixels than it must")
