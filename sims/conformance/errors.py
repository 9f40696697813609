"""The errors of the conformance kit: a run that cannot be begun, or that nobody answers."""

from __future__ import annotations

NO_ANSWER_CODE = "conformance.no_answer"


class ConformanceError(Exception):
    """A run that cannot be begun; the sentence says why.  `code` is stable."""

    code = "conformance.usage"


class NoAnswer(ConformanceError):
    """Nobody answers at the address, or not as a service does."""

    code = NO_ANSWER_CODE
