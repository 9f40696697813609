"""The page of all codes for people: `python -m controller.checks.page > docs/codes.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from controller.checks.codes import CODES, GROUPS, Code
from controller.markdown import table

_HEAD = """\
# Codes of findings

Printed by `python -m controller.checks.page` from `controller/checks/tables/codes.csv`; do not edit.

Each finding on an application or a batch is a code and the wire field it speaks of. An application's verdict is that
of its gravest finding: **refuse** (sent back), **hold** (a person decides), **note** (made, and upstream is told).
"""
_TITLES = {
    "number": "Identity number",
    "names": "Names and addresses",
    "validity": "Validity and issuing authority",
    "portrait": "Portrait",
    "duplicate": "Duplicates",
    "reason": "Reason, production type, fee class",
    "structure": "Structure: batch, record, required fields, code lists",
}


def page() -> str:
    """Give the page as Markdown: a table for each group, in the order of the code table."""
    return _HEAD + "".join("\n".join(_section(group)) for group in GROUPS)


def _section(group: str) -> Iterator[str]:
    yield f"\n## {_TITLES[group]} (`{group}`)\n"
    rows = (_row(code) for code in CODES.values() if code.group == group)
    yield from table(("code", "verdict", "field", "处理", "what to do"), rows)
    yield ""


def _row(code: Code) -> tuple[str, ...]:
    return f"`{code.code}`", code.severity.name.lower(), f"`{code.field}`", code.zh, code.en


if __name__ == "__main__":
    sys.stdout.write(page())
