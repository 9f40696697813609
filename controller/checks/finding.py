"""One fault found in one application: its code and its field; what they mean stands in the table of codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from controller.checks.codes import CODES, Severity


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """A code of the table and the wire field it speaks of; never a value, so it may be logged and stored."""

    code: str
    field: str

    @property
    def severity(self) -> Severity:
        """How grave the code is."""
        return CODES[self.code].severity

    @property
    def group(self) -> str:
        """The code's group: number, names, validity, portrait, duplicate, reason or structure."""
        return CODES[self.code].group


# A finding is settled by its code, so there is one object a code; a check looks it up and makes none.
FINDINGS: Mapping[str, Finding] = MappingProxyType({code: Finding(code, row.field) for code, row in CODES.items()})


def verdict(findings: Iterable[Finding]) -> Severity:
    """Give the gravest severity, OK for none."""
    return max((finding.severity for finding in findings), default=Severity.OK)
