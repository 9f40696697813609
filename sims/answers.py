"""What the centre said of each application of a run, held against what was planted in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.checks.codes import CODES
from controller.ledger.receipts import (
    ACCEPTED,
    BATCH_CLOSED,
    CANCELLED,
    DISPATCHED,
    FINAL_KINDS,
    HELD,
    MADE,
    REFUSED,
    REFUSED_LATE,
    SPOILED_REMAKING,
)
from controller.wire import Receipt
from sims.planted import HOLD, NOTE, REFUSE, Planted

_VERDICTS = (REFUSED, HELD, ACCEPTED)  # the first word of the centre on an application
_SAID_WHEN = {REFUSE: REFUSED, HOLD: HELD, NOTE: ACCEPTED}  # a planted weight, and that word


@dataclass(slots=True)
class ApplicationAnswers:
    """All that was said of one application: how often each kind, and the first verdict with its codes and fields."""

    kinds: Counter[str] = field(default_factory=Counter)
    verdict: str = ""
    codes: Sequence[str] = ()
    fields: Sequence[str] = ()

    def take(self, receipt: Receipt) -> None:
        """Take one receipt about it."""
        self.kinds[receipt.kind] += 1
        if not self.verdict and receipt.kind in _VERDICTS:
            self.verdict, self.codes, self.fields = receipt.kind, receipt.codes, receipt.fields

    @property
    def finals(self) -> int:
        """How many final receipts of an accepted case there are: one is right (law 4)."""
        return sum(self.kinds[kind] for kind in FINAL_KINDS)


@dataclass(slots=True)
class BatchAnswers:
    """All that was said of one batch."""

    batch_number: str
    count: int
    rows: dict[int, ApplicationAnswers] = field(default_factory=dict)
    closed: dict[str, int] | None = None  # the counts of its `batch_closed`
    refused: list[str] | None = None  # the codes that refused it as a whole

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.closed is not None or self.refused is not None

    def kinds(self) -> Counter[str]:
        """Give how many applications heard each kind at least once."""
        return Counter(kind for row in self.rows.values() for kind in row.kinds)

    def counts(self) -> dict[str, int]:
        """Give the counts of law 4 as the receipts of single applications add up."""
        kinds = self.kinds()
        outcomes = {kind: kinds[kind] for kind in (REFUSED, CANCELLED, REFUSED_LATE, DISPATCHED)}
        return {"received": self.count, **outcomes}


class Answers:
    """All receipts of a run, each once and in order."""

    def __init__(self, counts: Mapping[str, int], planted: Mapping[str, Sequence[Planted]]) -> None:
        """Take the batches: applications of each, and what was planted in them, by batch number."""
        self.batches = {number: BatchAnswers(number, count) for number, count in counts.items()}
        self._planted = planted
        self.last = 0  # the newest receipt's number
        self.kinds: Counter[str] = Counter()
        self.gaps = self.repeated = self.foreign = 0

    def take(self, receipt: Receipt) -> None:
        """Take one receipt; one that was taken before only counts as repeated."""
        if receipt.number <= self.last:
            self.repeated += 1
            return
        self.gaps += bool(self.last) and receipt.number != self.last + 1
        self.last = receipt.number
        batch = self.batches.get(receipt.batch_number)
        if batch is None:
            self.foreign += 1  # of another run with the same key
            return
        self.kinds[receipt.kind] += 1
        if receipt.kind == BATCH_CLOSED:
            batch.closed = dict(receipt.counts)
        elif receipt.index < 0:
            batch.refused = list(receipt.codes)
        else:
            batch.rows.setdefault(receipt.index, ApplicationAnswers()).take(receipt)

    def refuse_batch(self, batch_number: str, code: str) -> None:
        """Take that a batch was refused when it was announced, which needs no receipt."""
        self.batches[batch_number].refused = [code]

    def over(self) -> bool:
        """Whether every batch is closed or refused."""
        return all(batch.over for batch in self.batches.values())

    def accepted(self) -> Iterator[tuple[str, int]]:
        """Give batch number and index of the accepted applications, in the order of the run."""
        for number, batch in self.batches.items():
            for index in sorted(batch.rows):
                if batch.rows[index].kinds[ACCEPTED]:
                    yield number, index

    def report(self) -> dict[str, Any]:
        """Give the counts, the receipts that are missing or too many, and how the planted faults were answered."""
        taken = [batch for batch in self.batches.values() if batch.refused is None]
        rows = [row for batch in taken for row in batch.rows.values()]
        outcomes = {kind: sum(bool(row.kinds[kind]) for row in rows) for kind in _OUTCOMES}
        submitted = sum(batch.count for batch in taken)
        ended = outcomes[CANCELLED] + outcomes[REFUSED_LATE] + outcomes[DISPATCHED]
        return {
            "submitted": submitted,
            **outcomes,
            "open": submitted - outcomes[REFUSED] - ended,
            "receipts": self._receipts(rows),
            "planted": self._judged(),
            "batches": [_batch_line(batch) for batch in self.batches.values()],
            "batches_refused": sum(batch.refused is not None for batch in self.batches.values()),
            "counts_differ": [b.batch_number for b in taken if b.closed is not None and b.closed != b.counts()],
        }

    def _receipts(self, rows: Sequence[ApplicationAnswers]) -> dict[str, Any]:
        return {
            "taken": sum(self.kinds.values()),
            "by_kind": dict(sorted(self.kinds.items())),
            "final": sum(row.finals for row in rows),
            "missing": sum(bool(row.kinds[ACCEPTED]) and not row.finals for row in rows),
            "double": sum(row.finals > 1 or row.kinds[ACCEPTED] > 1 or row.kinds[REFUSED] > 1 for row in rows),
            "unaccepted": sum(bool(row.finals) and not row.kinds[ACCEPTED] for row in rows),
            "gaps": self.gaps,
            "repeated": self.repeated,
            "foreign": self.foreign,
        }

    def _judged(self) -> dict[str, Any]:
        """Give how each planted fault and each good application was answered."""
        counts: Counter[str] = Counter()
        wrong: list[dict[str, Any]] = []
        for number, batch in self.batches.items():
            if batch.refused is not None:
                continue
            planted = {one.index: one for one in self._planted.get(number, ())}
            counts["good_refused"] += sum(
                row.verdict in (REFUSED, HELD) for index, row in batch.rows.items() if index not in planted
            )
            for index, one in planted.items():
                row = batch.rows.get(index, ApplicationAnswers())
                right = _is_answered(one, row)
                counts[f"planted_{_NAMES[one.expected]}"] += 1
                counts[f"planted_{_NAMES[one.expected]}_caught"] += right
                if one.expected == HOLD and row.kinds[HELD]:
                    counts["held_released"] += bool(row.kinds[ACCEPTED])
                    counts["held_refused"] += bool(row.kinds[REFUSED])
                if not right:
                    wrong.append(_wrong_line(number, one, row))
        return {**{name: counts[name] for name in _JUDGED}, "wrong_code": wrong}


_OUTCOMES = (ACCEPTED, REFUSED, HELD, MADE, SPOILED_REMAKING, CANCELLED, REFUSED_LATE, DISPATCHED)
_NAMES = {REFUSE: "bad", HOLD: "hold", NOTE: "note"}
_JUDGED = (
    "planted_bad",
    "planted_bad_caught",
    "planted_hold",
    "planted_hold_caught",
    "planted_note",
    "planted_note_caught",
    "good_refused",
    "held_released",
    "held_refused",
)


def _is_answered(planted: Planted, row: ApplicationAnswers) -> bool:
    """Whether the first verdict is the expected one and the expected code stands among its codes, at its field."""
    found = zip(row.codes, row.fields, strict=False)
    return row.verdict == _SAID_WHEN[planted.expected] and (planted.code, planted.field) in found


def _wrong_line(batch_number: str, planted: Planted, row: ApplicationAnswers) -> dict[str, Any]:
    """Give what was expected and what was said; numbers and codes only."""
    found = list(zip(row.codes, row.fields, strict=False))
    return {
        "batch_number": batch_number,
        "index": planted.index,
        "fault": planted.fault,
        "expected": [planted.expected, planted.code, planted.field],
        "verdict": row.verdict,
        "found": [list(one) for one in found],
        "group_found": any(
            code in CODES and (CODES[code].group, where) == (planted.group, planted.field) for code, where in found
        ),
    }


def _batch_line(batch: BatchAnswers) -> dict[str, Any]:
    """Give one batch's counts."""
    line: dict[str, Any] = {"batch_number": batch.batch_number, **batch.counts(), "closed": batch.closed is not None}
    return line if batch.refused is None else {**line, "refused_for": batch.refused}
