"""What becomes of one photo on its way to chip and film, with the figures that tell what each step costs."""

from dataclasses import dataclass
from io import BytesIO
from math import log10
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.background import flattened
from encoders.background_twin import background_mask, edge_levels
from encoders.face import PORTRAIT_BOX, SPECIMEN, Box, FaceJob
from encoders.face_proof import GAP_PX, PX_PER_MM, draw
from encoders.photo import Pixels, prepare
from encoders.portrait import decode, encode
from encoders.tone import IDENTITY, toned

LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Figures:
    """Sizes, differences in dB (None: not a bit differs) and mean levels of one photo's steps."""

    source_bytes: int
    flattened_psnr_rgb_db: float | None  # against the prepared picture
    flattened_px: int
    wall_deviation: float  # of the background's levels, mean of the colours; 0 where no background is found
    wall_deviation_flattened: float
    stream_bytes: int
    psnr_y_db: float | None  # decoded, against the picture that was encoded
    psnr_rgb_db: float | None
    prepared_psnr_y_db: float | None  # decoded, against the prepared picture
    printed_mean_level: float
    toned_mean_level: float


@dataclass(frozen=True, slots=True)
class Preparation:
    """The pictures of one photo's steps: the first as sent, three at chip size, two as on the film, with SPECIMEN."""

    source: Image.Image
    prepared: Pixels
    flat: Pixels
    decoded: Pixels
    printed: Image.Image
    printed_toned: Image.Image
    figures: Figures

    def __repr__(self) -> str:
        """The figures alone: the pictures are a person's."""
        return f"Preparation({self.figures!r}, …)"


def prepare_and_keep(jpeg: bytes, *, flatten: bool, tone: bytes) -> Preparation:
    """Every step of one photo.

    Args:
        jpeg: as `photo.prepare` takes it.
        flatten: whether the flattened picture is the one that is encoded; it is made in any case.
        tone: the table of the lots, or nothing.
    Raises: PortraitError: as `photo.prepare`.
    Cost: 0.2 s, most of it drawing and coding.
    """
    prepared = prepare(jpeg)
    flat = flattened(prepared)
    encoded = flat if flatten else prepared
    stream = encode(encoded)
    decoded = decode(stream)
    with Image.open(BytesIO(jpeg), formats=("JPEG",)) as photo:
        source = photo.convert("RGB")
    film = np.asarray(source)
    figures = Figures(
        source_bytes=len(jpeg),
        flattened_psnr_rgb_db=psnr_db(flat, prepared),
        flattened_px=int((flat != prepared).any(axis=2).sum()),
        wall_deviation=_wall_deviation(prepared, prepared),
        wall_deviation_flattened=_wall_deviation(flat, prepared),
        stream_bytes=len(stream),
        psnr_y_db=psnr_db(_luma(decoded), _luma(encoded)),
        psnr_rgb_db=psnr_db(decoded, encoded),
        prepared_psnr_y_db=psnr_db(_luma(decoded), _luma(prepared)),
        printed_mean_level=round(float(_luma(film).mean()), 1),
        toned_mean_level=round(float(_luma(toned(film, tone or IDENTITY)).mean()), 1),
    )
    return Preparation(source, prepared, flat, decoded, _on_film(jpeg, b""), _on_film(jpeg, tone), figures)


def psnr_db(one: NDArray[np.generic], other: NDArray[np.generic]) -> float | None:
    """The peak signal-to-noise ratio of two pictures in dB, to 0.01; None for equal ones."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return round(10 * log10(255**2 / error), 2) if error else None


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    luma: NDArray[np.float64] = pixels.astype(np.float64) @ np.array(LUMA)
    return luma


def _wall_deviation(pixels: Pixels, prepared: Pixels) -> float:
    """The standard deviation of the levels of what is background in the prepared picture."""
    wide = prepared.astype(np.int64)
    wall = pixels[background_mask(wide, edge_levels(wide))]
    return round(float(wall.std(axis=0).mean()), 2) if len(wall) else 0.0


def _on_film(jpeg: bytes, tone: bytes) -> Image.Image:
    """The portrait of a printed face, cut out of the proof of a face without texts."""
    box = PORTRAIT_BOX
    job = FaceJob((), (), "PROOF", SPECIMEN, mirrored=True, portrait_box=box, portrait=jpeg, tone=tone)
    proof = draw(job)
    return proof.crop(_place(box, (proof.width - GAP_PX) // 2 + GAP_PX))


def _place(box: Box, back_px: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box of the back in a proof."""
    left, top = back_px + round(box.x_mm * PX_PER_MM), round(box.y_mm * PX_PER_MM)
    return left, top, left + round(box.width_mm * PX_PER_MM), top + round(box.height_mm * PX_PER_MM)
