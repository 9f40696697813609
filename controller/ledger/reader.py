"""The reader: short questions to the ledger on read-only connections of its own; any thread may ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, bindparam, func, select

from controller.application import CARD_IDS_PER_BATCH, card_id
from controller.core.cards import State
from controller.intake.revision import revision_of
from controller.ledger import questions, tables
from controller.ledger.columns import counts_in, words_in
from controller.ledger.consignments import Consignments, SentUnit
from controller.ledger.inbox import BATCH_OF_NUMBER, InboxBatch, InboxRow, InboxState
from controller.ledger.prepared import Prepared
from controller.ledger.rows import BatchRow, CardRow
from controller.packing.manifest import Manifest
from controller.wire import MAX_RECEIPTS_PER_PAGE, Receipt

OPEN, MADE = "open", "made"
_MADE = frozenset({State.MADE.value, State.DISPATCHED.value})
_NEVER_MADE = frozenset({State.REFUSED.value, State.CANCELLED.value, State.REFUSED_LATE.value})


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """An application of the history whose card is open or made."""

    identity: bytes
    person: bytes
    batch_id: int
    index: int
    standing: str  # open, or made: in a bundle or sent


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """An acceptance number of the history, and where it came."""

    acceptance_number: str
    batch_id: int
    index: int


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What the inbox knows of one checked application."""

    index: int
    acceptance_number: str
    unit: str
    express: bool
    verdict: int
    codes: list[str]
    fields: list[str]
    fee_class: str
    in_scope: bool


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """A card that waits for a person."""

    card_id: int
    acceptance_number: str
    unit: str
    state: str
    codes: list[str]
    fields: list[str]
    since_floor_s: float


