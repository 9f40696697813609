"""The frame of a JPEG file, read marker by marker without decoding a pixel (ITU-T T.81, annex B; JFIF 1.02)."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache

START_OF_IMAGE = b"\xff\xd8"
END_OF_IMAGE = 0xD9
BASELINE = 0xC0
MAX_SEGMENTS = 256  # a portrait has about ten; more is somebody playing
KEPT_SEGMENTS = 64  # Huffman segments whose tables are remembered: most encoders write the four of T.81, annex K

# Table K.1 of T.81, the sum of which tells the quality factor of encoders that scale it as the IJG's do.
_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]").search
_RESTARTS = re.compile(rb"\xff([\xd0-\xd7])").findall


def _scaled_sum(quality: int) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return sum(min(max((step * scale + 50) // 100, 1), 255) for step in _LUMINANCE)


_QUALITIES = tuple(range(100, 0, -1))
_SUMS = tuple(_scaled_sum(quality) for quality in _QUALITIES)  # rising


def quality_of(steps_sum: int) -> int:
    """Give the quality factor, 1 to 100, whose luminance table has the sum nearest to this one."""
    at = bisect_left(_SUMS, steps_sum)
    if at == 0:
        return _QUALITIES[0]
    if at == len(_SUMS) or steps_sum - _SUMS[at - 1] < _SUMS[at] - steps_sum:
        at -= 1
    return _QUALITIES[at]


class Broken(Exception):
    """The walk cannot go on; says whether bytes are missing or wrong.  Never leaves this file."""

    def __init__(self, is_cut: bool) -> None:
        super().__init__(is_cut)
        self.is_cut = is_cut


@dataclass(slots=True)
class Component:
    """One component of the frame: sampling factors and the quantisation table it uses."""

    across: int
    down: int
    table: int


@dataclass(slots=True)
class JpegFrame:
    """What the markers say; zero, empty or None where the file says nothing.

    `process`: low byte of the start-of-frame marker, 0xC0 for baseline.  `density`: JFIF units (1 is dots per inch)
    and the two densities.  `trailing_bytes`: what follows the end-of-image marker.
    """

    is_jpeg: bool = False
    is_damaged: bool = False
    is_cut: bool = False
    process: int = 0
    depth_bits: int = 0
    width_px: int = 0
    height_px: int = 0
    components: dict[int, Component] = field(default_factory=dict)
    density: tuple[int, int, int] | None = None
    steps_sums: dict[int, int] = field(default_factory=dict)
    trailing_bytes: int = 0

    @property
    def quality(self) -> int | None:
        """The quality factor as the first component's quantisation table shows it."""
        first = next(iter(self.components.values()), None)
        return quality_of(self.steps_sums[first.table]) if first and first.table in self.steps_sums else None


def read_frame(picture: bytes) -> JpegFrame:
    """Give what the markers of a picture say, however broken it is; about 30 us for a portrait."""
    frame = JpegFrame(is_jpeg=picture.startswith(START_OF_IMAGE))
    if frame.is_jpeg:
        try:
            _Walk(picture, frame).run()
        except Broken as broken:
            frame.is_cut, frame.is_damaged = broken.is_cut, not broken.is_cut
    return frame


