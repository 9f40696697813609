"""Draws of `sims.faults.draw` for a row of numbers: the same ones, worked out many at a time."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from devices.messages import POSITIONS
from sims.draw_kernel import BLOCK_BYTES, hash_rows
from sims.faults import draw

SCALE = 2**56  # what a draw divides its seven bytes by
ROWS = 256  # numbers worked out at once
KEPT = 64  # blocks of so many numbers that are remembered: those asked for lie near each other
DIGITS_MAX = 20


class Draws:
    """`draw(seed, *about, number)` by number."""

    def __init__(self, seed: int, *about: object) -> None:
        self._before = "|".join(map(str, (seed, *about, "")))
        self._blocks: dict[int, list[float]] = {}

    def at(self, number: int) -> float:
        """Give the draw of a number, 0 or above."""
        return self.block(number)[number % ROWS]

    def block(self, number: int) -> list[float]:
        """Give the draws of the ROWS numbers that a number lies among: its own is at `number % ROWS`."""
        block = self._blocks.get(number // ROWS)
        if block is None:
            hashes = hashes_of(self._before, number // ROWS * ROWS, [""])
            block = (hashes[:, 0].astype(np.float64) / SCALE).tolist()
            _keep(self._blocks, number // ROWS, block)
        return block


class Struck:
    """The positions for which `draw(seed, what, sheet, ruined, position)` is below a rate, by sheet."""

    def __init__(self, seed: int, what: str, positions: Sequence[int] = range(POSITIONS)) -> None:
        self._about, self._positions = (seed, what), positions
        self._hashes: dict[int, NDArray[np.uint64]] = {}
        self._struck: dict[tuple[int, float], list[Sequence[int]]] = {}
        self._place, self._rate = -1, 0.0  # those of the block that was asked last, as most often the next one is
        self._last: list[Sequence[int]] = []

    def at(self, sheet_id: int, rate: float, ruined: int = 0) -> Sequence[int]:
        """Give the positions that are struck on a sheet, in order, after it was ruined so many times."""
        if ruined:  # few: they are drawn one by one
            return [one for one in self._positions if draw(*self._about, sheet_id, ruined, one) < rate]
        place = sheet_id // ROWS
        if place != self._place or rate != self._rate:
            if not rate:
                return ()
            self._last = self._struck.get((place, rate)) or self._block(place, rate)
            self._place, self._rate = place, rate
        return self._last[sheet_id % ROWS]

    def _block(self, place: int, rate: float) -> list[Sequence[int]]:
        hashes = self._hashes.get(place)
        if hashes is None:
            seed, what = self._about
            hashes = hashes_of(f"{seed}|{what}|", place * ROWS, [f"|0|{position}" for position in self._positions])
            _keep(self._hashes, place, hashes)
        struck: list[Sequence[int]] = [()] * ROWS  # by far the most
        rows, columns = np.nonzero(hashes < np.uint64(math.ceil(rate * SCALE)))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            struck[row] = (*struck[row], self._positions[column])
        _keep(self._struck, (place, rate), struck)
        return struck


def _keep(blocks: dict[Any, Any], place: object, block: object) -> None:
    blocks[place] = block
    if len(blocks) > KEPT:
        del blocks[next(iter(blocks))]


def hashes_of(before: str, first: int, after: Sequence[str]) -> NDArray[np.uint64]:
    """Give 56 bits for ROWS numbers from `first` on: of `before`, the number and each of `after`.

    Returns: shape (ROWS, len(after)), uint64: the seven bytes that `draw` takes, the first one highest.
    """
    is_compiled = not getattr(numba.config, "DISABLE_JIT", 0) and sys.byteorder == "little"
    longest = len(before.encode()) + DIGITS_MAX + max(map(len, after))
    if not is_compiled or longest > BLOCK_BYTES or len({*map(len, after)}) > 1:
        return hashes_twin(before, first, after)
    found = np.empty((ROWS, len(after)), np.uint64)
    ends = np.frombuffer("".join(after).encode(), np.uint8).reshape(len(after), -1)
    hash_rows(np.frombuffer(before.encode(), np.uint8), first, ends, found)
    return found


def hashes_twin(before: str, first: int, after: Sequence[str]) -> NDArray[np.uint64]:
    """Give what `hashes_of` gives, one text after the other."""
    texts = ([f"{before}{number}{end}".encode() for end in after] for number in range(first, first + ROWS))
    found = [[int.from_bytes(blake2b(text, digest_size=7).digest()) for text in row] for row in texts]
    return np.array(found, np.uint64)
