"""Where the rows of a SQLite file lie, byte by byte, from its pages: a reading of the format of its own.

Source: https://www.sqlite.org/fileformat2.html, section 1.6.  Written for these tests, on purpose beside
`controller.ledger.verify.pages`: what looks for damage must not say where to make it.
"""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path
from typing import NamedTuple

HEADER_BYTES = 100


class Span(NamedTuple):
    """Bytes of a file that belong to a table or index; `what` is `head`, `pointers`, `cell` or `overflow`."""

    tree: str
    what: str
    begin: int
    end: int


class UsedBytes:
    """Walks all trees of a checkpointed file; `spans` then has every used byte once, but for the file's header."""

    def __init__(self, path: Path) -> None:
        raw = sqlite3.connect(path)
        trees = raw.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
        raw.close()
        self.file = path.read_bytes()
        self.page_bytes = struct.unpack_from(">H", self.file, 16)[0]
        self.spans: list[Span] = []
        for name, root in [("sqlite_master", 1), *trees]:
            self._page(name, root)

    def _page(self, tree: str, number: int) -> None:
        base = (number - 1) * self.page_bytes
        head = base + (HEADER_BYTES if number == 1 else 0)
        kind, count = self.file[head], struct.unpack_from(">H", self.file, head + 3)[0]
        pointers = head + (12 if kind in (2, 5) else 8)
        self.spans.append(Span(tree, "head", head, pointers))
        self.spans.append(Span(tree, "pointers", pointers, pointers + 2 * count))
        for one in range(count):
            self._cell(tree, kind, base + struct.unpack_from(">H", self.file, pointers + 2 * one)[0])
        if kind in (2, 5):
            self._page(tree, struct.unpack_from(">I", self.file, head + 8)[0])

    def _cell(self, tree: str, kind: int, begin: int) -> None:
        at = begin
        if kind in (2, 5):
            self._page(tree, struct.unpack_from(">I", self.file, at)[0])
            at += 4
        if kind == 5:
            _, at = self._varint(at)
            self.spans.append(Span(tree, "steering key", begin, at))
            return
        size, at = self._varint(at)
        if kind == 13:
            _, at = self._varint(at)
        least = (self.page_bytes - 12) * 32 // 255 - 23
        most = self.page_bytes - 35 if kind == 13 else (self.page_bytes - 12) * 64 // 255 - 23
        if size <= most:
            self.spans.append(Span(tree, "cell", begin, max(at + size, begin + 4)))
            return
        local = least + (size - least) % (self.page_bytes - 4)
        local = local if local <= most else least
        self.spans.append(Span(tree, "cell", begin, at + local + 4))
        self._overflow(tree, struct.unpack_from(">I", self.file, at + local)[0], size - local)

    def _overflow(self, tree: str, number: int, left: int) -> None:
        while left:
            base, here = (number - 1) * self.page_bytes, min(left, self.page_bytes - 4)
            self.spans.append(Span(tree, "overflow", base, base + 4 + here))
            number, left = struct.unpack_from(">I", self.file, base)[0], left - here

    def _varint(self, at: int) -> tuple[int, int]:
        value = 0
        for place in range(8):
            byte = self.file[at + place]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at + place + 1
        return value << 8 | self.file[at + 8], at + 9
