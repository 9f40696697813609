"""Portraits on the chip: a JPEG photo to 102x126 pixels, those to a stream of at most 1,024 bytes, and back.

The stream is Cardmill's own format, named by its first byte.  It is not the proprietary format of real cards: a
reader that expects that one will not show it, and what such a card holds cannot be shown here.
"""

import io
from hashlib import sha256
from importlib import resources
from typing import Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from encoders.codec.pixels import PHOTO_HEIGHT_PX, PHOTO_WIDTH_PX, shrink
from encoders.codec.rate import encode_stream
from encoders.codec.stream import HEADER_BYTES, decode_stream
from encoders.codec.tables import HEIGHT_PX, MAX_STREAM_BYTES, VERSION, WIDTH_PX

__all__ = [
    "HEIGHT_PX",
    "MAX_STREAM_BYTES",
    "VERSION",
    "WIDTH_PX",
    "PortraitError",
    "decode",
    "encode",
    "prepare",
    "warm_up",
]

MAX_JPEG_BYTES: Final = 100_000
BASELINE: Final = 0xC0  # the SOF marker of sequential, 8-bit, Huffman-coded frames
NOT_FRAMES: Final = (0xC4, 0xC8, 0xCC)  # DHT, JPG and DAC lie among the SOF markers

# SHA-256 of the golden portrait enlarged and shrunk again, its stream and the decoded pixels, one after another.
GOLDEN_SHA256: Final = "e4d590375236dce86d75d21ea997f81a21af76cf4e9b5f4dcb325fca73622dde"

Pixels = NDArray[np.uint8]


class PortraitError(Exception):
    """A photo, a picture or a stream that cannot be used, or a codec that is not itself.

    Attributes:
        code: of a photo `portrait.too_large`, `.not_jpeg`, `.dimensions`, `.components`, `.not_baseline`, `.damaged`;
            of pixels `portrait.shape`; of a stream `portrait.stream_size`, `.stream_version`; of the codec
            `portrait.self_test`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def prepare(jpeg: bytes) -> Pixels:
    """The pixels of a photo at chip size: uint8[126, 102, 3], RGB, each the exact mean of the area it covers.

    Args:
        jpeg: baseline JPEG, 358x441, three components, at most 100,000 bytes.
    Raises: PortraitError: see there; the header is judged before anything is decoded.
    Cost: 0.6 to 1 ms, all but 0.02 ms without the GIL.
    """
    require_photo(jpeg)
    try:
        photo = simplejpeg.decode_jpeg(jpeg, "RGB")
    except ValueError:  # strict: also what libjpeg only warns of, such as a missing end
        raise PortraitError("portrait.damaged", "the JPEG cannot be decoded to its end") from None
    return shrunk(photo)


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """The stream of a picture, at most 1,024 bytes whatever it shows: noise ends up coarse, never too long.

    Args:
        pixels: uint8[126, 102, 3], RGB.
    Raises: PortraitError: portrait.shape.
    Cost: 5 to 8 ms, nearly all without the GIL; the same bytes on every machine.
    """
    if pixels.shape != (HEIGHT_PX, WIDTH_PX, 3) or pixels.dtype != np.uint8:
        wanted = f"uint8 ({HEIGHT_PX}, {WIDTH_PX}, 3)"
        raise PortraitError("portrait.shape", f"pixels are {pixels.dtype} {pixels.shape}, not {wanted}")
    return encode_stream(np.ascontiguousarray(pixels))


def decode(stream: bytes) -> Pixels:
    """The picture of a stream: uint8[126, 102, 3], RGB.

    A stream has no check sum: bytes that `encode` did not make give some picture or a PortraitError, in at most
    some 20 ms.  Who must know that a stream is whole keeps a digest beside it.

    Raises: PortraitError: portrait.stream_size, portrait.stream_version.
    Cost: about 1 ms, nearly all without the GIL; the same pixels on every machine.
    """
    if not HEADER_BYTES <= len(stream) <= MAX_STREAM_BYTES:
        limits = f"{HEADER_BYTES} to {MAX_STREAM_BYTES}"
        raise PortraitError("portrait.stream_size", f"a stream has {limits} bytes, this has {len(stream)}")
    if stream[0] != VERSION:
        raise PortraitError("portrait.stream_version", f"format {stream[0]} is not known here, only {VERSION}")
    return decode_stream(stream)


def warm_up() -> None:
    """Load and call every kernel, and make sure that the golden portrait gives the bytes and pixels it always gave.

    Call it before any socket binds: kernels that numba has not in its cache take some 20 s to compile.

    Raises: PortraitError: portrait.self_test.
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


def shrunk(photo: Pixels) -> Pixels:
    """A photo, uint8[441, 358, 3] in C order, at chip size."""
    pixels = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    shrink(photo, np.empty((3, PHOTO_WIDTH_PX), np.int32), pixels)
    return pixels


def require_photo(jpeg: bytes) -> None:
    """Judge a photo by its size and header alone.  Raises: PortraitError."""
    if len(jpeg) > MAX_JPEG_BYTES:
        raise PortraitError("portrait.too_large", f"{len(jpeg)} bytes, at most {MAX_JPEG_BYTES} are read")
    try:
        height_px, width_px, colours, _ = simplejpeg.decode_jpeg_header(jpeg)
    except ValueError:
        raise PortraitError("portrait.not_jpeg", "there is no JPEG header") from None
    if (width_px, height_px) != (PHOTO_WIDTH_PX, PHOTO_HEIGHT_PX):
        wanted = f"{PHOTO_WIDTH_PX}x{PHOTO_HEIGHT_PX}"
        raise PortraitError("portrait.dimensions", f"{width_px}x{height_px} pixels, not {wanted}")
    if colours not in ("YCbCr", "RGB"):
        raise PortraitError("portrait.components", f"colours are {colours}, not three components")
    if frame_marker(jpeg) != BASELINE:
        raise PortraitError("portrait.not_baseline", "the JPEG is progressive or otherwise not baseline")


def frame_marker(jpeg: bytes) -> int:
    """The second byte of the first SOF marker, which tells the coding process; 0 if there is none."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in NOT_FRAMES:
            return marker
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return 0
