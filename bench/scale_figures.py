"""Figures of RESULTS.md by benchmark and path, each with the command that gave it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.results_page import sections

_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
_COMMAND = re.compile(r"^    (python -m bench .+)$", re.MULTILINE)
_TAKEN = re.compile(r"^Taken (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and where it comes from."""

    value: float
    spread: float | None
    command: str
    taken: str


class Figures:
    """All figures of a page of results."""

    def __init__(self, page: str) -> None:
        self._sections = sections(page)
        self._rows: dict[str, Mapping[str, tuple[str, str]]] = {}

    def find(self, bench: str, path: str) -> Figure | None:
        """Give a figure; None where it was not measured, or its run failed."""
        section = self._sections.get(bench, "")
        rows = self._rows.setdefault(bench, {name: (value, wide) for name, value, wide in _ROW.findall(section)})
        if path not in rows:
            return None
        value, spread = (_number(text) for text in rows[path])
        command, taken = _COMMAND.search(section), _TAKEN.search(section)
        if value is None or command is None:
            return None
        return Figure(value, spread, command[1], taken[1] if taken else "")

    def value(self, bench: str, path: str) -> float | None:
        """Give a figure's value alone."""
        found = self.find(bench, path)
        return found.value if found else None


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", ""))
    except ValueError:
        return None
