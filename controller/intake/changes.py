"""What an upstream can still do to an application it sent: cancel or hasten it, or put a corrected one in its place."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import trio

from controller.checks.context import CheckContext
from controller.clock import floor_date
from controller.core.cards import State
from controller.core.events import AnyEvent, DecisionMade, ExpressAsked
from controller.core.turn import Turn
from controller.hosts.live import Ticket
from controller.intake.examination import Examined, examine
from controller.intake.judging import TOO_LATE, Judge
from controller.intake.place import RESTORED, Place
from controller.intake.quota import UpstreamQuota
from controller.intake.revision import correction_number, is_correction, revision_of
from controller.intake.row import inbox_row
from controller.ledger.corrections import SentRow, SentRows, is_too_late
from controller.ledger.inbox import AnnounceBatch, InboxBatch, InboxState, StoreChunk
from controller.ledger.rows import CardRow
from controller.ledger.store import Ledger
from controller.personal_text import refuse_personal
from controller.upkeep.disk import BUSY_S
from controller.vault.store import Vault
from controller.wire import (
    MAX_CHUNK_BYTES,
    Answer,
    Busy,
    CancelApplication,
    CorrectApplication,
    Corrected,
    Done,
    ExpressApplication,
    Refusal,
)

NOT_YOURS = "you sent no application with this number, or the batch it came in was refused as a whole"
NO_VERDICT = "its verdict is not out yet: wait for its receipt"
LATE = "only a refused or held application can be corrected, and this one is accepted: cancel it if it is not made yet"
OTHER_NUMBER = "the corrected application must have the acceptance number it corrects, 22 digits"
OTHER_CONTENT = "this revision was sent before with other content: a new content is the next revision"
NEXT = "this application has {0} corrections: the next revision is {1}"
PURGED = "its personal data were destroyed: send a new application"


class UpstreamChanges:
    """Takes one change at a time of what is known of an application; what an answer says is durable."""

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault,
        judge: Judge,
        context: CheckContext,
        place: Place,
        quota: UpstreamQuota,
        post: Callable[[AnyEvent], Ticket],
        workers: trio.CapacityLimiter,
    ) -> None:
        self._ledger, self._vault, self._judge, self._context = ledger, vault, judge, context
        self._place, self._quota, self._post, self._workers = place, quota, post, workers
        self._sent = SentRows(ledger.reading)

    # ---- cancel and express ------------------------------------------------------------------------------------

    async def cancel(self, user: str, request: CancelApplication) -> Answer:
        """Cancel what is accepted and not yet on a sheet; what is held is refused."""
        card = await self._newest(user, request)
        if isinstance(card, Refusal):
            return card
        if card.state in (State.CANCELLED, State.REFUSED):
            return Done(request=request.request)  # asked again: the same answer
        return await self._ask_foreman(request, DecisionMade(card.card_id, "cancel", user, request.reason))

    async def express(self, user: str, request: ExpressApplication) -> Answer:
        """Let what is not yet on a sheet go before the others; asked again, or sent so, it is done already."""
        card = await self._newest(user, request)
        if isinstance(card, Refusal):
            return card
        return await self._ask_foreman(request, ExpressAsked(card.card_id, user, request.reason))

    async def _newest(self, user: str, request: CancelApplication | ExpressApplication) -> CardRow | Refusal:
        """Give the newest card of an upstream's application, of whatever revision and case."""
        cards = await trio.to_thread.run_sync(self._ledger.reader.cards_of, request.acceptance_number)
        mine = next((card for card in cards if self._is_of(user, card.batch_id)), None)
        return mine or _no(request, "cancel.unknown", "no card of yours has this number")

    async def _ask_foreman(
        self, request: CancelApplication | ExpressApplication, event: DecisionMade | ExpressAsked
    ) -> Answer:
        typed = await refuse_personal(self._vault, {"reason": request.reason}, [event.card])
        if typed:
            return _no(request, typed.code, typed.text, "reason")
        turn: Turn = await self._post(event).wait()
        if turn.refused:
            return _no(request, turn.refused.code, turn.refused.text)
        return Done(request=request.request)

    def _is_of(self, user: str, batch_id: int) -> bool:
        batch = self._ledger.reader.batch(batch_id)
        return batch is not None and batch.upstream == user

    # ---- correct -----------------------------------------------------------------------------------------------

    async def correct(self, user: str, request: CorrectApplication) -> Answer:
        """Take the next revision of an application, and judge it at once.

        Under the judge's lock: no other revision, and nobody with the same identity number, is judged meanwhile.
        """
        async with self._judge.history:
            rows = await trio.to_thread.run_sync(self._rows_of, request.acceptance_number)
            history = [row for row in rows if row.has_number]
            if not history or history[0].upstream != user:
                waits = not history and any(row.upstream == user and row.undecided for row in rows)
                code, text = ("correct.no_verdict", NO_VERDICT) if waits else ("correct.unknown", NOT_YOURS)
                return _no(request, code, text)
            first, revisions = history[0], revisions_of(history[0], rows)
            known = revisions.get(request.revision)
            if known is not None:
                return self._known(request, known)
            before = correction_number(first.batch_number, request.revision - 1, first.index)
            skips = await trio.to_thread.run_sync(self._ledger.reader.announced, before) is not None
            refused = _not_next(request, revisions, history, skips=skips) or self._no_room(user, request, first)
            return refused or await self._take(request, first)

    def _rows_of(self, acceptance_number: str) -> list[SentRow]:
        # rows whose number cannot be read have an empty one, all of them
        return self._sent.of(acceptance_number) if acceptance_number else []

    def _known(self, request: CorrectApplication, known: SentRow) -> Answer:
        """Give the answer that this revision got before (law 5)."""
        # empty once it was purged: then nothing is left to be compared
        if known.row_digest and known.row_digest != sha256(request.application).digest():
            return _no(request, "correct.conflict", OTHER_CONTENT, "revision")
        if known.inbox_state == InboxState.REFUSED:
            return _no(request, TOO_LATE, LATE)
        return _corrected(request, known.batch_number)

    def _no_room(self, user: str, request: CorrectApplication, first: SentRow) -> Answer | None:
        """Give why nothing new is taken now."""
        if len(request.application) > MAX_CHUNK_BYTES:
            return _no(request, "chunk.limit", f"an application has at most {MAX_CHUNK_BYTES} bytes", "application")
        if self._place.is_restored():
            return _no(request, "restored.waits", RESTORED)
        if self._place.is_full():
            return Busy(request=request.request, retry_after_s=BUSY_S)
        return self._quota.charge(user, _number_of(request, first), 1, request.request)

    async def _take(self, request: CorrectApplication, first: SentRow) -> Answer:
        now, encoded = self._place.clock.now_floor_s(), bytes(request.application)
        found = await self._examined(encoded, floor_date(now), first.card_kind)
        if found.acceptance_number != request.acceptance_number:
            return _no(request, "correct.number", OTHER_NUMBER, "application")
        number, digest = _number_of(request, first), sha256(found.row_digest).hexdigest()
        of_first = (first.upstream, first.due, 1, digest, first.card_kind)
        batch = await self._ledger.write(AnnounceBatch(number, *of_first, floor_date(now), now))
        if batch.digest != digest:  # begun before with another content, and cut short: it is never made whole
            return _no(request, "correct.conflict", OTHER_CONTENT, "revision")
        if batch.received_on != floor_date(now):
            found = await self._examined(encoded, batch.received_on, first.card_kind)
        await self._vault.store_applications(batch.batch_id, [(0, encoded)])
        await self._ledger.write(StoreChunk(batch.batch_id, [inbox_row(0, found)]))
        return await self._judged(request, batch)

    async def _examined(self, encoded: bytes, today: str, card_kind: str) -> Examined:
        context = self._context.on(today, card_kind)
        examined = await trio.to_thread.run_sync(
            examine, [encoded], context, self._vault.site_key, limiter=self._workers
        )
        return examined[0]

    async def _judged(self, request: CorrectApplication, batch: InboxBatch) -> Answer:
        await self._judge.judge_now(batch)
        after = await trio.to_thread.run_sync(self._ledger.reader.announced, batch.batch_number)
        if after is not None and after.state == InboxState.REFUSED:
            return _no(request, TOO_LATE, LATE)  # a person released what it corrects meanwhile
        return _corrected(request, batch.batch_number)


