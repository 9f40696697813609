"""The errors of the audit: a class has a stable `code`."""

from __future__ import annotations


class AuditError(Exception):
    """What is asked cannot be looked at; the sentence says why."""

    code = "audit"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class NoLedger(AuditError):
    """There is no ledger in the data folder."""

    code = "audit.no_ledger"


class Unreadable(AuditError):
    """A file, or the ledger itself, cannot be read as what it should be."""

    code = "audit.unreadable"
