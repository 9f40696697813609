"""Ways to spoil the portrait of a good application."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from random import Random

import numpy as np
import simplejpeg
from msgspec.structs import replace
from PIL import Image

from sims.faces import DENSITY_DPI, HEIGHT_PX, WIDTH_PX, Pixels, encode, with_density
from sims.spoiled_text import Spoil

REFUSED_FROM_BYTES = 100_000  # a KB is 1,000 bytes

_QUALITY = 78
_WHITE_FROM = 225  # a pixel at least so light in all three colours counts as background


def with_portrait(spoil: Callable[[bytes, Random], bytes]) -> Spoil:
    """Give the spoil of an application that spoils its portrait's bytes."""
    return lambda good, _, rng: replace(good, portrait=spoil(good.portrait, rng))


def missing(jpeg: bytes, rng: Random) -> bytes:
    """Give nothing."""
    return b""


def not_jpeg(jpeg: bytes, rng: Random) -> bytes:
    """Give the same picture as PNG, small."""
    return _saved(Image.fromarray(_pixels(jpeg)[::4, ::4]), "PNG")


def wrong_size(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture some pixels narrower or lower."""
    pixels = _pixels(jpeg)
    rows, columns = rng.choice(((HEIGHT_PX - 1, WIDTH_PX), (HEIGHT_PX, WIDTH_PX - 2), (400, 300)))
    return encode(np.ascontiguousarray(pixels[:rows, :columns]), _QUALITY)


def grey(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture with one component."""
    return with_density(simplejpeg.encode_jpeg(simplejpeg.decode_jpeg(jpeg, "GRAY"), _QUALITY, "GRAY", "Gray"))


def four_colours(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture with the four components of a printer."""
    return _saved(Image.fromarray(_pixels(jpeg)).convert("CMYK"), "JPEG")


def progressive(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture in several scans."""
    return _saved(Image.fromarray(_pixels(jpeg)), "JPEG", progressive=True)


def truncated(jpeg: bytes, rng: Random) -> bytes:
    """Give the first part of the file."""
    return jpeg[: int(len(jpeg) * rng.uniform(0.3, 0.9))]


def no_end_marker(jpeg: bytes, rng: Random) -> bytes:
    """Give all but the last two bytes, the end-of-image marker."""
    return jpeg[:-2]


def too_long(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture with coarse grain at a quality that makes more than 100 KB of it."""
    noise = np.random.Generator(np.random.PCG64(rng.getrandbits(64))).integers(-40, 41, (HEIGHT_PX, WIDTH_PX, 3))
    pixels = (_pixels(jpeg).astype(np.int16) + noise).clip(0, 255).astype(np.uint8)
    return encode(pixels, 95)


def blank(jpeg: bytes, rng: Random) -> bytes:
    """Give white paper."""
    return encode(np.full((HEIGHT_PX, WIDTH_PX, 3), rng.randint(250, 255), np.uint8), _QUALITY)


def dark_background(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture before a wall of one dark colour."""
    return _before(jpeg, np.array([rng.randint(60, 110), rng.randint(90, 140), rng.randint(140, 185)], np.uint8))


def uneven_background(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture before a wall that is white on one side and in shadow on the other."""
    columns = np.linspace(255, rng.randint(148, 158), WIDTH_PX).astype(np.uint8)
    return _before(jpeg, np.broadcast_to(columns[None, :, None], (HEIGHT_PX, WIDTH_PX, 3)))


def no_density(jpeg: bytes, rng: Random) -> bytes:
    """Give the file with a header that states no resolution."""
    return jpeg[:13] + b"\x00\x00\x01\x00\x01" + jpeg[18:]


def _before(jpeg: bytes, wall: Pixels) -> bytes:
    """Give the picture with `wall` (broadcast over rows, columns, 3) where it is white."""
    pixels = _pixels(jpeg)
    white = (pixels >= _WHITE_FROM).all(axis=2, keepdims=True)
    return encode(np.where(white, wall, pixels), _QUALITY)


def _pixels(jpeg: bytes) -> Pixels:
    """Give the pixels: rows, columns, 3."""
    pixels: Pixels = simplejpeg.decode_jpeg(jpeg, "RGB")
    return pixels


def _saved(image: Image.Image, kind: str, **options: bool) -> bytes:
    """Give the picture as Pillow writes it."""
    out = BytesIO()
    image.save(out, kind, dpi=(DENSITY_DPI, DENSITY_DPI), **options)
    return out.getvalue()
