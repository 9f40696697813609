"""Judging: a whole batch gets its verdicts, one batch after another, because two may hold the same person."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import structlog
import trio

from controller.application import card_id
from controller.checks.batch import check_batch
from controller.checks.codes import CODES, Severity
from controller.checks.duplicates import Known, Person, Standing, check_duplicates
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.policy import Policy, SharedNumber
from controller.clock import day_start_floor_s
from controller.config import KindConfig
from controller.core.calendar import DAY_S
from controller.core.cards import Decision, State
from controller.core.events import AnyEvent, BatchChecked, DecisionMade
from controller.core.moves import RowVerdict, Verdict
from controller.hosts.live import Ticket
from controller.intake.revision import first_batch, is_correction
from controller.ledger.corrections import SentRow, SentRows, is_too_late
from controller.ledger.inbox import (
    GIVEN_UP,
    NEVER_WHOLE,
    InboxBatch,
    InboxRow,
    InboxState,
    SetBatchState,
    StoreVerdicts,
)
from controller.ledger.reader import MADE, Reader, VerdictRow
from controller.ledger.store import Ledger
from controller.refusals import Note, not_counted

log = structlog.get_logger()
QUERY_ROWS = 500  # so many digests or numbers are looked up in one query
TOO_LATE = "correct.too_late"
WAITING_MAX = 20_000  # intake says `busy` long before: `intake.batches_max` is 10,000 at most


class Judge:
    """Takes whole batches and tells the foreman their verdicts; what an earlier run left over goes first."""

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        post: Callable[[AnyEvent], Ticket],
        kinds: KindConfig | None = None,
        refused: Note = not_counted,
    ) -> None:
        self._ledger, self._policy, self._post, self._kinds = ledger, policy, post, kinds or KindConfig()
        self._refused = refused  # called with the first code of each application, or whole batch, that is refused
        self._send, self._receive = trio.open_memory_channel[InboxBatch](WAITING_MAX)
        self._waiting: set[int] = set()
        self._sent = SentRows(ledger.reading)
        self.history = trio.Lock()  # whoever decides by the history holds it until the decision is part of it

    @property
    def backlog(self) -> int:
        """Give the whole batches that wait for their verdicts."""
        return len(self._waiting)

    def is_whole(self, batch: InboxBatch) -> None:
        """Let a batch be judged; its last chunk may be sent again meanwhile."""
        if batch.batch_id not in self._waiting:
            self._waiting.add(batch.batch_id)
            self._send.send_nowait(batch)

    async def run(self) -> None:
        """Judge until cancelled."""
        reader = self._ledger.reader
        for batch in await trio.to_thread.run_sync(reader.unfinished):
            if batch.state != InboxState.RECEIVING or not reader.missing(batch.batch_id, batch.count):
                await self._judge_alone(batch)
        async for batch in self._receive:
            await self._judge_alone(batch)
            self._waiting.discard(batch.batch_id)

    async def _judge_alone(self, batch: InboxBatch) -> None:
        async with self.history:
            await self.judge_now(batch)

    async def judge_now(self, batch: InboxBatch) -> None:
        """Give a whole batch its verdicts, durable on return; the caller holds `history`."""
        reader = self._ledger.reader
        state = await trio.to_thread.run_sync(reader.announced, batch.batch_number)
        if state is None or await trio.to_thread.run_sync(reader.batch, batch.batch_id) is not None:
            return  # told before the last stop
        if state.codes == GIVEN_UP:  # before the last stop, and then not told
            await self._tell(batch, [], [NEVER_WHOLE])
            return
        if state.state == InboxState.CHECKED:
            found = await trio.to_thread.run_sync(reader.verdicts, batch.batch_id)
            rows = [verdict_again(one) for one in found]
            await self._tell(batch, rows, [])
            return
        codes = await self._take_place(batch) if is_correction(batch.batch_number) else []
        if codes:
            rows = []
        else:
            codes, rows = await trio.to_thread.run_sync(judge, reader, batch, self._policy, self._kinds)
        if codes:
            await self._ledger.write(SetBatchState(batch.batch_id, InboxState.REFUSED, codes))
        else:
            await self._ledger.write(StoreVerdicts(batch.batch_id, rows))
        await self._tell(batch, rows, codes)

    async def _take_place(self, batch: InboxBatch) -> list[str]:
        """Make room for a correction: end what it replaces if that is held; give why it is refused, else nothing.

        The foreman ends it before the correction is part of the history, so that of two revisions never both are open
        (law 1): a person may release it until then, and then the correction comes too late.  What a person refused
        until then it may replace as well.
        """
        others = await trio.to_thread.run_sync(self._others, batch)
        if is_too_late(others):
            return [TOO_LATE]
        held = [row for row in others if row.card_state == State.HELD]
        for row in held:
            event = DecisionMade(row.card, Decision.CORRECT, batch.upstream, batch.batch_number)
            await self._post(event).wait()
        after = await trio.to_thread.run_sync(self._others, batch) if held else others
        is_open = is_too_late(after) or any(row.card_state == State.HELD for row in after)
        return [TOO_LATE] if is_open else []

    def _others(self, batch: InboxBatch) -> list[SentRow]:
        [mine] = self._ledger.reader.rows(batch.batch_id)
        return [row for row in self._sent.of(mine.acceptance_number) if row.batch_id != batch.batch_id]

    async def _tell(self, batch: InboxBatch, rows: list[RowVerdict], codes: list[str]) -> None:
        due = day_start_floor_s(batch.due) + DAY_S
        contests: list[tuple[int, int]] = []
        if rows and self._policy.shared_number is SharedNumber.NEITHER:
            contests = await trio.to_thread.run_sync(contested, self._ledger.reader, batch.batch_id, rows)
        await self._post(
            BatchChecked(
                batch.batch_id,
                batch.batch_number,
                batch.upstream,
                batch.card_kind,
                batch.received_floor_s,
                due,
                rows,
                codes,
                contests,
            )
        ).wait()
        for found in [codes, *(row.codes for row in rows if row.verdict == Verdict.REFUSE)]:
            for code in found[:1]:
                self._refused(code)
        counts = {one.name.lower(): sum(row.verdict == one for row in rows) for one in Verdict}
        log.info("batch judged", batch_number=batch.batch_number, codes=codes, **counts)


def judge(
    reader: Reader, batch: InboxBatch, policy: Policy, kinds: KindConfig | None = None
) -> tuple[list[str], list[RowVerdict]]:
    """Give the codes for which a whole batch is refused, and the verdict of each row.  For a worker thread."""
    rows, corrects = reader.rows(batch.batch_id), is_correction(batch.batch_number)
    digest = sha256(b"".join(row.row_digest for row in rows)).hexdigest()
    faults = check_batch(
        first_batch(batch.batch_number),
        batch.count,
        len(rows),
        digest_agrees=digest == batch.digest,
        # a correction is of what came in time
        kind_is_made=corrects or (kinds or KindConfig()).is_made(batch.card_kind, batch.received_on),
    )
    if faults:
        return [fault.code for fault in faults], []
    findings = {row.index: [FINDINGS[code] for code in row.codes] for row in rows}
    people = [Person(row.index, row.acceptance_number, row.identity, row.person) for row in rows]
    own = [verdict(findings[row.index]) for row in rows]
    known = _history(reader, batch, rows)
    correcting = [row.acceptance_number for row in rows] if corrects else []
    for index, finding in check_duplicates(people, own, known, [row.reason for row in rows], policy, correcting):
        findings[index].append(finding)
    return [], [_verdict_of(row, findings[row.index]) for row in rows]


def _history(reader: Reader, batch: InboxBatch, rows: list[InboxRow]) -> list[Known]:
    """Give what the history holds of these rows' numbers and people."""
    numbers, people = {}, []
    for start in range(0, len(rows), QUERY_ROWS):
        some = rows[start : start + QUERY_ROWS]
        wanted = [row.acceptance_number for row in some if row.acceptance_number]
        for found in reader.known_numbers(wanted, batch.batch_id):
            numbers[(found.batch_id, found.index)] = found.acceptance_number
        people += reader.known_people([row.identity for row in some], batch.batch_id)
    known = []
    for person in people:
        place = (person.batch_id, person.index)
        number = numbers.pop(place, f"{place[0]}/{place[1]}")
        standing = Standing.MADE if person.standing == MADE else Standing.OPEN
        known.append(Known(number, person.identity, person.person, standing))
    return known + [Known(number, b"", b"", Standing.ENDED) for number in numbers.values()]


