"""An answer to one line of a file of applications, as JSON, and the count of all answers."""

from __future__ import annotations

import json
from collections import Counter

import msgspec

from controller.checks.codes import CODES, Severity
from controller.checks.finding import Finding, verdict

_FRAGMENTS = {
    code: json.dumps({"code": code, "group": row.group, "field": row.field, "severity": row.severity.name.lower()})
    for code, row in CODES.items()
}
_WORDS = {severity: severity.name.lower() for severity in Severity}


class Answer(msgspec.Struct, frozen=True):
    """What is said of a batch or of one application; `number` is the batch's or the acceptance number as it came."""

    number: str
    findings: tuple[Finding, ...]
    is_batch: bool = False

    @property
    def verdict(self) -> Severity:
        """Give the gravest of the findings."""
        return verdict(self.findings)

    def line(self) -> str:
        """Give the answer as one line of JSON in ASCII, gravest findings first, without a line end."""
        name = "batch_number" if self.is_batch else "acceptance_number"
        ordered = sorted(dict.fromkeys(self.findings), key=lambda one: -one.severity)
        findings = ", ".join(_FRAGMENTS[one.code] for one in ordered)
        return f'{{"{name}": {json.dumps(self.number)}, "verdict": "{_WORDS[self.verdict]}", "findings": [{findings}]}}'


class Count:
    """How many batches and applications got which verdict, and how many answers hold which code."""

    def __init__(self) -> None:
        self.batches: Counter[str] = Counter()
        self.applications: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        (self.batches if answer.is_batch else self.applications)[_WORDS[answer.verdict]] += 1
        self.codes.update({finding.code for finding in answer.findings})
