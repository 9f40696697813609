"""Ways to spoil the portrait of a good application."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from random import Random

import numpy as np
import simplejpeg
from msgspec.structs import replace
from PIL import Image, ImageFilter

from sims.faces import DENSITY_DPI, HEIGHT_PX, WIDTH_PX, Pixels, encode, with_density
from sims.spoiled_text import Spoil

SMALL_BELOW_BYTES = 10_000  # a KB is 1,000 bytes

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


def too_small(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture so smooth that it takes less than 10 KB."""
    image, radius = Image.fromarray(_pixels(jpeg)), 0.0
    smooth = jpeg
    while len(smooth) >= SMALL_BELOW_BYTES:
        radius += 0.7
        smooth = _saved(image.filter(ImageFilter.GaussianBlur(radius)), "JPEG")
    return smooth


def large(jpeg: bytes, rng: Random) -> bytes:
    """Give the file with so long a comment that it takes 50 to 90 KB."""
    comment = bytes(rng.randint(50_000, 60_000) - 2)
    return jpeg[:20] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + jpeg[20:]


def too_fine(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture at a quality over 95."""
    return encode(_pixels(jpeg), rng.choice((97, 98)))


def too_coarse(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture at a quality under 60."""
    return encode(_pixels(jpeg), rng.randint(25, 55))


def bordered(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture with a dark line around it."""
    pixels, wide = _pixels(jpeg).copy(), rng.randint(2, 6)
    inner = pixels[wide:-wide, wide:-wide].copy()
    pixels[:] = rng.randint(0, 80)
    pixels[wide:-wide, wide:-wide] = inner
    return encode(pixels, _QUALITY)


def blurred(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture out of focus."""
    return _saved(Image.fromarray(_pixels(jpeg)).filter(ImageFilter.GaussianBlur(rng.uniform(5, 8))), "JPEG")


def far_away(jpeg: bytes, rng: Random) -> bytes:
    """Give the picture of somebody who stood too far from the camera."""
    share = rng.uniform(0.4, 0.5)
    person = Image.fromarray(_pixels(jpeg)).resize((round(WIDTH_PX * share), round(HEIGHT_PX * share)))
    wall = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (254, 254, 254))
    wall.paste(person, ((WIDTH_PX - person.width) // 2, HEIGHT_PX - person.height))
    return encode(np.asarray(wall).copy(), _QUALITY)


def extended(jpeg: bytes, rng: Random) -> bytes:
    """Give the file with a start-of-frame marker that is not baseline: extended, lossless or arithmetic."""
    return _in_frame(jpeg, lambda at: (at - 1, bytes([rng.choice((0xC1, 0xC3, 0xC9, 0xCA))])))


def twelve_bits(jpeg: bytes, rng: Random) -> bytes:
    """Give the file with a header that claims 12 bits a sample."""
    return _in_frame(jpeg, lambda at: (at + 2, b"\x0c"))


def huge_claim(jpeg: bytes, rng: Random) -> bytes:
    """Give the file with a header that claims 65,500 pixels a side."""
    return _in_frame(jpeg, lambda at: (at + 3, b"\xff\xdc\xff\xdc"))


def no_picture(jpeg: bytes, rng: Random) -> bytes:
    """Give bytes that are no picture at all, as long as one."""
    return rng.randbytes(len(jpeg))


def all_dark(jpeg: bytes, rng: Random) -> bytes:
    """Give a picture of one dark or middle tone: nobody is on it."""
    return encode(np.full((HEIGHT_PX, WIDTH_PX, 3), rng.randint(0, 190), np.uint8), _QUALITY)


def _in_frame(jpeg: bytes, change: Callable[[int], tuple[int, bytes]]) -> bytes:
    """Give the file with some bytes of its baseline frame header replaced; `change` is told where it begins."""
    at, new = change(jpeg.index(b"\xff\xc0\x00\x11") + 2)
    return jpeg[:at] + new + jpeg[at + len(new) :]


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