def revisions_of(first: SentRow, rows: list[SentRow]) -> dict[int, SentRow]:
    """Give the corrections among the rows of an application's number, by revision."""
    found = {revision_of(row.batch_number): row for row in rows if is_correction(row.batch_number)}
    wanted = {revision: correction_number(first.batch_number, revision, first.index) for revision in found}
    return {revision: row for revision, row in found.items() if row.batch_number == wanted[revision]}


def _not_next(
    request: CorrectApplication, revisions: dict[int, SentRow], history: list[SentRow], *, skips: bool
) -> Answer | None:
    """Give why a revision that never came cannot come now; `skips`: the one before was begun and cut short."""
    last = max(revisions, default=0)
    if request.revision != last + 1 and not (skips and request.revision == last + 2):
        return _no(request, "correct.revision", NEXT.format(last, last + 1), "revision")
    if is_too_late(history):
        return _no(request, TOO_LATE, LATE)
    if any(row.undecided for row in [*history, *revisions.values()]):
        return _no(request, "correct.no_verdict", NO_VERDICT)
    if revisions.get(last, history[0]).purged_floor_s:
        return _no(request, "correct.purged", PURGED)
    return None


def _number_of(request: CorrectApplication, first: SentRow) -> str:
    return correction_number(first.batch_number, request.revision, first.index)


def _corrected(request: CorrectApplication, batch_number: str) -> Corrected:
    return Corrected(
        request=request.request,
        acceptance_number=request.acceptance_number,
        revision=request.revision,
        batch_number=batch_number,
    )


def _no(
    request: CancelApplication | CorrectApplication | ExpressApplication,
    code: str,
    text: str,
    field: str = "acceptance_number",
) -> Refusal:
    return Refusal(request=request.request, code=code, text=text, field=field)
