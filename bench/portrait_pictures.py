"""Training pictures: read, jittered, and passed through what a real camera desk does to them."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.photo import prepare

Pixels = NDArray[np.uint8]

OWN_PICTURES: Final = Path(__file__).resolve().parents[1] / "sims/portraits"  # of people who do not exist
DEV_PICTURES: Final = OWN_PICTURES.parents[2] / "shared/portraits/dev"  # of people never trained on, beside a checkout

PHOTO_PX: Final = (358, 441)
FILE_BYTES: Final = (14_000, 20_000)  # what an upstream system sends


def paths_in(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".jpg")


def as_sent(photo: Image.Image, chance: np.random.Generator) -> bytes:
    """A photo as JPEG of 14 to 20 KB: the quality whose file comes near a size drawn by chance."""
    wanted, low, high = int(chance.integers(*FILE_BYTES)), 40, 96
    while high - low > 2:
        middle = (low + high) // 2
        low, high = (middle, high) if len(file_of(photo, middle)) <= wanted else (low, middle)
    return file_of(photo, low)


def file_of(photo: Image.Image, quality: int) -> bytes:
    """A photo as baseline JPEG."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return file.getvalue()


def jittered(photo: Image.Image, chance: np.random.Generator) -> Image.Image:
    """A photo moved by up to 12 pixels, turned by up to 2 degrees, scaled by up to 6 %, its light changed a little."""
    turn, scale = np.deg2rad(chance.uniform(-2, 2)), 1 / chance.uniform(0.94, 1.06)
    across, down = chance.uniform(-12, 12, 2)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    middle_x, middle_y = PHOTO_PX[0] / 2, PHOTO_PX[1] / 2
    matrix = (
        cosine,
        -sine,
        middle_x - cosine * middle_x + sine * middle_y + across,
        sine,
        cosine,
        middle_y - sine * middle_x - cosine * middle_y + down,
    )
    moved = photo.transform(PHOTO_PX, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=(254,) * 3)
    gamma = chance.uniform(0.9, 1.12)
    curve = [round(255 * (light / 255) ** gamma) for light in range(256)]
    return moved.point(curve * 3)


def views(path: Path, seed: int, extra: int) -> Iterator[Pixels]:
    """A picture at chip size as it is, and `extra` jittered views of it; every other one mirrored."""
    chance = np.random.default_rng([seed, *path.name.encode()])
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    for number in range(1 + extra):
        view = photo if number == 0 else jittered(photo, chance)
        if number % 2:
            view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        yield prepare(as_sent(view, chance))
