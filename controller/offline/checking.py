"""Checking: the parts of a file in, an answer to each part out, batch by batch.

A batch's answers wait for its end, because the last row may show that two people share a number.  What waits are
findings and digests of at most 10,000 rows, no texts and no pictures; the members of a longer batch, which is refused
whatever follows, are answered as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

import msgspec

from controller.application import ACCEPTANCE_DIGITS, LAST_INDEX, Application
from controller.checks.batch import check_batch
from controller.checks.codes import Severity
from controller.checks.context import CheckContext
from controller.checks.days import are_digits, is_day
from controller.checks.digests import person_digests
from controller.checks.duplicates import Person, check_duplicates
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.rows import check_texts
from controller.checks.structure import CARD_KINDS
from controller.offline.answers import Answer
from controller.offline.history import History
from controller.offline.jsonl import NUMBER_SHOWN
from controller.offline.parts import BatchHead, Part, Record
from controller.offline.pictures import Pictures

DIGEST_BYTES = 16  # of the keyed digests, which live no longer than the run
ROWS_MAX = LAST_INDEX + 1
_BATCH_DAY = slice(12, 20)


class _Row(msgspec.Struct):
    """What is kept of one application until its batch ends."""

    shown: str
    person: Person
    reason: str
    findings: list[Finding]
    first: list[Finding] | None = None  # as of the day on which a batch of this number came first, if another


class Checking:
    """Answers the parts of one file; `answer` takes them in order, `end` closes the last batch."""

    def __init__(
        self,
        context: CheckContext,
        pictures: Pictures,
        digest_key: bytes,
        is_made: Callable[[str, str], bool] = lambda kind, day: True,
    ) -> None:
        """Take the checks' context, whose day stands in where a header has none, and who looks at portraits.

        `digest_key`: any secret of the run, for the digests by which people are compared.  `is_made`: says whether
        the centre makes a card kind on a day.
        """
        self._tables, self._pictures, self._key, self._is_made = context, pictures, digest_key, is_made
        self._history = History()
        self._head: BatchHead | None = None
        self._context, self._first_context = context, context
        self._rows: list[_Row] = []
        self._present, self._content, self._is_over = 0, sha256(), False

    def answers(self, parts: Iterable[Part]) -> Iterator[Answer]:
        """Give the answer to each part, in their order."""
        for part in parts:
            if isinstance(part, BatchHead):
                yield from self._close()
                self._open(part)
            else:
                yield from self._take(part)
        yield from self._close()

    # ---- batches ----------------------------------------------------------------------------------------------

    def _open(self, head: BatchHead) -> None:
        self._head, self._rows = head, []
        self._present, self._content, self._is_over = 0, sha256(), False
        kind = head.card_kind if head.card_kind in CARD_KINDS else ""  # rows are not told what is the header's fault
        days = (head.received_on, head.batch_number[_BATCH_DAY])
        today = next((day for day in days if is_day(day)), self._tables.today)
        self._context = self._first_context = self._tables.on(today, kind or "")
        seen = self._history.seen(head.batch_number)
        if seen and seen.received_on != today:
            self._first_context = self._tables.on(seen.received_on, kind or "")

    def _close(self) -> Iterator[Answer]:
        """Answer what waits: the batch, then its rows."""
        if self._head is not None and not self._is_over:
            yield from self._whole(self._head)

    def _whole(self, head: BatchHead) -> Iterator[Answer]:
        content = sha256(f"{head.count} {head.card_kind} ".encode("utf-8", "replace") + self._content.digest()).digest()
        seen = self._history.seen(head.batch_number)
        is_again = seen is not None and seen.content == content
        if is_again:  # the same batch again gets the same answer, on whatever day it comes
            self._context = self._first_context
            for row in self._rows:
                row.findings = row.findings if row.first is None else row.first
        faults = self._batch_faults(head, seen_other=seen is not None and not is_again)
        turn = seen.turn if seen and is_again else self._history.turn
        people = [row.person for row in self._rows]
        self._find_duplicates(people, turn)
        if seen is None and not _NEVER_MET.intersection(faults):
            self._history.meet(head.batch_number, content, self._context.today)
            if not faults:
                are_open = [verdict(row.findings) < Severity.REFUSE for row in self._rows]
                self._history.enter(people, are_open, turn)
        yield Answer(head.batch_number, tuple(faults), is_batch=True)
        yield from (_answer(row.shown, row.findings) for row in self._rows)

    def _batch_faults(self, head: BatchHead, *, seen_other: bool) -> list[Finding]:
        """Give why a batch is refused; a header that could not be read says nothing more."""
        if head.findings:
            return list(head.findings)
        faults = check_batch(
            head.batch_number,
            head.count,
            self._present,
            seen_other=seen_other,
            card_kind=head.card_kind,
            kind_is_made=not head.card_kind or self._is_made(head.card_kind, self._context.today),
        )
        return faults if is_day(head.received_on) else [*faults, FINDINGS["batch.received_on"]]

    def _find_duplicates(self, people: list[Person], turn: int) -> None:
        own = [verdict(row.findings) for row in self._rows]
        known, reasons = self._history.known(people, turn), [row.reason for row in self._rows]
        for index, finding in check_duplicates(people, own, known, reasons, self._tables.policy):
            self._rows[index].findings.append(finding)

    # ---- applications -----------------------------------------------------------------------------------------

    def _take(self, record: Record) -> Iterator[Answer]:
        """Keep a row until its batch ends; answer it at once where there is nothing to wait for."""
        # More empty lines than a batch has rows are counted as rows, so that what waits stays bounded.
        self._present += record.is_counted or len(self._rows) - self._present >= ROWS_MAX
        row = self._look(record)
        if self._head is None:
            row.findings.append(FINDINGS["record.no_batch"])
        elif not self._is_over:
            self._rows.append(row)
            if self._present > ROWS_MAX:
                yield from self._whole(self._head)
                self._is_over, self._rows = True, []
            return
        yield _answer(row.shown, row.findings)

    def _look(self, record: Record) -> _Row:
        """Give what one application shows by itself."""
        app, findings, first, digest = record.application, list(record.findings), None, b""
        if not findings:
            picture = self._pictures.look(record.portrait)
            digest = picture.digest
            findings = [*check_texts(app, self._context), *picture.findings]
            if self._first_context is not self._context:
                first = [*check_texts(app, self._first_context), *picture.findings]
        identity, person = person_digests(app, self._key)
        if record.is_counted:
            self._content.update(_digest_of(app, digest))
        number = app.acceptance_number if are_digits(app.acceptance_number, ACCEPTANCE_DIGITS) else ""
        row = Person(len(self._rows), number, identity[:DIGEST_BYTES], person[:DIGEST_BYTES])
        return _Row(app.acceptance_number[:NUMBER_SHOWN], row, app.reason[:2], findings, first)


# A batch of which the number itself is wrong was never met.
_NEVER_MET = frozenset(FINDINGS[code] for code in ("batch.unreadable", "batch.number", "batch.date", "batch.sequence"))


def _answer(number: str, findings: list[Finding]) -> Answer:
    return Answer(number, tuple(findings))


def _digest_of(app: Application, picture: bytes) -> bytes:
    """Give what tells one application's content from another's."""
    texts = (getattr(app, name).encode("utf-8", "surrogatepass") for name in _TEXTS)
    return sha256(b"\xff".join((*texts, picture))).digest()


_TEXTS = tuple(name for name in Application.__struct_fields__ if name != "portrait")
