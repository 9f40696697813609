"""Tone curves by lot: what film and ribbon do to a portrait, from a table that is read again when it changes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import structlog

from controller.config import ConfigError, PortraitConfig
from controller.core.supply import SUPPLY_KINDS
from controller.table_file import TableFile, read_table
from devices.defects import Step
from encoders.tone import IDENTITY, Point, ToneError, one_after_another, require_points, tone_table

log = structlog.get_logger()
COLUMNS = ("kind", "lot", "level", "printed")
KINDS = tuple(SUPPLY_KINDS[Step.PRINT])  # film first: a ribbon is to print what the film needs
MAX_LOT = 64
MAX_TABLE_BYTES = 1 << 18  # hundreds of lots; it is read where a printer waits for its load
TABLES_KEPT = 64  # of lots in use: one takes some milliseconds to reckon

Curves = dict[tuple[str, str], tuple[Point, ...]]  # kind and lot -> points of its curve


class ToneTableError(ConfigError):
    """The table of tone curves cannot be used; the sentence names file and line."""

    code = "tones.malformed"


class Tones:
    """The curves of a file; without a path every portrait is printed as it is.

    A file that breaks later is named in the log, and the last good curves hold on.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read the table.  Raises: ToneTableError."""
        self._file = TableFile(path, read_tones, "tone curves", "lots") if path else None
        self._told: dict[str, list[str]] = {}  # station -> what it was loaded with and has no curve

    def known(self) -> set[str]:
        """Give the lots that have a curve, like `film A7`."""
        return {f"{kind} {lot}" for kind, lot in self._curves()}

    def table_for(self, lots: Mapping[str, str]) -> tuple[bytes, list[str]]:
        """Give the table of lots by kind, empty for none; and what of them has no curve, like `film A8`.

        A kind is missed only where the file has curves of that kind: who measures films alone is not told of ribbons.
        """
        curves, table, missing = self._curves(), IDENTITY, []
        for kind in KINDS:
            lot = lots.get(kind, "")
            if (kind, lot) in curves:
                table = one_after_another(table, _table(curves[kind, lot]))
            elif any(known == kind for known, _ in curves):
                missing.append(f"{kind} {lot}" if lot else kind)
        return b"" if table == IDENTITY else table, missing

    def table_at(self, station: str, lots: Mapping[str, str]) -> bytes:
        """Give the table of the lots a printer is loaded with; what has no curve is said in the log, once."""
        table, missing = self.table_for(lots)
        if missing != self._told.get(station, []):
            self._told[station] = missing
            if missing:
                log.warning("no tone curve for what a printer is loaded with", station=station, lots=missing)
        return table

    def _curves(self) -> Curves:
        return self._file.rows() if self._file else {}


def open_tones(config: PortraitConfig) -> Tones:
    """Give the curves of a section.  Raises: ToneTableError."""
    return Tones(Path(config.tones) if config.tones else None)


def read_tones(path: Path) -> Curves:
    """Give the curves of a CSV `kind,lot,level,printed`, a row for each point, rising.  Raises: ToneTableError."""
    text = read_table("portraits.tones", path, MAX_TABLE_BYTES, ToneTableError)
    reader = csv.reader(io.StringIO(text), strict=True)
    points: dict[tuple[str, str], list[Point]] = {}
    lines: dict[tuple[str, str], list[int]] = {}
    try:
        for number, row in enumerate(reader, 1):
            if number == 1 and tuple(cell.strip() for cell in row) != COLUMNS:
                raise _broken(path, 1, f"the columns {','.join(COLUMNS)}")
            if number == 1 or not row:
                continue
            whose, point = _point(path, reader.line_num, row)
            points.setdefault(whose, []).append(point)
            lines.setdefault(whose, []).append(reader.line_num)
    except csv.Error:
        raise _broken(path, reader.line_num, "comma separated values") from None
    if not points:
        raise _broken(path, reader.line_num + 1, "a curve of at least one lot")
    return {whose: _curve(path, lines[whose], points[whose]) for whose in points}


def _point(path: Path, line: int, row: list[str]) -> tuple[tuple[str, str], Point]:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS):
        raise _broken(path, line, f"{len(COLUMNS)} cells")
    kind, lot, *levels = cells
    if kind not in KINDS:
        raise _broken(path, line, f"a kind of {', '.join(KINDS)}")
    if not 1 <= len(lot) <= MAX_LOT or not lot.isprintable():
        raise _broken(path, line, f"a lot of 1 to {MAX_LOT} characters")
    if not all(cell.isascii() and cell.isdigit() and len(cell) <= 3 for cell in levels):
        raise _broken(path, line, "levels as whole numbers 0 to 255")
    return (kind, lot), (int(levels[0]), int(levels[1]))


def _curve(path: Path, lines: list[int], points: list[Point]) -> tuple[Point, ...]:
    try:
        require_points(points)
    except ToneError as error:
        raise ToneTableError(f"portraits.tones: {path}, line {lines[error.place]}: {error.text}") from None
    return tuple(points)


@lru_cache(maxsize=TABLES_KEPT)
def _table(points: tuple[Point, ...]) -> bytes:
    return tone_table(points)


def _broken(path: Path, line: int, expected: str) -> ToneTableError:
    return ToneTableError(f"portraits.tones: {path}, line {line}: expected {expected}")
