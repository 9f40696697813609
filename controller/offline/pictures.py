"""Portraits that lie beside a file of applications: read where they may lie, and looked at once each."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from controller.checks.codes import Severity
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.portrait import WALKED_UP_TO_BYTES, portrait_findings
from controller.intake.examination import pixel_findings

READ_UP_TO_BYTES = WALKED_UP_TO_BYTES + 1  # so much shows that a file is too large; the rest is never read
KEPT = 8_192  # pictures whose findings are remembered: test files name the same few again and again
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make us wait for its other end

ReadPicture = Callable[[str], "bytes | Finding"]


@dataclass(frozen=True, slots=True)
class Picture:
    """What was found of one portrait, and the digest that tells it from another."""

    findings: tuple[Finding, ...]
    digest: bytes


class Pictures:
    """Looks at portraits by name; equal bytes are looked at once."""

    def __init__(self, read: ReadPicture, *, decode: bool = True) -> None:
        """Take who gives the bytes of a name, and whether pixels are looked at or the file's header alone."""
        self._read, self._decode = read, decode
        self._kept: OrderedDict[bytes, Picture] = OrderedDict()

    def look(self, name: str) -> Picture:
        """Give what the picture of a name shows.  Cost: 30 us, with pixels 0.5 ms."""
        picture = self._read(name)
        if isinstance(picture, Finding):
            return Picture((picture,), b"")
        digest = sha256(picture).digest()
        if known := self._kept.get(digest):
            self._kept.move_to_end(digest)
            return known
        found = list(portrait_findings(picture))
        if self._decode and verdict(found) < Severity.REFUSE:
            found += pixel_findings(picture)
        seen = self._kept[digest] = Picture(tuple(found), digest)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return seen


def beside(folder: Path, *, anywhere: bool = False) -> ReadPicture:
    """Give a reader of the files in a folder and below; other paths are findings.

    A path is taken as written: links that somebody laid in the folder are followed.  Only regular files are read.
    `anywhere`: a relative path may lead out of the folder.  For checking only: what is read is not sent anywhere.
    """
    root = os.path.abspath(folder)

    def read(name: str) -> bytes | Finding:
        if not name:
            return FINDINGS["portrait.missing"]
        path = os.path.normpath(os.path.join(root, name))
        if os.path.isabs(name) or not (anywhere or path.startswith(os.path.join(root, ""))):
            return FINDINGS["portrait.outside"]
        try:
            return _content(path)
        except (OSError, ValueError):  # ValueError: a zero byte or a lone surrogate in the name
            return FINDINGS["portrait.missing"]

    return read


def _content(path: str) -> bytes | Finding:
    opened = os.open(path, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return FINDINGS["portrait.missing"]
        pieces, left = [], READ_UP_TO_BYTES
        while left and (piece := os.read(opened, left)):
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(opened)
    return b"".join(pieces) or FINDINGS["portrait.missing"]
