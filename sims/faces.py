"""Portraits of people who do not exist: sixty CC0 pictures, varied so that no two are equal."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import log
from pathlib import Path
from random import Random

import numpy as np
import simplejpeg
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

PORTRAITS = Path(__file__).parent / "portraits"
WIDTH_PX, HEIGHT_PX = 358, 441  # GA 461-2004; 26 x 32 mm
DENSITY_DPI = 350
USUAL_BYTES = (14_000, 20_000)  # what a normal picture has

_SHIFT_PX = 5  # the most a picture is moved to either side
_GRAIN = 3  # noise values 0 to 2
_TILE_PX = 64  # how much larger than a picture the noise is, so that its place can vary
_TRIES = 3
_LADDER = (60, 68, 76, 85, 94)  # qualities at which a source is measured; the standard's own is 70
_JFIF_350_DPI = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01" + DENSITY_DPI.to_bytes(2) * 2 + b"\x00\x00"


@dataclass(slots=True)
class Source:
    """One picture, with its edge pixels repeated around it, and how many bytes it takes at which quality."""

    pixels: Pixels
    sex: str
    log_bytes: list[float] | None = None


class FaceSource:
    """Gives the portrait of person `i`, always the same for a seed."""

    def __init__(self, seed: int, folder: Path = PORTRAITS) -> None:
        """Load the pictures of `folder/manifest.csv` and their mirror images: 60 MB, about 0.2 s."""
        self._seed = seed
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as table:
            self._sources = [
                source for row in csv.DictReader(table) for source in _load(folder / row["file"], row["sex"])
            ]
        self._by_sex = {sex: [s for s in self._sources if s.sex == sex] for sex in ("1", "2")}
        noise = np.random.Generator(np.random.PCG64(seed))
        self._noise = noise.integers(0, _GRAIN, (HEIGHT_PX + _TILE_PX, WIDTH_PX + _TILE_PX, 3), np.uint8)

    def portrait(self, i: int, sex: str = "") -> bytes:
        """Give a baseline 4:2:0 JPEG of 358 x 441 pixels at 350 dpi, 14 to 20 KB, on white.

        `sex` "1" or "2" takes only pictures of men or women.  Cost: 1.5 ms on one core.
        """
        rng = Random(f"portrait {self._seed} {i}")
        source = rng.choice(self._by_sex.get(sex) or self._sources)
        return self._fit(source, self._vary(source.pixels, rng), rng.uniform(14_600, 19_400))

    def _vary(self, padded: Pixels, rng: Random) -> Pixels:
        """Give the picture shifted, in another light, perhaps softened, and with grain."""
        top, left = rng.randint(0, 2 * _SHIFT_PX), rng.randint(0, 2 * _SHIFT_PX)
        view = padded[top : top + HEIGHT_PX, left : left + WIDTH_PX]
        lit = view.tobytes().translate(_light(rng.uniform(0.95, 1.05), rng.uniform(0.86, 1.1)))
        pixels = np.frombuffer(bytearray(lit), np.uint8).reshape(HEIGHT_PX, WIDTH_PX, 3)
        if rng.random() < 0.4:
            soften(pixels)
        y, x = rng.randrange(_TILE_PX), rng.randrange(_TILE_PX)
        pixels += self._noise[y : y + HEIGHT_PX, x : x + WIDTH_PX]  # the light leaves room above: no overflow
        return pixels

    def _fit(self, source: Source, pixels: Pixels, goal_bytes: float) -> bytes:
        """Give the JPEG nearest to `goal_bytes` that a few tries find."""
        if source.log_bytes is None:
            inner = np.ascontiguousarray(source.pixels[_SHIFT_PX:-_SHIFT_PX, _SHIFT_PX:-_SHIFT_PX])
            source.log_bytes = [log(len(encode(inner, quality))) for quality in _LADDER]
        aim = log(goal_bytes)
        for _ in range(_TRIES):
            quality = round(float(np.interp(aim, source.log_bytes, _LADDER)))
            jpeg = encode(pixels, quality)
            if USUAL_BYTES[0] <= len(jpeg) <= USUAL_BYTES[1]:
                break
            if quality == _LADDER[0] and len(jpeg) > USUAL_BYTES[1]:
                soften(pixels)  # too busy for the lowest quality we send
            aim += log(goal_bytes) - log(len(jpeg))
        return jpeg


def encode(pixels: Pixels, quality: int) -> bytes:
    """Give `pixels` (rows, columns, 3; contiguous) as a baseline 4:2:0 JPEG that states 350 dpi."""
    jpeg = simplejpeg.encode_jpeg(pixels, quality, "RGB", "420")
    return with_density(jpeg)


def with_density(jpeg: bytes) -> bytes:
    """Give a JFIF file with its density set to 350 dpi: the encoder writes none.

    Raises: ValueError: the file does not begin with a plain JFIF header.
    """
    if jpeg[:11] != _JFIF_350_DPI[:11] or jpeg[18:20] != b"\x00\x00":
        raise ValueError("no JFIF header of 18 bytes at the start")
    return _JFIF_350_DPI + jpeg[len(_JFIF_350_DPI) :]


def soften(pixels: Pixels) -> None:
    """Average each pixel with its right and lower neighbour, in place."""
    for here, there in ((pixels[:, :-1], pixels[:, 1:]), (pixels[:-1], pixels[1:])):
        here[...] = (here | there) - ((here ^ there) >> 1)  # the mean, rounded up, without leaving 8 bits


def _light(gain: float, gamma: float) -> bytes:
    """Give the table from a pixel value to the lit one, which leaves room for the grain."""
    values = 255 * gain * (np.arange(256) / 255) ** gamma
    return values.round().clip(0, 255 - (_GRAIN - 1)).astype(np.uint8).tobytes()


def _load(path: Path, sex: str) -> tuple[Source, Source]:
    """Give one picture of the folder and its mirror image, ready to be shifted."""
    pixels = simplejpeg.decode_jpeg(path.read_bytes(), "RGB")
    around = (_SHIFT_PX, _SHIFT_PX)
    padded = np.pad(pixels, (around, around, (0, 0)), mode="edge")
    return Source(padded, sex), Source(np.ascontiguousarray(padded[:, ::-1]), sex)
