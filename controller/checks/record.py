"""Findings for a record that cannot be typed as an application: which of its fields has the wrong type."""

from __future__ import annotations

from controller.application import Application
from controller.checks.finding import FINDINGS, Finding


def type_findings(record: object) -> list[Finding]:
    """Give one finding for each wire field of the wrong type in what a decoder made of one application.

    Args: any value without a type: a map of fields is expected, missing and unknown ones are no fault here.
    Returns: empty when the record can be typed; never empty for anything but a map.
    """
    if not isinstance(record, dict):
        return [FINDINGS["record.unreadable"]]
    return [
        FINDINGS[f"type.{name}"]
        for name in Application.__struct_fields__
        if name in record and not isinstance(record[name], bytes if name == "portrait" else str)
    ]
