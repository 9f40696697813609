"""A contact sheet: the same faces by every codec, one row each, as large as a person needs to judge them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]

SHEET_PICTURES = 8
ENLARGED = 2
WIDE_PX, HIGH_PX, MARGIN_PX, GAP_PX = 102 * ENLARGED, 126 * ENLARGED, 150, 4


def picked(pictures: int) -> list[int]:
    """Which of so many pictures a sheet shows: some, evenly spread."""
    return sorted({round(place) for place in np.linspace(0, pictures - 1, min(SHEET_PICTURES, pictures))})


def write_sheet(shown: Mapping[str, Mapping[int, Pixels]], captions: Mapping[str, str], file: Path) -> None:
    """A row of pictures for each codec, enlarged without smoothing, its name and caption on the left.

    `shown` holds pictures by name of the codec and number; a place without one stays white.
    """
    numbers = sorted({number for pictures in shown.values() for number in pictures})
    wide = MARGIN_PX + len(numbers) * (WIDE_PX + GAP_PX)
    sheet = Image.new("RGB", (wide, len(shown) * (HIGH_PX + GAP_PX)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(shown.items()):
        top = row * (HIGH_PX + GAP_PX)
        pen.multiline_text((6, top + HIGH_PX // 3), f"{name}\n{captions.get(name, '')}", fill="black", spacing=6)
        for column, number in enumerate(numbers):
            if number in pictures:
                image = Image.fromarray(pictures[number]).resize((WIDE_PX, HIGH_PX), Image.Resampling.NEAREST)
                sheet.paste(image, (MARGIN_PX + column * (WIDE_PX + GAP_PX), top))
    sheet.save(file)
