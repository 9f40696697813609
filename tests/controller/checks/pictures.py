"""Portraits that are wrong in one way, made by changing the bytes or the pixels of the good one."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.controller.checks.samples import jpeg, pixels, portrait


def marker(code: int, picture: bytes | None = None) -> int:
    """Give where a marker stands in the good portrait."""
    return (picture or portrait()).index(bytes([0xFF, code]))


def patched(at: int, value: bytes, picture: bytes | None = None) -> bytes:
    """Give the good portrait with some bytes replaced."""
    whole = picture or portrait()
    return whole[:at] + value + whole[at + len(value) :]


def without_segment(code: int) -> bytes:
    """Give the good portrait without the first segment of a marker."""
    whole, at = portrait(), marker(code)
    return whole[:at] + whole[at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big") :]


def short_scan(size_bytes: int) -> bytes:
    """Give the good portrait with so many entropy-coded bytes only, yet with an end marker."""
    whole, scan = portrait(), marker(0xDA)
    start = scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4], "big")
    return whole[: start + size_bytes] + b"\xff\xd9"


def in_mode(mode: str) -> bytes:
    """Give the portrait in another colour mode."""
    out = io.BytesIO()
    Image.fromarray(pixels()).convert(mode).save(out, "JPEG", quality=70, dpi=(350, 350))
    return out.getvalue()


def as_png() -> bytes:
    """Give the portrait in another format."""
    out = io.BytesIO()
    Image.fromarray(pixels()).resize((120, 148)).save(out, "PNG")
    return out.getvalue()


def noisy(spread: float) -> np.ndarray:
    """Give the portrait's pixels under noise, which makes large files."""
    noise = np.random.default_rng(3).normal(0, spread, pixels().shape)
    return (pixels() + noise).clip(0, 255).astype(np.uint8)


def with_comment(size_bytes: int, picture: bytes | None = None) -> bytes:
    """Give a picture, the good portrait by default, made larger by comment segments."""
    whole, filling = picture or portrait(), b""
    while size_bytes > 0:
        part = min(size_bytes, 60_000)
        filling += b"\xff\xfe" + (part + 2).to_bytes(2, "big") + b"." * part
        size_bytes -= part
    return whole[:2] + filling + whole[2:]


def resized(width_px: int, height_px: int) -> bytes:
    """Give the portrait in another size."""
    return jpeg(np.asarray(Image.fromarray(pixels()).resize((width_px, height_px))))


WRONG_FILES: dict[str, bytes] = {
    "portrait.missing": b"",
    "portrait.not_jpeg": as_png(),
    "portrait.damaged": without_segment(0xDB),
    "portrait.truncated": portrait()[:-2],
    "portrait.dimensions": resized(350, 441),
    "portrait.not_baseline": jpeg(progressive=True),
    "portrait.sample_depth": patched(marker(0xC0) + 4, b"\x0c"),
    "portrait.components": in_mode("L"),
    "portrait.too_large": with_comment(85_000),
    "portrait.large_file": with_comment(25_000),
    "portrait.small_file": jpeg(np.asarray(Image.fromarray(pixels()).resize((60, 74)).resize((358, 441)))),
    "portrait.density": jpeg(dpi=(300, 300)),
    "portrait.quality": jpeg(quality=50),
    "portrait.trailing_bytes": portrait() + b"\0" * 9,
}


def grey() -> np.ndarray:
    """Give the good portrait's luma, uint8 (441, 358)."""
    return np.asarray(Image.fromarray(pixels()).convert("L"))


def _toned(slope: float, offset: float) -> np.ndarray:
    """Change the light on the person but not the background."""
    person = grey() < 250
    return np.where(person, (grey() * slope + offset).clip(0, 255), grey()).astype(np.uint8)


def _framed() -> np.ndarray:
    framed = grey().copy()
    framed[:4], framed[-4:], framed[:, :4], framed[:, -4:] = 20, 20, 20, 20
    return framed


def _shifted(columns: int) -> np.ndarray:
    shifted = np.full_like(grey(), 254)
    shifted[:, columns:] = grey()[:, :-columns]
    return shifted


def _blurred() -> np.ndarray:
    blocks = Image.fromarray(grey()).resize((36, 44), Image.Resampling.BOX)
    return np.asarray(blocks.resize((358, 441), Image.Resampling.BICUBIC))


WRONG_PIXELS: dict[str, np.ndarray | None] = {
    "portrait.damaged": None,
    "portrait.blank": np.full((441, 358), 252, np.uint8),
    "portrait.background": np.where(grey() > 250, 180, grey()).astype(np.uint8),
    "portrait.border": _framed(),
    "portrait.exposure": _toned(0.15, 0),
    "portrait.sharpness": _blurred(),
    "portrait.position": _shifted(60),
}
