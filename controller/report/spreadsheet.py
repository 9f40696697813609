"""CSV that a spreadsheet opens without harm: digits that are names stay text, and nobody's text becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

BOM = "﻿"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
DIGITS_SAFE = 10  # a spreadsheet keeps 15 digits of a number; of so many it drops no leading 0 that we write

Cell = str | int | float | bool
Row = Sequence[Cell]


def cell(value: Cell) -> str:
    """Give a value as a spreadsheet must see it.

    Text of digits alone that is long or begins with 0, and text that a spreadsheet would take for a formula, is
    written as `="…"`: a formula whose value is that text.  Counts and shares stay numbers.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3f}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**DIGITS_SAFE else quoted(str(value))
    value = " ".join(value.splitlines())  # a line's end within a cell is for nobody's good
    is_number = value.isascii() and value.isdigit() and (len(value) >= DIGITS_SAFE or value.startswith("0"))
    is_formula = value.lstrip(" ").startswith(FORMULAS)
    return quoted(value) if is_number or is_formula else value


def quoted(text: str) -> str:
    """Give a text without a line's end as a formula that gives it."""
    doubled = text.replace('"', '""')
    return f'="{doubled}"'


def lines_of(rows: Iterable[Row]) -> bytes:
    """Give rows as lines of a CSV without BOM: more of a sheet that is written piece by piece."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def sheet(tables: Iterable[tuple[str, Sequence[str], Iterable[Row]]]) -> bytes:
    """Give tables (title, heads, rows) below each other as one CSV: UTF-8 with BOM, lines end in CR LF."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    for place, (title, heads, rows) in enumerate(tables):
        if place:
            lines.writerow([])
        lines.writerow([cell(title)])
        lines.writerow([cell(head) for head in heads])
        lines.writerows([cell(value) for value in row] for row in rows)
    return (BOM + out.getvalue()).encode()
