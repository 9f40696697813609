"""The one table of codes: everything a check can find, how grave it is, and what is to be done about it."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

GROUPS = ("number", "names", "validity", "portrait", "duplicate", "reason", "structure")


class Severity(enum.IntEnum):
    """How grave a finding is; a verdict is the gravest of an application's findings (DOMAIN.md 11)."""

    OK = 0
    NOTE = 1  # made, and upstream is told
    HOLD = 2  # a person decides
    REFUSE = 3


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table: `field` is a wire field name, `zh` and `en` say what to do and hold no value."""

    code: str
    group: str
    severity: Severity
    field: str
    zh: str
    en: str


def read_codes(text: str) -> Mapping[str, Code]:
    """Give the codes of a CSV `code,group,severity,field,zh,en`, in its order.  Raises: KeyError: no such severity."""
    rows = csv.DictReader(io.StringIO(text))
    return MappingProxyType(
        {
            row["code"]: Code(
                row["code"], row["group"], Severity[row["severity"].upper()], row["field"], row["zh"], row["en"]
            )
            for row in rows
        }
    )


# The rows stand in a CSV so that a translator can mend a sentence; nothing else in the house spells one.
CODES: Mapping[str, Code] = read_codes(files("controller.checks.tables").joinpath("codes.csv").read_text("utf-8"))
