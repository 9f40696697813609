"""The shape of XML: one batch and its applications, as docs/offline.xsd says, read piece by piece.

The reader is the standard library's expat with document types refused, so that there is no entity to expand and
nothing to fetch.  Expat before 2.6 reads an unfinished token again with each piece, hence the bounds on pieces and
tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from controller.offline.errors import PackageError
from controller.offline.fields import HEADER_FIELDS, RECORD_FIELDS, head_of, record_of
from controller.offline.parts import Part

VERSION = "1"
ROOT, BATCH, APPLICATION = "package", "batch", "application"
PIECE_BYTES = 1 << 16
TOKEN_MAX_BYTES = 1 << 20  # a comment, a tag or a text; an application has some hundred bytes
TEXT_MAX_CHARACTERS = 1 << 16  # of one field; longer ones than a wire field's are refused by the checks
DEPTH_MAX = 8  # of elements that are ignored, in an application or a batch

_FIELDS = {BATCH: frozenset(HEADER_FIELDS), APPLICATION: frozenset(RECORD_FIELDS)}


def read_xml(stream: BinaryIO) -> Iterator[Part]:
    """Give the parts of a package's XML; memory is that of one application.

    Raises: PackageError: it is not well-formed to its end, or not of this shape; OSError.
    """
    reader = _Reader()
    fed_bytes = 0
    while piece := stream.read(PIECE_BYTES):
        if not fed_bytes and b"\0" in piece[:4]:  # expat would read UTF-16 whatever it was told
            raise PackageError("package.encoding", "the XML is in UTF-16 or UTF-32")
        fed_bytes += len(piece)
        reader.take(piece, fed_bytes)
        yield from reader.parts()
    reader.end()
    yield from reader.parts()


class _Reader:
    """Takes pieces of XML, keeps the parts they completed."""

    def __init__(self) -> None:
        self._parts: deque[Part] = deque()
        self._path: list[str] = []
        self._texts: dict[str, str] = {}
        self._text: list[str] = []
        self._text_characters, self._is_readable, self._has_batch = 0, True, False
        self._parser = parser = expat.ParserCreate("UTF-8")  # whatever the declaration says; `_declared` looks at that
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def take(self, piece: bytes, fed_bytes: int) -> None:
        """Read on; `fed_bytes` counts this piece too."""
        self._parse(piece, is_last=False)
        if fed_bytes - self._parser.CurrentByteIndex > TOKEN_MAX_BYTES:
            raise self._misplaced()

    def end(self) -> None:
        """Say that no piece follows."""
        self._parse(b"", is_last=True)
        if not self._has_batch:
            raise PackageError("package.batch", "there is none")

    def parts(self) -> Iterator[Part]:
        """Give what was completed, once."""
        while self._parts:
            yield self._parts.popleft()

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise PackageError("package.xml", error.lineno) from None

    # ---- what expat tells -------------------------------------------------------------------------------------

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() != "UTF-8":
            raise PackageError("package.encoding", "the XML says that it is in another encoding")

    def _doctype(self, name: str, system: str | None, public: str | None, has_subset: bool) -> None:
        raise PackageError("package.xml_dtd")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        depth = len(self._path)
        if depth == 1:
            self._root(name, attributes)
        elif depth == 2:
            self._open(name)
        elif depth > DEPTH_MAX or (depth > 3 and self._path[2] in _FIELDS[self._path[1]]):
            raise self._misplaced()
        self._text, self._text_characters = [], 0

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        if name != ROOT:
            raise self._misplaced()
        if attributes.get("version") != VERSION:
            raise PackageError("package.version")

    def _open(self, name: str) -> None:
        if name not in _FIELDS:
            raise self._misplaced()
        if (name == BATCH) == self._has_batch:
            raise PackageError("package.batch", "there are two" if self._has_batch else "applications stand before it")
        self._has_batch, self._texts, self._is_readable = True, {}, True

    def _end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if depth == 2:
            make = head_of if name == BATCH else record_of
            self._parts.append(make(self._texts, is_readable=self._is_readable))
        elif depth == 3 and name in _FIELDS[self._path[1]]:
            self._is_readable &= name not in self._texts  # a field that is said twice: which is meant?
            self._texts.setdefault(name, "".join(self._text))

    def _characters(self, text: str) -> None:
        if len(self._path) < 3:
            if not text.isspace():
                raise self._misplaced()
            return
        self._text_characters += len(text)
        if self._text_characters > TEXT_MAX_CHARACTERS:
            raise self._misplaced()
        self._text.append(text)

    def _misplaced(self) -> PackageError:
        return PackageError("package.xml_shape", self._parser.CurrentLineNumber)
