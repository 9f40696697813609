"""A file or folder of applications of any shape: opened, told apart, read."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from controller.checks.finding import FINDINGS, Finding
from controller.offline.archive import MEMBERS_MAX, PORTRAIT_ENDS, ROWS_ENDS, Archive
from controller.offline.csv_rows import read_csv
from controller.offline.errors import PackageError
from controller.offline.jsonl import read_jsonl
from controller.offline.parts import BatchHead, Part
from controller.offline.pictures import READ_UP_TO_BYTES, ReadPicture, beside
from controller.offline.xml_rows import read_xml

NAME = re.compile(r"ZAGL_ZZJH_([0-9]{25})", re.ASCII)
ROWS_MAX_BYTES = 1 << 25  # ten thousand applications have 15 MB
PORTRAIT_MAX_BYTES = 1 << 24  # of a member of an archive: what a portrait may have, the checks say
BUFFER_BYTES = 1 << 18
LINES_ENDS = (".jsonl", ".ndjson", ".json")
ZIP_END = ".zip"
_SNIFFED_BYTES = 64
_MARKUP = (b"<?xml", b"<package", b"<!doctype")

_READERS: dict[str, Callable[[BinaryIO], Iterator[Part]]] = {".xml": read_xml, ".csv": read_csv}


@dataclass(frozen=True, slots=True)
class Opened:
    """Applications that can be read: their parts, once, and their portraits by name.

    `number`: of the one batch that the name promises, empty for JSON lines.  `total_bytes` and `done_bytes` speak of
    the file of applications, for a progress bar.
    """

    number: str
    parts: Iterator[Part]
    read_picture: ReadPicture
    total_bytes: int
    done_bytes: Callable[[], int]


@contextmanager
def opened(path: Path, *, anywhere: bool = False) -> Iterator[Opened]:
    """Open a file of JSON lines, or a package: XML, CSV, a zip archive or a folder of either.

    The name's end decides; of a regular file without a known one its first bytes, and else it is JSON lines.
    `anywhere`: the portraits of JSON lines may lie outside the file's folder; those of a package never do.

    Raises: PackageError, then and while parts are read: it is no package, or not a whole one; OSError.
    """
    with ExitStack() as stack:
        if path.is_dir():
            yield _folder(path.resolve(), stack)
            return
        shape = _shape(path)
        stream = stack.enter_context(path.open("rb", buffering=BUFFER_BYTES))
        if not shape:
            yield _lines(stream, path, anywhere=anywhere)
        elif shape == ZIP_END:
            yield _zip(stream, _number(path))
        else:
            yield _rows(stream, os.fstat(stream.fileno()).st_size, shape, _number(path), beside(path.parent))


def _shape(path: Path) -> str:
    """Give the end that tells a file's shape, "" for JSON lines."""
    end = path.suffix.lower()
    if end in (ZIP_END, *ROWS_ENDS):
        return end
    if end in LINES_ENDS or not path.is_file():
        return ""
    with path.open("rb") as file:
        begin = file.read(_SNIFFED_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(b"pk\x03\x04"):
        return ZIP_END
    return ".xml" if begin.startswith(_MARKUP) else ""


def _number(path: Path) -> str:
    """Give the batch number that a package's name has.  Raises: PackageError."""
    match = NAME.fullmatch(path.name if path.is_dir() else path.stem)
    if match is None:
        raise PackageError("package.name")
    return match[1]


def _lines(stream: BinaryIO, path: Path, *, anywhere: bool) -> Opened:
    is_seekable = stream.seekable()
    total_bytes = os.fstat(stream.fileno()).st_size
    done = stream.tell if is_seekable else lambda: 0
    return Opened("", read_jsonl(stream), beside(path.parent, anywhere=anywhere), total_bytes, done)


def _rows(stream: BinaryIO, size_bytes: int, shape: str, number: str, read: ReadPicture) -> Opened:
    if size_bytes > ROWS_MAX_BYTES:
        raise PackageError("package.too_large", ROWS_MAX_BYTES)
    return Opened(number, _of_one_batch(_READERS[shape](stream), number), read, size_bytes, stream.tell)


def _of_one_batch(parts: Iterator[Part], number: str) -> Iterator[Part]:
    """Give the parts, whose header must be readable and be that of the batch which the name promises."""
    for part in parts:
        if isinstance(part, BatchHead):
            if part.findings:
                raise PackageError("package.batch", "it cannot be read")
            if part.batch_number != number:
                raise PackageError("package.number")
        yield part


def _zip(stream: BinaryIO, number: str) -> Opened:
    archive = Archive(stream)
    rows = _rows_name(archive.names, number)
    content = archive.read(rows, ROWS_MAX_BYTES)
    under, names = PurePosixPath(rows).parent, frozenset(archive.names)

    def read(name: str) -> bytes | Finding:
        if not name:
            return FINDINGS["portrait.missing"]
        path = os.path.normpath(os.path.join(under, name))
        if os.path.isabs(name) or path.startswith(".."):
            return FINDINGS["portrait.outside"]
        if path not in names or not path.lower().endswith(PORTRAIT_ENDS):
            return FINDINGS["portrait.missing"]
        if archive.size_bytes(path) > READ_UP_TO_BYTES:
            return archive.begin(path, READ_UP_TO_BYTES, PORTRAIT_MAX_BYTES) or FINDINGS["portrait.missing"]
        return archive.read(path, PORTRAIT_MAX_BYTES) or FINDINGS["portrait.missing"]

    return _rows(io.BytesIO(content), len(content), _end(rows), number, read)


def _folder(path: Path, stack: ExitStack) -> Opened:
    number = _number(path)
    rows = _rows_name(listed(path), number)
    stream = stack.enter_context((path / rows).open("rb", buffering=BUFFER_BYTES))
    return _rows(stream, os.fstat(stream.fileno()).st_size, _end(rows), number, beside((path / rows).parent))


def listed(folder: Path) -> list[str]:
    """Give the paths of the files in a folder and below.  Raises: PackageError: a link is among them, or too many."""
    names: list[str] = []
    seen = 0
    for at, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > MEMBERS_MAX:
            raise PackageError("package.members", MEMBERS_MAX)
        for name in (*folders, *files):
            mode = os.lstat(os.path.join(at, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise PackageError("package.member", len(names) + 1)
        names += (os.path.relpath(os.path.join(at, name), folder) for name in files)
    return names


def _rows_name(names: list[str], number: str) -> str:
    """Give the one file of applications among names, at the top or in one folder named as the package."""
    rows = [name for name in names if name.lower().endswith(ROWS_ENDS)]
    if len(rows) != 1:
        raise PackageError("package.rows", len(rows) or "no")
    path = PurePosixPath(rows[0])
    wanted = f"ZAGL_ZZJH_{number}"
    if path.stem != wanted or str(path.parent) not in (".", wanted):
        raise PackageError("package.number")
    return rows[0]


def _end(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
