"""Bombs: small frames and small pictures that claim to be large, deep or long."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import simplejpeg
from PIL import Image

from sims.faces import FaceSource

HUGE_PX = 65_500
FLAT_PX = 9_000
EMPTY_ARRAYS = 3_900_000  # one byte each on the wire, 56 or more in memory
EMPTY_ARGUMENTS = 900_000
FRAME_HEAD = b"\xff\xc0"  # SOF0: baseline


def msgpack_bombs() -> dict[str, bytes]:
    """Give frames by what they are; a door reads none of them."""
    many = struct.pack(">I", EMPTY_ARRAYS)
    return {
        "array that lies": b"\xdd\xff\xff\xff\xff",
        "map that lies": b"\x81\xa4type\xdf\xff\xff\xff\xff",
        "bytes that lie": b"\xc6\xff\xff\xff\xff\x00",
        "nested": b"\x91" * 1_000_000,
        "nested maps": b"\x81\xa1a" * 300_000,
        "empty arrays": b"\xdd" + many + b"\x90" * EMPTY_ARRAYS,
        "chunk of empty arrays": b"\x82\xa4type\xa5chunk\xacapplications\xdd" + many + b"\x90" * EMPTY_ARRAYS,
        "extension": b"\x81\xa4type\xc9\xff\xff\xff\xff\x05",
        "not a number": b"\x82\xa4type\xa5batch\xa5count\xcb\x7f\xf8" + bytes(6),
    }


def command_bomb() -> bytes:
    """Give a command, as long as one may be, whose argument is a list of empty lists."""
    args = b"\xdd" + struct.pack(">I", EMPTY_ARGUMENTS) + b"\x90" * EMPTY_ARGUMENTS
    return b"\x83\xa4type\xa7command\xa4verb\xa6status\xa4args\x81\xa1a" + args


@cache
def jpeg_bombs() -> dict[str, bytes]:
    """Give portraits by what they are; every one has to be refused before it is decoded whole."""
    good = FaceSource(1).portrait(0)
    return {
        "65,500 pixels each way": _resized(good, HUGE_PX),
        "flat": simplejpeg.encode_jpeg(
            np.zeros((FLAT_PX, FLAT_PX, 1), np.uint8), quality=1, colorspace="GRAY", colorsubsampling="Gray"
        ),
        "progressive": _progressive(good),
        "a thousand scans": good[:2] + good[2:-2] + _scan_of(good) * 1_000 + good[-2:],
        "no picture": b"\xff\xd8\xff\xd9",
        "comments": good[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * 2 + good[2:],
    }


def _resized(jpeg: bytes, side_px: int) -> bytes:
    """Give the same file with another size in its frame header."""
    at = jpeg.index(FRAME_HEAD) + 5
    return jpeg[:at] + struct.pack(">HH", side_px, side_px) + jpeg[at + 4 :]


def _scan_of(jpeg: bytes) -> bytes:
    return jpeg[jpeg.index(b"\xff\xda") : -2][:40]


def _progressive(jpeg: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(out, "JPEG", progressive=True)
    return out.getvalue()