class _Walk:
    """One walk along the markers of a picture, filling a frame."""

    def __init__(self, picture: bytes, frame: JpegFrame) -> None:
        self._picture, self._frame = picture, frame
        self._shortest: dict[int, int] = {}  # Huffman table -> bits of its shortest code
        self._huffman_tables = 0
        self._restart_interval = 0
        self._scanned: set[int] = set()

    def run(self) -> None:
        """Walk to the end-of-image marker.  Raises: Broken."""
        at = len(START_OF_IMAGE)
        for _ in range(MAX_SEGMENTS):
            marker, at = self._marker(at)
            if marker == END_OF_IMAGE:
                self._finish(at)
                return
            if marker in _STANDALONE:
                continue
            end = self._end_of_segment(at)
            self._segment(marker, self._picture[at + 2 : end])
            at = self._scan(self._picture[at + 2 : end], end) if marker == 0xDA else end
        raise Broken(is_cut=False)

    def _marker(self, at: int) -> tuple[int, int]:
        picture, size = self._picture, len(self._picture)
        start = at
        while at < size and picture[at] == 0xFF:  # any number of fill bytes may precede a marker
            at += 1
        if at >= size:
            raise Broken(is_cut=True)
        if at == start or picture[at] in (0x00, 0xD8):
            raise Broken(is_cut=False)
        return picture[at], at + 1

    def _end_of_segment(self, at: int) -> int:
        length, size = int.from_bytes(self._picture[at : at + 2], "big"), len(self._picture)
        if at + length > size or at + 2 > size:
            raise Broken(is_cut=True)
        if length < 2:
            raise Broken(is_cut=False)
        return at + length

    def _segment(self, marker: int, body: bytes) -> None:
        if marker in _STARTS_OF_FRAME:
            self._start_of_frame(marker, body)
        elif marker == 0xDB:
            self._quantisation(body)
        elif marker == 0xC4:
            self._huffman(body)
        elif marker == 0xDD:
            _require(len(body) == 2)
            self._restart_interval = int.from_bytes(body, "big")
        elif marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 12 and self._frame.density is None:
            self._frame.density = (body[7], int.from_bytes(body[8:10], "big"), int.from_bytes(body[10:12], "big"))

    def _start_of_frame(self, marker: int, body: bytes) -> None:
        frame = self._frame
        _require(not frame.process and len(body) >= 6)
        frame.process, frame.depth_bits = marker, body[0]
        frame.height_px, frame.width_px = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        _require(len(body) == 6 + 3 * body[5] and body[5] > 0)
        for at in range(6, len(body), 3):
            across, down = divmod(body[at + 1], 16)
            _require(1 <= across <= 4 and 1 <= down <= 4 and body[at] not in frame.components)
            frame.components[body[at]] = Component(across, down, body[at + 2])

    def _quantisation(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            step_bytes, table = 1 + (body[at] >> 4), body[at] & 15
            steps = body[at + 1 : at + 1 + 64 * step_bytes]
            _require(step_bytes <= 2 and table <= 3 and len(steps) == 64 * step_bytes)
            self._frame.steps_sums[table] = sum(steps) if step_bytes == 1 else 256 * sum(steps[::2]) + sum(steps[1::2])
            at += 1 + len(steps)

    def _huffman(self, body: bytes) -> None:
        tables = _huffman_tables(body)
        self._huffman_tables += len(tables)
        _require(self._huffman_tables <= MAX_SEGMENTS)
        self._shortest.update(tables)

    def _scan(self, header: bytes, start: int) -> int:
        """Take one scan's entropy-coded bytes, unread but for their markers; gives where the next marker stands."""
        frame = self._frame
        _require(bool(frame.process) and bool(header) and len(header) == 4 + 2 * header[0] and 1 <= header[0] <= 4)
        tables = {header[at]: header[at + 1] for at in range(1, 1 + 2 * header[0], 2)}
        _require(len(tables) == header[0] and tables.keys() <= frame.components.keys())
        self._scanned |= tables.keys()
        found = _NEXT_MARKER(self._picture, start)
        if found is None:
            raise Broken(is_cut=True)
        if frame.process == BASELINE:
            self._weigh(tables, self._picture[start : found.start()])
        return found.start()

    def _weigh(self, tables: dict[int, int], coded: bytes) -> None:
        """Compare a baseline scan with the least that its blocks and restarts can take."""
        frame = self._frame
        widest = max(component.across for component in frame.components.values())
        tallest = max(component.down for component in frame.components.values())
        units = _ceil(frame.width_px, 8 * widest) * _ceil(frame.height_px, 8 * tallest)
        if len(tables) == 1:  # a scan of one component has its own blocks as units
            only = frame.components[next(iter(tables))]
            blocks_across = _ceil(_ceil(frame.width_px * only.across, widest), 8)
            units = blocks_across * _ceil(_ceil(frame.height_px * only.down, tallest), 8)
        unit_bits = 0
        for name, selectors in tables.items():
            direct, alternating = self._shortest.get(selectors >> 4), self._shortest.get(16 + (selectors & 15))
            if direct is None or alternating is None or frame.components[name].table not in frame.steps_sums:
                raise Broken(is_cut=False)  # a table it names was never defined
            component = frame.components[name]
            blocks = 1 if len(tables) == 1 else component.across * component.down
            unit_bits += blocks * (direct + alternating)
        if 8 * len(coded) < units * unit_bits:
            raise Broken(is_cut=True)
        if self._restart_interval:
            restarts = _RESTARTS(coded)
            expected = _ceil(units, self._restart_interval) - 1
            if len(restarts) < expected:
                raise Broken(is_cut=True)
            _require(restarts == [bytes([0xD0 + number % 8]) for number in range(expected)])

    def _finish(self, end: int) -> None:
        frame = self._frame
        _require(bool(frame.process) and bool(self._scanned))
        if self._scanned < frame.components.keys():  # a component whose scan never came
            raise Broken(is_cut=True)
        frame.trailing_bytes = len(self._picture) - end


@lru_cache(maxsize=KEPT_SEGMENTS)
def _huffman_tables(body: bytes) -> tuple[tuple[int, int], ...]:
    """Give name and bits of the shortest code of each table in a segment.  Raises: Broken."""
    tables: list[tuple[int, int]] = []
    at = 0
    while at < len(body):
        counts = body[at + 1 : at + 17]
        codes = sum(counts)
        _require(len(tables) < MAX_SEGMENTS)
        _require(len(counts) == 16 and 1 <= codes <= 256 and at + 17 + codes <= len(body))
        room = 1 << 16  # what the code lengths use up of it may not exceed it
        for length, count in enumerate(counts, start=1):
            room -= count << (16 - length)
        _require(room >= 0)
        tables.append((body[at], next(length for length, count in enumerate(counts, start=1) if count)))
        at += 17 + codes
    return tuple(tables)


def _ceil(amount: int, size: int) -> int:
    return -(-amount // size)


def _require(holds: bool) -> None:
    if not holds:
        raise Broken(is_cut=False)
