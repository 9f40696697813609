"""The check of the ethnic group's code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.finding import FINDINGS, Finding

# Codes some readers use for the two extension codes: taken on import, never written (DOMAIN.md 2.2).
ALIASES: Mapping[str, str] = MappingProxyType({"57": "97", "58": "98"})


def check_ethnic(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a code that is not in the table, and the two aliases.  Source: GB/T 3304 (DOMAIN.md 2.2, 11.4)."""
    if app.ethnic in context.ethnic or not app.ethnic:
        return
    yield FINDINGS["ethnic.alias" if app.ethnic in ALIASES else "ethnic.unknown"]