def contested(reader: Reader, batch_id: int, verdicts: list[RowVerdict]) -> list[tuple[int, int]]:
    """Give the earlier open cards whose number another person of this batch has, and that one's card.

    For the policy by which neither of two people with one number may have a card.  For a worker thread.
    """
    open_here = {row.index for row in verdicts if row.verdict != Verdict.REFUSE}
    rows = [row for row in reader.rows(batch_id) if row.index in open_here]
    found = []
    for start in range(0, len(rows), QUERY_ROWS):
        some = {row.identity: row for row in rows[start : start + QUERY_ROWS]}
        for known in reader.known_people(list(some), batch_id):
            row = some[known.identity]
            if known.standing != MADE and known.person != row.person:
                found.append((card_id(known.batch_id, known.index), card_id(batch_id, row.index)))
    return found


def verdict_again(row: VerdictRow) -> RowVerdict:
    """Give a verdict that was stored before the last stop."""
    return RowVerdict(
        row.index,
        row.acceptance_number,
        row.unit,
        Verdict(row.verdict),
        row.codes,
        row.fields,
        row.express,
        fee_class=row.fee_class,
        in_scope=row.in_scope,
    )


def _verdict_of(row: InboxRow, findings: list[Finding]) -> RowVerdict:
    """Give one row's verdict with the codes that led to it; notes are told too, behind them."""
    worst = verdict(findings)
    ordered = sorted(dict.fromkeys(findings), key=lambda one: -one.severity)
    if worst is Severity.REFUSE:
        ordered = [one for one in ordered if CODES[one.code].severity is Severity.REFUSE]
    codes, fields = [one.code for one in ordered], [one.field for one in ordered]
    return RowVerdict(
        row.index,
        row.acceptance_number,
        row.unit,
        Verdict(worst),
        codes,
        fields,
        row.express,
        fee_class=row.fee_class,
        in_scope=row.in_scope,
    )
