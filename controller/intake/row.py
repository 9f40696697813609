"""The inbox row of an examined application."""

from __future__ import annotations

from controller.intake.examination import Examined
from controller.ledger.inbox import InboxRow


def inbox_row(index: int, found: Examined) -> InboxRow:
    """Give what the inbox keeps of an examined application."""
    return InboxRow(
        index,
        found.acceptance_number,
        found.row_digest,
        found.identity,
        found.person,
        found.unit,
        found.express,
        found.reason,
        [one.code for one in found.findings],
        [one.field for one in found.findings],
        found.fee_class,
        found.in_scope,
    )
