"""The standard codecs a portrait is compared with: how each encodes at a quality, decodes, and its best settings."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import portrait_vvc
from bench.portrait_formats import PAYLOADS

Pixels = NDArray[np.uint8]
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """A codec: how it encodes at a quality from 0 to `top`, decodes, and what of a file is coded data."""

    encode: Callable[[Pixels, int, Settings], bytes]
    decode: Callable[[bytes], Pixels]
    payload_bytes: Callable[[bytes], int]
    top: int
    settings: tuple[Settings, ...]
    needs: tuple[str, ...] = ()
    programs: Callable[[], object | None] | None = None

    @property
    def here(self) -> bool:
        """Whether its packages and programs are at hand."""
        return all(find_spec(name) for name in self.needs) and (self.programs is None or self.programs() is not None)


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


def j2k(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """A JPEG 2000 codestream without its box."""
    rate = pixels.size / (quality * 8 + 300)
    return saved(
        pixels, "JPEG2000", no_jp2=True, quality_mode="rates", quality_layers=[rate], irreversible=True, mct=1,
        num_resolutions=settings["levels"], codeblock_size=(64, 64),
    )  # fmt: skip


def avif(pixels: Pixels, quality: int, settings: Settings) -> bytes:
    """AVIF by libaom, one thread."""
    return saved(
        pixels, "AVIF", quality=quality, subsampling=settings["colour"], speed=settings["speed"], max_threads=1,
        advanced=dict(settings["more"]),
    )  # fmt: skip


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
OFFSETS_VVC: Final = "CbQpOffset=2:CrQpOffset=2"
PEERS: Final[dict[str, Peer]] = {
    "avif0": Peer(avif, opened, PAYLOADS["avif"], 63, AVIF0),
    "avif6": Peer(avif, opened, PAYLOADS["avif"], 63, ({"colour": "4:2:0", "speed": 6, "more": {}},)),
    "vvc": Peer(
        portrait_vvc.encode, portrait_vvc.decode, PAYLOADS["vvc"], 26,
        ({"preset": "slow"}, {"preset": "slow", "more": OFFSETS_VVC}),  # "slower" was 0.4 to 0.6 dB worse in light
        programs=portrait_vvc.programs,
    ),
    "hevc": Peer(
        hevc, hevc_shown, PAYLOADS["hevc"], 60,
        ({"preset": "placebo", "tune": "psnr"}, {"preset": "placebo", "tune": "psnr", "more": OFFSETS}),
        ("pillow_heif",),
    ),
    "webp": Peer(
        webp, opened, PAYLOADS["webp"], 120,
        (
            {"shaping": 0, "filter": 20, "segments": 4},
            {"shaping": 0, "filter": 40, "segments": 1},
            {"shaping": 50, "filter": 60, "segments": 4},
        ),
        ("webp",),
    ),
    "jxl": Peer(jxl, jxl_shown, PAYLOADS["jxl"], 120, ({"effort": 7}, {"effort": 9}), ("imagecodecs",)),
    "j2k": Peer(j2k, opened, PAYLOADS["j2k"], 120, ({"levels": 5}, {"levels": 6})),
    "jpeg": Peer(
        jpeg, opened, PAYLOADS["jpeg"], 60, ({"flat": False}, {"flat": True}), ("mozjpeg_lossless_optimization",)
    ),
}  # fmt: skip
SAME_WHOLE: Final = ("jxl",)  # nothing but coded data in the file


def named(texts: Sequence[str]) -> list[str]:
    """Peers by their names, each a word or several with commas between; "all" and "none" are words too.

    Raises: ValueError: a name that is none.
    """
    names = [name for text in texts for name in re.split(r"[,\s]+", text) if name not in ("", "none")]
    if unknown := [name for name in names if name not in ("all", *PEERS)]:
        raise ValueError(f"{', '.join(unknown)} is no peer; there are {', '.join(PEERS)}")
    return list(PEERS) if "all" in names else list(dict.fromkeys(names))
