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
_PRINTABLE = range(1, NAME_UNITS + 1)
_ANY_NAME = range(101)  # of a county's authority; a longer text is no name at all


def read_ethnic(text: str) -> Mapping[str, str]:
    """Give two-digit code -> name as printed (without 族) from CSV with `code` and `card_name`.  Raises: TableError."""
    return MappingProxyType(_read(text, "ethnic", 2, "card_name", _PRINTABLE))


def read_authorities(text: str) -> Mapping[str, str]:
    """Give six-digit county code -> issuing authority from CSV with `code` and `name`.

    One county must not cost the others their cards: an empty name is no entry, and a name of more than 15 places is
    kept, so that its county's applications are refused one by one (DOMAIN.md 11.5).
    Raises: TableError.
    """
    names = _read(text, "authorities", 6, "name", _ANY_NAME)
    return MappingProxyType({code: name for code, name in names.items() if name})


def _read(text: str, table: str, digits: int, column: str, places: range) -> dict[str, str]:
    names: dict[str, str] = {}
    try:
        for line, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), start=2):
            code, name = row.get("code") or "", row.get(column)
            if not are_digits(code, digits) or code in names:
                raise TableError(table, line, f"a column code with {digits} digits, each once")
            if name is None or units_of(name) not in places:
                raise TableError(table, line, f"a column {column} with {places[0]} to {places[-1]} places")
            names[code] = name
    except csv.Error as error:
        raise TableError(table, len(names) + 2, "comma separated values") from error
    if not any(names.values()):
        raise TableError(table, 1, f"the columns code,{column} and at least one row")
    return names
