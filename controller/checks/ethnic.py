"""The ethnic groups of GB/T 3304 and the check of their code."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.days import are_digits
from controller.checks.errors import TableError
from controller.checks.finding import FINDINGS, Finding

# Codes some readers use for the two extension codes: taken on import, never written (DOMAIN.md 2.2).
ALIASES: Mapping[str, str] = MappingProxyType({"57": "97", "58": "98"})


def read_ethnic(text: str) -> Mapping[str, str]:
    """Give code -> name as printed on the card (without 族) from a CSV with `code` and `card_name`.

    Raises: TableError: a column is missing, a code is not two digits or a name is empty.
    """
    names: dict[str, str] = {}
    for line, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), start=2):
        code, name = row.get("code") or "", row.get("card_name") or ""
        if not are_digits(code, 2) or not name:
            raise TableError("ethnic", line, "two digits and a name")
        names[code] = name
    return MappingProxyType(names)


def check_ethnic(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a code that is not in the table, and the two aliases.  Source: GB/T 3304 (DOMAIN.md 2.2, 11.4)."""
    if app.ethnic in context.ethnic or not app.ethnic:
        return
    yield FINDINGS["ethnic.alias" if app.ethnic in ALIASES else "ethnic.unknown"]
