"""The shape of CSV: two lines of the batch, a line of field names, a line for each application.

Cells may be written `="…"`, as a spreadsheet needs it to leave long numbers and leading zeros alone.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from controller.checks.finding import FINDINGS
from controller.offline.errors import PackageError
from controller.offline.fields import HEADER_FIELDS, RECORD_FIELDS, head_of, record_of
from controller.offline.parts import BatchHead, Part

LINE_MAX_BYTES = 1 << 16
COLUMNS_MAX = 256


def read_csv(stream: BinaryIO) -> Iterator[Part]:
    """Give the parts of a package's CSV; memory is that of one line.

    Raises: PackageError: it is no CSV in UTF-8 to its end, or has no names of fields; OSError.
    """
    lines = _Lines(stream)
    rows = csv.reader(lines, strict=True)
    try:
        yield _head(_next(rows, lines), _next(rows, lines), lines)
        names = _names(_next(rows, lines), RECORD_FIELDS, lines)
        for row in rows:
            if row:  # an empty line is none
                texts = dict(zip(names, map(_plain, row), strict=False))
                yield record_of(texts, is_readable=len(row) == len(names))
    except csv.Error:
        raise PackageError("package.csv", lines.number) from None


class _Lines:
    """The lines of a stream as text, each whole and of bounded length."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.number = stream, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(LINE_MAX_BYTES):
            self.number += 1
            if self.number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.endswith(b"\n"):  # too long, or the end is missing: then perhaps of a value too
                raise PackageError("package.csv", self.number)
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise PackageError("package.encoding", f"line {self.number} is no UTF-8") from None


def _next(rows: Iterator[list[str]], lines: _Lines) -> list[str]:
    """Give the next line that is not empty."""
    for row in rows:
        if row:
            return row
    raise PackageError("package.csv", lines.number)


def _head(names: list[str], values: list[str], lines: _Lines) -> BatchHead:
    known = _names(names, HEADER_FIELDS, lines)
    head = head_of(dict(zip(known, map(_plain, values), strict=False)), is_readable=len(known) == len(values))
    return head if "batch_number" in known else BatchHead(findings=(FINDINGS["batch.unreadable"],))


def _names(row: list[str], known: Sequence[str], lines: _Lines) -> list[str]:
    """Give the names of columns.  Raises: PackageError: none is known, or a known one is there twice."""
    names = [_plain(cell) for cell in row]
    told = [name for name in names if name in known]
    if not told or len(told) != len(set(told)) or len(names) > COLUMNS_MAX:
        raise PackageError("package.csv", lines.number)
    return names


def _plain(cell: str) -> str:
    """Give the text of a cell, without what keeps a spreadsheet from reading it as a number."""
    return cell[2:-1] if len(cell) >= 3 and cell.startswith('="') and cell.endswith('"') else cell
