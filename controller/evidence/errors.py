"""The errors of evidence: a class has a stable `code`, and no text of them repeats a secret."""

from __future__ import annotations


class EvidenceError(Exception):
    """Something about signed receipts that its caller must know."""

    code = "evidence"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class SecretExposed(EvidenceError):
    """The file of the signing key may be read by others than its owner."""

    code = "evidence.key_mode"


class KeyFileUnfit(EvidenceError):
    """A key file does not hold Ed25519 keys in PEM."""

    code = "evidence.key_unfit"


class SecretMissing(EvidenceError):
    """The signing key is gone, and receipts were signed with it."""

    code = "evidence.key_missing"


class SecretOther(EvidenceError):
    """The signing key is none of those that others know as this centre's."""

    code = "evidence.key_other"


class Unreadable(EvidenceError):
    """A file cannot be read."""

    code = "evidence.unreadable"


class FileInUse(EvidenceError):
    """Another program writes this file of receipts."""

    code = "evidence.file_in_use"


class FileOther(EvidenceError):
    """A file holds something else than the receipts that are to be added to it."""

    code = "evidence.file_other"
