"""The standard codecs a portrait is compared with: each at its best settings for 1,024 bytes, whole file or payload."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.portrait_metrics import layers, measures

Pixels = NDArray[np.uint8]
Settings = Mapping[str, Any]

BUDGET_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """A codec: how it encodes at a quality from 0 to `top`, decodes, and what of a file is coded data."""

    encode: Callable[[Pixels, int, Settings], bytes]
    decode: Callable[[bytes], Pixels]
    payload_bytes: Callable[[bytes], int]
    top: int
    settings: tuple[Settings, ...]
    needs: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether its packages are installed."""
        return all(find_spec(name) for name in self.needs)


@dataclass(frozen=True, slots=True)
class Found:
    """A peer's best picture within the budget."""

    size_bytes: int
    shown: Pixels
    encode_s: float
    decode_s: float
    psnr_y_at_1024: float


def search(peer: Peer, pixels: Pixels, *, whole: bool) -> Found | None:
    """The best picture of a peer within 1,024 bytes over all its settings, by PSNR of Y, Cb and Cr as 6 : 1 : 1."""
    size_of = len if whole else peer.payload_bytes
    began_s, best = perf_counter(), None
    for settings in peer.settings:
        files: dict[int, bytes] = {}

        def fits(quality: int, settings: Settings = settings, files: dict[int, bytes] = files) -> bool:
            if quality not in files:
                files[quality] = peer.encode(pixels, quality, settings)
            return size_of(files[quality]) <= BUDGET_BYTES

        low, high = -1, peer.top + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        while low + 2 <= peer.top and low >= 0 and fits(low + 2):  # sizes are not quite monotonic
            low += 2
        if low >= 0:
            value = weighted_psnr_db(pixels, peer.decode(files[low]))
            if best is None or value > best[0]:
                best = value, files[low], files.get(low + 1)
    encode_s = perf_counter() - began_s
    if best is None:
        return None
    _, file, finer = best
    began_s = perf_counter()
    shown = peer.decode(file)
    decode_s = perf_counter() - began_s
    luma_db = measures(pixels, shown)["psnr_y"]
    if finer is not None and size_of(finer) > BUDGET_BYTES:
        share = np.log(BUDGET_BYTES / size_of(file)) / np.log(size_of(finer) / size_of(file))
        luma_db += share * (measures(pixels, peer.decode(finer))["psnr_y"] - luma_db)
    return Found(size_of(file), shown, encode_s, decode_s, float(luma_db))


def weighted_psnr_db(one: Pixels, other: Pixels) -> float:
    """PSNR over Y, Cb and Cr with weights 6 : 1 : 1."""
    errors = ((layers(one) - layers(other)) ** 2).mean(axis=(1, 2))
    return float(-10 * np.log10((6 * errors[0] + errors[1] + errors[2]) / 8 / 255**2 + 1e-12))


# ---- by Pillow ------------------------------------------------------------------------------------------------


