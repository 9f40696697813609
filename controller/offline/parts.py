"""What a reader of any file shape gives: headers of batches, each followed by its records.

A reader is an iterator of parts, one part for each thing that must be answered, in the order of the file.  It holds
one record at a time.  What cannot be read is a part with findings; only a package that is not whole raises,
`PackageError`.
"""

from __future__ import annotations

import msgspec

from controller.application import Application
from controller.checks.finding import Finding

UNREADABLE_COUNT = -1  # fits no batch


class BatchHead(msgspec.Struct, frozen=True):
    """The header of a batch as far as it could be read.

    `received_on`: "today" of the checks, `YYYYMMDD`, or any other text.  `card_kind`: None when the header does not
    speak of it.  `findings`: why the header could not be read.  `due`: the checks of a file do not look at it.
    """

    batch_number: str = ""
    received_on: str = ""
    card_kind: str | None = None
    count: int = UNREADABLE_COUNT
    findings: tuple[Finding, ...] = ()
    due: str = ""


class Record(msgspec.Struct, frozen=True):
    """One application as far as it could be read: its texts, and the name by which its portrait is found.

    `findings`: why it could not be typed; then nothing else of it is checked.  `is_counted`: it stands for one of the
    applications that the header counts, which an empty line does not.
    """

    application: Application
    portrait: str = ""
    findings: tuple[Finding, ...] = ()
    is_counted: bool = True

    def __repr__(self) -> str:
        """Say that a record is here, and nothing about the person (law 8)."""
        return "<Record>"


Part = BatchHead | Record