class Reader:
    """Answers from what is durable.  Each call is one short transaction: a long one would pin the write-ahead log."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._consignments = Consignments(engine)

    # ---- inbox -------------------------------------------------------------------------------------------------

    def announced(self, batch_number: str) -> InboxBatch | None:
        """Give a batch as it was announced, by its number."""
        found = self._ask(BATCH_OF_NUMBER, batch_number=batch_number)
        return InboxBatch(*found[0][:-1]) if found else None  # all but its hash

    def unfinished(self) -> list[InboxBatch]:
        """Give the batches that the floor has not heard of yet, oldest first: what intake goes on with at a start."""
        batch, floor = tables.inbox_batch, tables.batch
        query = (
            select(batch)
            .outerjoin(floor, floor.c.batch_id == batch.c.batch_id)
            .where(floor.c.batch_id.is_(None), batch.c.state != InboxState.RETURNED.value)
            .order_by(batch.c.batch_id)
        )
        return [InboxBatch(*row[:-1]) for row in self._all(query)]

    def announced_on(self, day: str) -> list[InboxBatch]:
        """Give the batches that came on a floor day `YYYYMMDD`.  Cost: a look at each batch there ever was."""
        batch = tables.inbox_batch
        query = select(batch).where(batch.c.received_on == day).order_by(batch.c.batch_id)
        return [InboxBatch(*row[:-1]) for row in self._all(query)]

    def missing(self, batch_id: int, count: int) -> list[tuple[int, int]]:
        """Give what is not stored of a batch of `count` applications, as (first index, how many)."""
        return _gaps([index for (index,) in self._ask(questions.INDEXES, batch_id=batch_id)], count)

    def rows(self, batch_id: int) -> list[InboxRow]:
        """Give the stored applications of a batch, in order of index."""
        return [_inbox_row(row) for row in self._ask(questions.ROWS, batch_id=batch_id)]

    def row(self, batch_id: int, index: int) -> InboxRow | None:
        """Give one stored application of a batch."""
        table = tables.inbox_application
        rows = self._all(select(table).where(table.c.batch_id == batch_id, table.c.idx == index))
        return _inbox_row(rows[0]) if rows else None

    def stored_digests(self, batch_id: int, indexes: Sequence[int]) -> dict[int, bytes]:
        """Give the row digests of those applications of a batch that are stored, by index."""
        if not indexes:
            return {}
        wanted, near = set(indexes), {"first": min(indexes), "last": max(indexes)}
        return {
            index: digest
            for index, digest in self._ask(questions.DIGESTS, batch_id=batch_id, **near)
            if index in wanted
        }

    def verdicts(self, batch_id: int) -> list[VerdictRow]:
        """Give the applications of a batch with their verdicts (-1: none yet), in order of index."""
        table = tables.inbox_application
        columns = (table.c.idx, table.c.acceptance_number, table.c.unit, table.c.express, table.c.verdict)
        campaign = (table.c.fee_class, table.c.in_scope)
        query = select(*columns, table.c.codes, table.c.fields, *campaign).where(table.c.batch_id == batch_id)
        rows = self._all(query.order_by(table.c.idx))
        return [VerdictRow(*row[:5], *map(words_in, row[5:7]), *row[7:]) for row in rows]

    def known_numbers(self, acceptance_numbers: Sequence[str], but_batch: int = 0) -> list[KnownNumber]:
        """Give those of some acceptance numbers that the history holds, outside the batch `but_batch`."""
        values = {"acceptance_numbers": list(acceptance_numbers), "but_batch": but_batch}
        return [KnownNumber(*found) for found in self._all(questions.KNOWN_NUMBERS, **values)]

    def known_people(self, identities: Sequence[bytes], but_batch: int = 0) -> list[KnownPerson]:
        """Give the open and made applications with one of some identity digests, outside the batch `but_batch`.

        The same identity with another `person` digest is a number that two people share.  What was refused or
        cancelled does not count; what is checked but not yet on the floor counts as open.
        """
        return [
            KnownPerson(found.identity, found.person, found.batch_id, found.idx, MADE if found.state in _MADE else OPEN)
            for found in self._all(questions.KNOWN_PEOPLE, identities=list(identities), but_batch=but_batch)
            if found.state not in _NEVER_MADE
        ]

    def last_batch_number(self) -> int:
        """Give the last number that any batch ever got, 0 for none; a restore lets it jump."""
        is_sqlite = self._engine.dialect.name == "sqlite"
        known = "SELECT seq FROM sqlite_sequence WHERE name = 'inbox_batch'"
        if not is_sqlite:
            known = "SELECT pg_sequence_last_value(pg_get_serial_sequence('inbox_batch', 'batch_id')::regclass)"
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql(known).scalar() or 0)

    # ---- receipts ----------------------------------------------------------------------------------------------

    def receipts(self, upstream: str, after: int, limit: int = MAX_RECEIPTS_PER_PAGE) -> list[Receipt]:
        """Give an upstream's receipts numbered above `after`, in order; their `texts` are the caller's to fill."""
        return [_receipt(row) for row in self._ask(questions.RECEIPTS, upstream=upstream, after=after, most=limit)]

    def receipt_numbers(self, upstream: str) -> tuple[int, int]:
        """Give an upstream's last receipt and the one up to which it acknowledged; 0 for none."""
        receipt, cursor = tables.receipt, tables.receipt_cursor
        with self._engine.connect() as connection:
            last = connection.execute(select(func.max(receipt.c.number)).where(receipt.c.upstream == upstream))
            known = connection.execute(select(cursor.c.acknowledged).where(cursor.c.upstream == upstream))
            return last.scalar() or 0, known.scalar() or 0

    def upstreams(self) -> list[str]:
        """Give all upstreams that ever announced a batch."""
        return [row[0] for row in self._all(select(tables.inbox_batch.c.upstream).distinct())]

    def cursor_at(self, upstream: str, number: int) -> int:
        """Give `number` if an upstream can have read up to it here, else the last receipt below it, 0 for none.

        What it cannot have read here was given before this ledger came out of a backup, or never.
        """
        receipt = tables.receipt
        below = select(func.max(receipt.c.number)).where(receipt.c.upstream == upstream, receipt.c.number <= number + 1)
        with self._engine.connect() as connection:
            found: int = connection.execute(below).scalar() or 0
        return number if found == number + 1 else found

    # ---- batches and cards -------------------------------------------------------------------------------------

    def batch(self, batch_id: int) -> BatchRow | None:
        """Give a batch whose verdicts are out."""
        rows = self._ask(questions.BATCH, batch_id=batch_id)
        return BatchRow(*rows[0]) if rows else None

    def batches(self, before: int | None = None, limit: int = 100) -> list[BatchRow]:
        """Give the batches whose verdicts are out, newest first, numbered below `before`."""
        table = tables.batch
        query = select(table).order_by(table.c.batch_id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.batch_id < before)
        return [BatchRow(*row) for row in self._all(query)]

    def counts(self, batch_id: int) -> dict[str, int]:
        """Give a batch's counts as law 4 names them: received, refused, cancelled, refused_late, dispatched, open.

        Besides `held` and `made`, which are open too.  Empty when the verdicts are not out.
        """
        first = card_id(batch_id, 0)
        mine = {"first": first, "last": first + CARD_IDS_PER_BATCH - 1}
        with self._engine.connect() as connection:
            batch = questions.BATCH.answer(connection, batch_id=batch_id)
            states = questions.STATES.answer(connection, **mine)
        return _law_4(BatchRow(*batch[0]), {row[0]: row[1] for row in states}) if batch else {}

    def waiting(self, state: str = State.HELD.value, after: int = 0, limit: int = 100) -> list[WaitingCard]:
        """Give cards that are held, stopped or suspect, in order of their number: the review queue by pages."""
        card = tables.card
        # written out, not bound: only then does the partial index serve
        here = card.c.state == bindparam(None, state, literal_execute=True)
        query = select(card).where(here, card.c.card_id > after).order_by(card.c.card_id).limit(limit)
        return [_waiting(CardRow(*row)) for row in self._all(query)]

    def card_as_waiting(self, number: int) -> WaitingCard | None:
        """Give a card in any state as `waiting` gives those that wait."""
        card = self.card(number)
        return _waiting(card) if card else None

    def card(self, number: int) -> CardRow | None:
        """Give a card by its number."""
        rows = self._all(select(tables.card).where(tables.card.c.card_id == number))
        return CardRow(*rows[0]) if rows else None

    def cards_of(self, acceptance_number: str) -> list[CardRow]:
        """Give the cards with an acceptance number, newest first."""
        return [CardRow(*row) for row in self._ask(questions.CARDS_OF, acceptance_number=acceptance_number)]

    def sent(self, consignment_id: int | None = None, limit: int = 100) -> list[SentUnit]:
        """Give what the newest consignments, or one of them, held for each police station, and what it counted."""
        return self._consignments.sent(consignment_id, limit)

    def uncounted(self, limit: int = 100) -> list[SentUnit]:
        """Give what left and was not counted by its police station yet, of so many consignments, the oldest first."""
        return self._consignments.uncounted(limit)

    def manifest(self, consignment_id: int) -> Manifest | None:
        """Give what a consignment held, as it left; None when none of this number was sent."""
        return self._consignments.manifest(consignment_id)

    def manifest_digest(self, consignment_id: int) -> str:
        """Give the SHA-256 digest (64 hex digits) of a consignment's manifest file; empty when there is none."""
        return self._consignments.digest(consignment_id)

    def _ask(self, question: Prepared, **values: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return question.answer(connection, **values)

    def _all(self, query: Select[Any], **values: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(query, values).all()


def _gaps(present: Iterable[int], count: int) -> list[tuple[int, int]]:
    gaps, expected = [], 0
    for index in (*present, count):
        if index > expected:
            gaps.append((expected, index - expected))
        expected = index + 1
    return gaps


def _inbox_row(row: Any) -> InboxRow:
    _, index, number, digest, identity, person, unit, express, reason, _, codes, fields, fee_class, in_scope, _ = row
    found = (words_in(codes), words_in(fields))
    return InboxRow(index, number, digest, identity, person, unit, express, reason, *found, fee_class, in_scope)


def _receipt(row: Any) -> Receipt:
    # by place and not by name, which costs as much as the rest: a page has hundreds
    _, number, kind, _, _, accepted_as, index, case_no, codes, fields, counts, at_floor_s, _, chain, batch_number = row
    return Receipt(
        number=number,
        kind=kind,
        batch_number=batch_number or "",
        acceptance_number=accepted_as,
        index=index,
        case=case_no,
        codes=words_in(codes),
        fields=words_in(fields),
        counts=counts_in(counts),
        at_floor_s=at_floor_s,
        chain=chain.hex(),
        revision=revision_of(batch_number or ""),
    )


def _law_4(batch: BatchRow, states: dict[str, int]) -> dict[str, int]:
    ended = {
        state.value: states.get(state.value, 0) for state in (State.CANCELLED, State.REFUSED_LATE, State.DISPATCHED)
    }
    refused_rows = batch.received - sum(states.values())
    refused = refused_rows + states.get(State.REFUSED.value, 0)
    return {
        "received": batch.received,
        "refused": refused,
        **ended,
        "open": batch.received - refused - sum(ended.values()),
        "held": states.get(State.HELD.value, 0),
        "made": states.get(State.MADE.value, 0),
    }


def _waiting(card: CardRow) -> WaitingCard:
    codes, fields = words_in(card.codes), words_in(card.fields)
    if card.state == State.STOPPED:
        codes, fields = [card.stopped_for], []
    return WaitingCard(card.card_id, card.acceptance_number, card.unit, card.state, codes, fields, card.since_floor_s)
