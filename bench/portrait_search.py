"""A standard codec's best picture in 1,024 bytes: every setting searched for its finest quality that fits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.portrait_metrics import measures, weighted_psnr_db
from bench.portrait_peers import Peer

Pixels = NDArray[np.uint8]

BUDGET_BYTES: Final = 1024
DECODES: Final = 3  # the first may fill caches


@dataclass(frozen=True, slots=True)
class Found:
    """A codec's best picture within the budget, what it cost, and its measures had it been given exactly the budget."""

    size_bytes: int
    shown: Pixels
    encode_s: float
    decode_s: float
    at_1024: dict[str, float]


@dataclass(slots=True)
class Files:
    """The files one peer makes of one picture, each made once, with the seconds it took."""

    peer: Peer
    pixels: Pixels
    made: dict[tuple[int, int], tuple[bytes, float]] = field(default_factory=dict)

    def file(self, setting: int, quality: int) -> tuple[bytes, float]:
        """The file at a quality of a setting, by its place in the peer's list."""
        if (setting, quality) not in self.made:
            began_s = perf_counter()
            file = self.peer.encode(self.pixels, quality, self.peer.settings[setting])
            self.made[setting, quality] = file, perf_counter() - began_s
        return self.made[setting, quality]


def search(peer: Peer, pixels: Pixels, *, whole: bool, files: Files | None = None) -> Found | None:
    """The best picture of a peer within 1,024 bytes over all its settings, by PSNR of Y, Cb and Cr as 6 : 1 : 1.

    Its time is that of the encodes it asks for, though `files` of another search may hold them already; that of
    looking at them is not counted.
    """
    files, size_of = files or Files(peer, pixels), len if whole else peer.payload_bytes
    asked: set[tuple[int, int]] = set()

    def size(setting: int, quality: int) -> int:
        asked.add((setting, quality))
        return size_of(files.file(setting, quality)[0])

    def fits(setting: int, quality: int) -> bool:
        return size(setting, quality) <= BUDGET_BYTES

    best, start = None, None
    for setting in range(len(peer.settings)):
        quality = finest(partial(fits, setting), peer.top, start)
        if quality >= 0:
            start = quality
            value = weighted_psnr_db(pixels, peer.decode(files.file(setting, quality)[0]))
            if best is None or value > best[0]:
                best = value, setting, quality
    if best is None:
        return None
    encode_s = sum(files.file(*one)[1] for one in asked)
    _, setting, quality = best
    shown, decode_s = decoded(peer.decode, files.file(setting, quality)[0])
    at_1024 = measures(pixels, shown)
    if quality < peer.top and size(setting, quality + 1) > BUDGET_BYTES:
        finer = measures(pixels, peer.decode(files.file(setting, quality + 1)[0]))
        at_1024 = between(at_1024, size(setting, quality), finer, size(setting, quality + 1))
    return Found(size(setting, quality), shown, encode_s, decode_s, at_1024)


def finest(fits: Callable[[int], bool], top: int, start: int | None) -> int:
    """The finest quality from 0 to `top` that fits, -1 if none does; soonest when it lies near `start`."""
    low, high = -1, top + 1
    if start is not None:
        stride, up = 1, fits(min(start, top))
        low, high = (min(start, top), high) if up else (low, min(start, top))
        while high - low > stride:
            probe = low + stride if up else high - stride
            if fits(probe) != up:
                low, high = (low, probe) if up else (probe, high)
                break
            low, high = (probe, high) if up else (low, probe)
            stride *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    while 0 <= low <= top - 2 and fits(low + 2):  # sizes are not quite monotonic
        low += 2
    return low


def between(coarse: dict[str, float], coarse_bytes: int, fine: dict[str, float], fine_bytes: int) -> dict[str, float]:
    """Measures at exactly the budget, on a straight line over the logarithm of the size."""
    share = np.log(BUDGET_BYTES / coarse_bytes) / np.log(fine_bytes / coarse_bytes)
    return {name: float(value + share * (fine[name] - value)) for name, value in coarse.items()}


def decoded(decode: Callable[[bytes], Pixels], file: bytes) -> tuple[Pixels, float]:
    """A file's picture and the median of the seconds that took."""
    taken_s = []
    for _ in range(DECODES):
        began_s = perf_counter()
        shown = decode(file)
        taken_s.append(perf_counter() - began_s)
    return shown, float(np.median(taken_s))
