"""Revisions of an application: how the batch of a correction is called, and what its name tells."""

from __future__ import annotations

import re

# a batch's 25 digits, the revision, and the application's index in that batch
_CORRECTION = re.compile(r"([0-9]{25})-C([1-9][0-9]{0,2})-([0-9]{1,4})")
REVISIONS_MAX = 999


def correction_number(batch_number: str, revision: int, index: int) -> str:
    """Give the batch number of a corrected application: that of the batch it came in first, `-C`, revision, index.

    `revision` is 1 to 999; `index` is the application's place in the first batch.
    """
    return f"{batch_number}-C{revision}-{index}"


def is_correction(batch_number: str) -> bool:
    """Say whether a batch holds a corrected application, and nothing else."""
    return _CORRECTION.fullmatch(batch_number) is not None


def first_batch(batch_number: str) -> str:
    """Give the 25 digits under which an upstream announced what this batch, perhaps a correction, began as."""
    found = _CORRECTION.match(batch_number)
    return found[1] if found else batch_number


def revision_of(batch_number: str) -> int:
    """Give the revision that a batch holds: 0 what was sent first; the case of a returned card has its card's."""
    found = _CORRECTION.match(batch_number)
    return int(found[2]) if found else 0
