"""Portraits before and after the 1,024 bytes, side by side in one picture, SPECIMEN across every face.

Drawn from the upstream's own pictures, never by the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from math import atan2, degrees, hypot, log10
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from encoders import portrait
from encoders.face import SPECIMEN
from encoders.fonts.coverage import LATIN_FONT

Pixels = NDArray[np.uint8]

PORTRAITS = 24
COLUMNS = 6
ZOOM = 2
WIDTH_PX, HEIGHT_PX = 102 * ZOOM, 126 * ZOOM
PAIR_GAP_PX, CELL_GAP_PX, MARGIN_PX = 4, 20, 24
LABEL_PX, TITLE_PX = 24, 58
DESK, INK, SOFT = (236, 238, 241), (27, 36, 48), (93, 106, 122)
STAMP, STAMP_OPACITY = (200, 0, 0), 80  # of 255: the face below stays readable
LATIN_ADVANCE = 0.6  # of an em, the same for every sign of the Latin font


def write_portraits(pictures: Path, path: Path) -> int:
    """Draw the first pictures (`*.jpg`, by name) of a folder into a PNG; give how many there were.

    Raises: OSError: the folder cannot be read or the file not written; PortraitError: a picture cannot be coded.
    """
    jpegs = [one.read_bytes() for one in sorted(pictures.glob("*.jpg"))[:PORTRAITS]]
    draw_portraits(jpegs).save(path)
    return len(jpegs)


def draw_portraits(jpegs: Sequence[bytes]) -> Image.Image:
    """Give the sheet of pairs: left what goes in, right what 1,024 bytes give back, below bytes and PSNR.

    Raises: PortraitError: a picture cannot be coded.
    """
    rows = max(1, -(-len(jpegs) // COLUMNS))
    pair_px = 2 * WIDTH_PX + PAIR_GAP_PX
    size = (
        2 * MARGIN_PX + COLUMNS * pair_px + (COLUMNS - 1) * CELL_GAP_PX,
        2 * MARGIN_PX + TITLE_PX + rows * (HEIGHT_PX + LABEL_PX + CELL_GAP_PX) - CELL_GAP_PX,
    )
    sheet = Image.new("RGB", size, DESK)
    pen = ImageDraw.Draw(sheet)
    title = f"{len(jpegs)} portraits, each before (left) and after (right) at most 1,024 bytes"
    pen.text((MARGIN_PX, MARGIN_PX), title, INK, _font(24))
    pen.text((MARGIN_PX, MARGIN_PX + 30), "102 x 126 pixels, shown twice as large. No real person.", SOFT, _font(15))
    for place, jpeg in enumerate(jpegs):
        row, column = divmod(place, COLUMNS)
        x = MARGIN_PX + column * (pair_px + CELL_GAP_PX)
        y = MARGIN_PX + TITLE_PX + row * (HEIGHT_PX + LABEL_PX + CELL_GAP_PX)
        before = portrait.prepare(jpeg)
        coded = portrait.encode(before)
        after = portrait.decode(coded)
        sheet.paste(_stamped(before), (x, y))
        sheet.paste(_stamped(after), (x + WIDTH_PX + PAIR_GAP_PX, y))
        label = f"{place + 1:02d}  {len(coded):,} bytes  {psnr_db(before, after):.1f} dB"
        pen.text((x, y + HEIGHT_PX + 4), label, INK, _font(15))
    return sheet


def psnr_db(before: Pixels, after: Pixels) -> float:
    """Give the peak signal-to-noise ratio over all three colours in dB; infinite for equal pictures."""
    error = float(np.mean((before.astype(np.float64) - after) ** 2))
    return 10 * log10(255**2 / error) if error else float("inf")


def _stamped(pixels: Pixels) -> Image.Image:
    """Give the pixels enlarged, SPECIMEN along the diagonal."""
    picture = Image.fromarray(pixels).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC)
    picture.paste(STAMP, (0, 0), _stamp_mask())
    return picture


@lru_cache(maxsize=1)
def _stamp_mask() -> Image.Image:
    diagonal = hypot(WIDTH_PX, HEIGHT_PX)
    font = _font(round(0.86 * diagonal / (LATIN_ADVANCE * len(SPECIMEN))))
    layer = Image.new("L", (round(diagonal),) * 2, 0)
    middle = (diagonal / 2, diagonal / 2)
    ImageDraw.Draw(layer).text(middle, SPECIMEN, STAMP_OPACITY, font, anchor="mm", stroke_width=1)
    layer = layer.rotate(degrees(atan2(HEIGHT_PX, WIDTH_PX)), Image.Resampling.BICUBIC)
    left, top = (layer.width - WIDTH_PX) // 2, (layer.height - HEIGHT_PX) // 2
    return layer.crop((left, top, left + WIDTH_PX, top + HEIGHT_PX))


@lru_cache(maxsize=8)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(files("encoders.fonts").joinpath(LATIN_FONT)), size_px)
