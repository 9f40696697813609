"""What the service's codes say to people, in the language of whoever reads."""

from __future__ import annotations

from controller.checks.codes import CODES
from controller.intake.receipts import sentence_of
from devices.defects import DEFECTS, GOOD

BETWEEN = " / "  # the Chinese and the English of a sentence that stands nowhere else


def coded(code: str, language: str) -> str:
    """Give the sentence of a code of checks, defects or receipts, empty for good; an unknown one speaks for itself."""
    if code == GOOD:
        return ""
    row = CODES.get(code) or DEFECTS.get(code)
    if row is not None:
        return row.zh if language == "zh" else row.en
    chinese, _, english = sentence_of(code).partition(BETWEEN)
    return english if english and language != "zh" else chinese
