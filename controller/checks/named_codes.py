"""Tables that give a name to a code: ethnic groups, and the issuing authority of each county."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from types import MappingProxyType

from controller.checks.characters import units_of
from controller.checks.days import are_digits
from controller.checks.errors import TableError

NAME_UNITS = 15  # places the chip record has for an authority (GA 490, DOMAIN.md 2.2)


def read_ethnic(text: str) -> Mapping[str, str]:
    """Give two-digit code -> name as printed (without 族) from CSV with `code` and `card_name`.  Raises: TableError."""
    return _read(text, "ethnic", 2, "card_name")


def read_authorities(text: str) -> Mapping[str, str]:
    """Give six-digit county code -> issuing authority from CSV with `code` and `name`.  Raises: TableError."""
    return _read(text, "authorities", 6, "name")


def _read(text: str, table: str, digits: int, column: str) -> Mapping[str, str]:
    names: dict[str, str] = {}
    try:
        for line, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), start=2):
            code, name = row.get("code") or "", row.get(column) or ""
            if not are_digits(code, digits) or code in names:
                raise TableError(table, line, f"a column code with {digits} digits, each once")
            if not 1 <= units_of(name) <= NAME_UNITS:
                raise TableError(table, line, f"a column {column} with 1 to {NAME_UNITS} places")
            names[code] = name
    except csv.Error as error:
        raise TableError(table, len(names) + 2, "comma separated values") from error
    if not names:
        raise TableError(table, 1, f"the columns code,{column} and at least one row")
    return MappingProxyType(names)
