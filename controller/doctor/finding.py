"""A finding: one thing that was looked at, whether it is right, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is: `warning` works today, `wrong` does not, or will lose something."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, and one sentence about it, which says what to do where it is not right."""

    about: str
    verdict: Verdict
    text: str


def ok(about: str, text: str) -> Finding:
    """Give a finding that nothing is to be done about."""
    return Finding(about, Verdict.OK, text)


def warning(about: str, text: str) -> Finding:
    """Give a finding that somebody should look after."""
    return Finding(about, Verdict.WARNING, text)


def wrong(about: str, text: str) -> Finding:
    """Give a finding that has to be put right."""
    return Finding(about, Verdict.WRONG, text)