def saved(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """A file by Pillow."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def opened(file: bytes) -> Pixels:
    """A file shown by Pillow."""
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


def jpeg(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """JPEG with quantiser tables of the standard or flat ones, made smaller without loss by mozjpeg."""
    import mozjpeg_lossless_optimization

    if settings["flat"]:
        cells = np.add.outer(np.arange(8), np.arange(8))
        step = 2.0 ** (7.5 - quality / 10)
        light = [int(value) for value in np.clip(np.rint(2 * step * (1 + 0.18 * cells)), 1, 255).ravel()]
        colour = [min(255, round(value * 1.6)) for value in light]
        file = saved(pixels, "JPEG", qtables=[light, colour], subsampling="4:2:0", optimize=True)
    else:
        file = saved(pixels, "JPEG", quality=quality + 1, subsampling="4:2:0", optimize=True)
    optimised: bytes = mozjpeg_lossless_optimization.optimize(file)
    return optimised


def jpeg_payload_bytes(file: bytes) -> int:
    """Scans and Huffman tables."""
    at, total = 2, 0
    while at + 4 <= len(file):
        marker, length = file[at + 1], int.from_bytes(file[at + 2 : at + 4])
        if marker == 0xC4:
            total += 2 + length
        at += 2 + length
        if marker == 0xDA:
            end = at
            while file[end] != 0xFF or file[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            total, at = total + end - at, end
            if file[at + 1] == 0xD9:
                break
    return total


def j2k(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """A JPEG 2000 codestream without its box."""
    rate = pixels.size / (quality * 8 + 300)
    return saved(
        pixels, "JPEG2000", no_jp2=True, quality_mode="rates", quality_layers=[rate], irreversible=True, mct=1,
        num_resolutions=settings["levels"], codeblock_size=(64, 64),
    )  # fmt: skip


def j2k_payload_bytes(file: bytes) -> int:
    """Everything behind the start-of-data marker, less the end marker."""
    return len(file) - file.index(b"\xff\x93") - 4


def avif(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """AVIF by libaom, one thread."""
    return saved(
        pixels, "AVIF", quality=quality, subsampling=settings["colour"], speed=settings["speed"], max_threads=1,
        advanced=dict(settings["more"]),
    )  # fmt: skip


def boxes(file: bytes, kind: bytes) -> Iterator[bytes]:
    """The contents of the outermost boxes of a kind."""
    at = 0
    while at + 8 <= len(file):
        size = int.from_bytes(file[at : at + 4]) or len(file) - at
        if file[at + 4 : at + 8] == kind:
            yield file[at + 8 : at + size]
        at += size


def avif_payload_bytes(file: bytes) -> int:
    """The units of coded data, without sequence headers and delimiters."""
    coded, at, total = b"".join(boxes(file, b"mdat")), 0, 0
    while at < len(coded):
        head = coded[at]
        start, size = at + 1 + (head >> 2 & 1), 0
        if head & 2:
            for shift in range(0, 56, 7):
                size |= (coded[start] & 127) << shift
                start += 1
                if coded[start - 1] < 128:
                    break
        else:
            size = len(coded) - start
        if head >> 3 & 15 not in (1, 2):
            total += start - at + size
        at = start + size
    return total


# ---- by others ------------------------------------------------------------------------------------------------


def webp(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """WebP at its slowest method."""
    from webp import WebPConfig, WebPPicture

    config = WebPConfig.new(quality=quality / 2)
    config.ptr.method, config.ptr.sns_strength, config.ptr.filter_type = 6, settings["shaping"], 1
    config.ptr.filter_strength, config.ptr.segments = settings["filter"], settings["segments"]
    setattr(config.ptr, "pass", 6)
    return bytes(WebPPicture.from_pil(Image.fromarray(pixels)).encode(config).buffer())


def hevc(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """HEIC by x265."""
    import pillow_heif

    file = io.BytesIO()
    options = {"preset": settings["preset"], "tune": settings["tune"], **settings.get("more", {})}
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=quality, chroma=420, enc_params=options)
    return file.getvalue()


def hevc_shown(file: bytes) -> Pixels:
    """A HEIC file's picture."""
    import pillow_heif

    return np.asarray(pillow_heif.open_heif(io.BytesIO(file)).to_pillow().convert("RGB"))


def hevc_payload_bytes(file: bytes) -> int:
    """The slices, without parameter sets."""
    coded, at, total = b"".join(boxes(file, b"mdat")), 0, 0
    while at + 4 < len(coded):
        size = int.from_bytes(coded[at : at + 4])
        if coded[at + 4] >> 1 & 63 < 32:
            total += size
        at += 4 + size
    return total


def jxl(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """A bare JPEG XL codestream."""
    import imagecodecs

    distance = 25 - quality * 0.2
    return bytes(
        imagecodecs.jpegxl_encode(
            pixels, distance=distance, effort=settings["effort"], usecontainer=False, numthreads=1
        )
    )


def jxl_shown(file: bytes) -> Pixels:
    """A JPEG XL codestream's picture."""
    import imagecodecs

    shown: Pixels = imagecodecs.jpegxl_decode(file)
    return shown


PSNR: Final = {"tune": "psnr"}
THOROUGH: Final = PSNR | {"enable-cdef": "1", "enable-chroma-deltaq": "1", "sharpness": "0", "deltaq-mode": "0"}
AVIF0: Final = (
    {"colour": "4:2:0", "speed": 0, "more": PSNR},
    {"colour": "4:2:0", "speed": 0, "more": THOROUGH},
    {"colour": "4:4:4", "speed": 0, "more": PSNR},
)
OFFSETS: Final = {"x265:aq-mode": "0", "x265:rdoq-level": "2", "x265:cbqpoffs": "3", "x265:crqpoffs": "3"}
PEERS: Final[dict[str, Peer]] = {
    "avif0": Peer(avif, opened, avif_payload_bytes, 63, AVIF0),
    "avif6": Peer(avif, opened, avif_payload_bytes, 63, ({"colour": "4:2:0", "speed": 6, "more": {}},)),
    "hevc": Peer(
        hevc, hevc_shown, hevc_payload_bytes, 60,
        ({"preset": "placebo", "tune": "psnr"}, {"preset": "placebo", "tune": "psnr", "more": OFFSETS}),
        ("pillow_heif",),
    ),
    "webp": Peer(
        webp, opened, lambda file: len(file) - 20, 120,
        (
            {"shaping": 0, "filter": 20, "segments": 4},
            {"shaping": 0, "filter": 40, "segments": 1},
            {"shaping": 50, "filter": 60, "segments": 4},
        ),
        ("webp",),
    ),
    "jxl": Peer(jxl, jxl_shown, len, 120, ({"effort": 7}, {"effort": 9}), ("imagecodecs",)),
    "j2k": Peer(j2k, opened, j2k_payload_bytes, 110, ({"levels": 5}, {"levels": 6})),
    "jpeg": Peer(
        jpeg, opened, jpeg_payload_bytes, 60, ({"flat": False}, {"flat": True}), ("mozjpeg_lossless_optimization",)
    ),
}  # fmt: skip
SAME_WHOLE: Final = ("jxl",)  # nothing but coded data in the file


def named(text: str) -> list[str]:
    """Peers by their names, separated by commas.  Raises: ValueError: a name that is none."""
    names = [name for name in re.split(r"[,\s]+", text) if name]
    if unknown := [name for name in names if name not in PEERS]:
        raise ValueError(f"{', '.join(unknown)} is no peer; there are {', '.join(PEERS)}")
    return names
