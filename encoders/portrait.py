"""Portraits on the chip: a JPEG photo to 102x126 pixels, those to a stream of at most 1,024 bytes, and back.

The stream is Cardmill's own format, named by its first byte and described in docs/portrait-format.md.  It is not the
proprietary format of real cards: a reader that expects that one will not show it, and what such a card holds cannot be
shown here.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.codec.model import Frozen, frozen
from encoders.codec.pixels import PHOTO_HEIGHT_PX, PHOTO_WIDTH_PX
from encoders.codec.rate import HEADER_BYTES
from encoders.codec.stream import decode_stream, encode_stream
from encoders.codec.tables import HEIGHT_PX, MAX_STREAM_BYTES, VERSION, WIDTH_PX
from encoders.photo import Pixels, PortraitError, prepare, shrunk

__all__ = [
    "HEIGHT_PX",
    "MAX_STREAM_BYTES",
    "VERSION",
    "WIDTH_PX",
    "PortraitError",
    "decode",
    "encode",
    "encode_all",
    "prepare",
    "warm_up",
]

# SHA-256 of the golden portrait enlarged and shrunk again, its stream and the decoded pixels, one after another.
GOLDEN_SHA256: Final = "816ca242961e9c92d7d6202bdb4766971de0677616be5c401842ea367bca9757"


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """The stream of a picture, at most 1,024 bytes whatever it shows: noise ends up coarse, never too long.

    Args:
        pixels: uint8[126, 102, 3], RGB.
    Raises: PortraitError: portrait.shape, portrait.model.
    Cost: about 14 ms, nearly all without the GIL; the same bytes on every machine.
    """
    if pixels.shape != (HEIGHT_PX, WIDTH_PX, 3) or pixels.dtype != np.uint8:
        wanted = f"uint8 ({HEIGHT_PX}, {WIDTH_PX}, 3)"
        raise PortraitError("portrait.shape", f"pixels are {pixels.dtype} {pixels.shape}, not {wanted}")
    return encode_stream(np.ascontiguousarray(pixels), learned())


def encode_all(pictures: Sequence[NDArray[np.uint8]], threads: int) -> list[bytes]:
    """The streams of several pictures, made by so many threads at once; the same bytes as one by one.

    Raises: PortraitError: of the first picture that is none.
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(encode, pictures))


def decode(stream: bytes) -> Pixels:
    """The picture of a stream: uint8[126, 102, 3], RGB.

    A stream has no check sum: bytes that `encode` did not make give some picture or a PortraitError, in at most
    some 20 ms.  Who must know that a stream is whole keeps a digest beside it.

    Raises: PortraitError: portrait.stream_size, portrait.stream_version, portrait.model.
    Cost: about 1.5 ms, nearly all without the GIL; the same pixels on every machine.
    """
    if not HEADER_BYTES <= len(stream) <= MAX_STREAM_BYTES:
        limits = f"{HEADER_BYTES} to {MAX_STREAM_BYTES}"
        raise PortraitError("portrait.stream_size", f"a stream has {limits} bytes, this has {len(stream)}")
    if stream[0] != VERSION:
        raise PortraitError("portrait.stream_version", f"format {stream[0]} is not known here, only {VERSION}")
    return decode_stream(stream, learned())


def learned() -> Frozen:
    """The frozen model.  Raises: PortraitError: portrait.model."""
    try:
        return frozen()
    except (OSError, ValueError) as error:
        raise PortraitError("portrait.model", str(error)) from None


def warm_up() -> None:
    """Load and call every kernel, and make sure that the golden portrait gives the bytes and pixels it always gave.

    Call it before any socket binds: kernels that numba has not in its cache take a minute to compile.

    Raises: PortraitError: portrait.self_test, portrait.model.
    """
    found = self_test_digest(golden_pixels())
    if found != GOLDEN_SHA256:
        advice = "if numba's cache holds kernels of older sources, delete it (*.nbi, *.nbc) and start again"
        raise PortraitError("portrait.self_test", f"the golden portrait gives other bytes than it must; {advice}")


def golden_pixels() -> Pixels:
    """The golden portrait: uint8[126, 102, 3], of a person who does not exist (CC0, see NOTICE)."""
    packed = resources.files("encoders.codec").joinpath("golden.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        pixels: Pixels = arrays["pixels"]
    return pixels


def self_test_digest(pixels: Pixels) -> str:
    """SHA-256, in hex, of what shrinking, encoding and decoding make of a picture."""
    rows = np.arange(PHOTO_HEIGHT_PX) * HEIGHT_PX // PHOTO_HEIGHT_PX
    columns = np.arange(PHOTO_WIDTH_PX) * WIDTH_PX // PHOTO_WIDTH_PX
    photo = np.ascontiguousarray(pixels[rows][:, columns])
    stream = encode(pixels)
    return sha256(shrunk(photo).tobytes() + stream + decode(stream).tobytes()).hexdigest()
