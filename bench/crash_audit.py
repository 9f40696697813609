"""What is found after a kill: every promise kept, nothing twice, sums right, nothing in progress without an owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, func, select

from bench.crash_diary import Diary, Key, kept_by
from bench.crash_owners import orphans
from controller.core.cards import State
from controller.core.fold import apply
from controller.core.moves import AnyMove
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.evidence.public_keys import PublicKeys, Standing
from controller.evidence.signing import PUBLIC_NAME
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, link
from controller.ledger.engine import reader_engine
from controller.ledger.journal import open_move, read_rows
from controller.ledger.reader import Reader
from controller.ledger.receipts import ACCEPTED, FINAL_KINDS, REFUSED
from controller.ledger.store import DATABASE_NAME
from controller.ledger.verify.whole import verify
from controller.wire import MAX_RECEIPTS_PER_PAGE
from sims.demo.folder import UPSTREAM_NAME

EXAMPLES_MAX = 20
GIVEN = {"texts": [], "centre": "", "upstream": "", "signer": "", "signature": b""}  # filled when a receipt is given


class Auditor:
    """Reads the ledger beside the running service, folds the moves that are new, and compares with the diary."""

    def __init__(self, data: Path, diary: Diary) -> None:
        self._database, self._diary = data / DATABASE_NAME, diary
        self._signers = data / "keys" / PUBLIC_NAME
        self.state, self.tally, self.head = FloorState(), Tally(), GENESIS
        self.found: dict[str, list[str]] = {"lost": [], "duplicates": [], "faults": []}
        self.counts: Counter[str] = Counter()
        self.audits = 0
        self._kept: Counter[Key] = Counter()
        self._promised: Counter[Key] = Counter()
        self._looked = dict.fromkeys(("announced", "stored", "receipts", "cancelled", "answers"), 0)

    def look(self, whole: bool = False) -> None:
        """Look once; `whole`: also at all that was looked at before, with the ledger's own audit.

        The engine lives for one look only: a reader that outlived the service would spare the next one its recovery.
        """
        diary = self._diary
        before = {name: len(getattr(diary, name)) for name in self._looked}  # what comes meanwhile is for the next look
        cursor = diary.cursor
        engine = reader_engine(self._database)
        try:
            if whole:
                self._looked = dict.fromkeys(self._looked, 0)
            self._read_moves(engine)
            self._look_at_sums()
            self._look_at_inbox(engine, before)
            self._look_at_receipts(engine, before["receipts"], cursor)
            self._look_at_cancelled(engine, before["cancelled"])
            self._look_at_people(before)
            if whole:
                self.audits += 1
                self._note("faults", (f"audit verify: {fault}" for fault in verify(engine).faults))
        finally:
            engine.dispose()
        self._looked = before

    def note(self, kind: str, sentence: str) -> None:
        """Count something found: `lost`, `duplicates` or `faults`; the first are kept as examples."""
        self.counts[kind] += 1
        if len(self.found[kind]) < EXAMPLES_MAX and sentence not in self.found[kind]:
            self.found[kind].append(sentence)

    # ---- moves -------------------------------------------------------------------------------------------------

    def _read_moves(self, engine: Engine) -> None:
        """Take the moves since the last look; the one that was last then must be there as it was."""
        if self.head.seq:
            with engine.connect() as connection:
                query = select(tables.move.c.hash).where(tables.move.c.seq == self.head.seq)
                if connection.execute(query).scalar() != self.head.hash:
                    self.note("lost", f"move {self.head.seq} is not there as it was")
        for row in read_rows(engine, tables.move, self.head.seq):
            chain = link(self.head.hash, row.at_floor_s, row.body)
            if (row.seq, row.hash) != (self.head.seq + 1, chain):
                self.note("faults", f"the chain of moves is broken at {row.seq}")
            self.head = Head(row.seq, row.hash)
            self._fold(row.at_floor_s, open_move(row))

    def _fold(self, at_floor_s: float, move: AnyMove) -> None:
        apply(self.state, at_floor_s, move)
        self.tally.fold(at_floor_s, move)
        key = kept_by(move)
        if key is not None:
            self._kept[key] += 1

    def _look_at_sums(self) -> None:
        """Laws 2 and 4, and that whatever is in progress has an owner."""
        tally = self.tally
        ended = tally.refused + tally.cancelled + tally.refused_late + tally.dispatched
        if tally.received != ended + tally.open():
            self.note("faults", f"in {tally.received} is not ended {ended} + open {tally.open()}")
        if not self.state.stock.balanced():
            self.note("faults", "the accounts of blanks do not balance")
        self._note("faults", orphans(self.state))

    # ---- promises ----------------------------------------------------------------------------------------------

    def _look_at_inbox(self, engine: Engine, upto: dict[str, int]) -> None:
        inbox, row = tables.inbox_batch, tables.inbox_application
        with engine.connect() as connection:
            for announced in self._diary.announced[self._looked["announced"] : upto["announced"]]:
                query = select(inbox.c.digest, inbox.c.count).where(inbox.c.batch_number == announced.batch_number)
                if connection.execute(query).all() != [(announced.digest, announced.count)]:
                    self.note("lost", f"batch {announced.batch_number} is not there as announced")
            for chunk in self._diary.stored[self._looked["stored"] : upto["stored"]]:
                indexes = range(chunk.first, chunk.first + len(chunk.digests))
                query = (
                    select(row.c.row_digest)
                    .join(inbox, inbox.c.batch_id == row.c.batch_id)
                    .where(inbox.c.batch_number == chunk.batch_number, row.c.idx.in_(indexes))
                    .order_by(row.c.idx)
                )
                if list(connection.execute(query).scalars()) != list(chunk.digests):
                    self.note("lost", f"chunk at {chunk.first} of batch {chunk.batch_number} is not there as stored")

    def _look_at_receipts(self, engine: Engine, upto: int, cursor: int) -> None:
        """Compare what upstream was given with what stands there; and no case has a second last word."""
        reader, after = Reader(engine), self._looked["receipts"]
        told = self._diary.receipts[after:upto]
        kept: list[Any] = []
        while len(kept) < len(told):
            page = reader.receipts(UPSTREAM_NAME, after + len(kept), MAX_RECEIPTS_PER_PAGE)
            if not page:
                break
            kept += page
        for place, mine in enumerate(told):
            if place >= len(kept) or kept[place] != msgspec.structs.replace(mine, **GIVEN):
                self.note("lost", f"receipt {mine.number} is not there as it was told")
        keys = PublicKeys.read(self._signers) if told else PublicKeys([])
        unproved = [mine.number for mine in told if keys.standing_of(mine) is not Standing.GOOD]
        self._note("faults", (f"receipt {number} does not bear the centre's signature" for number in unproved))
        self._note("faults", self._diary.changed)
        self._diary.changed.clear()
        if reader.receipt_numbers(UPSTREAM_NAME)[1] < cursor:
            self.note("lost", f"that upstream has all receipts up to {cursor} is forgotten")
        self._look_at_last_words(engine)

    def _look_at_last_words(self, engine: Engine) -> None:
        receipt = tables.receipt
        final = receipt.c.kind.in_([*FINAL_KINDS])
        with engine.connect() as connection:
            numbers = select(func.max(receipt.c.number), func.count(receipt.c.number)).group_by(receipt.c.upstream)
            for last, count in connection.execute(numbers):
                if last != count:
                    self.note("faults", f"{count} receipts of an upstream, and the last is number {last}")
            for what in (final, receipt.c.kind == ACCEPTED, receipt.c.kind == REFUSED):
                query = select(receipt.c.batch_id, receipt.c.idx).where(what, receipt.c.idx >= 0)
                twice = query.group_by(receipt.c.batch_id, receipt.c.idx).having(func.count() > 1)
                for batch_id, index in connection.execute(twice):
                    self.note("duplicates", f"application {index} of batch {batch_id} was told its end twice")

    def _look_at_people(self, upto: dict[str, int]) -> None:
        """Each answer to an operator is among the moves."""
        diary = self._diary
        if not self._looked["answers"]:
            self._promised.clear()
        self._promised.update(diary.answers[self._looked["answers"] : upto["answers"]])
        for key in self._promised - self._kept:
            self.note("lost", f"what an operator was answered is not recorded: {key[0]}")

    def _look_at_cancelled(self, engine: Engine, upto: int) -> None:
        card = tables.card
        with engine.connect() as connection:
            for number in self._diary.cancelled[self._looked["cancelled"] : upto]:
                states = connection.execute(select(card.c.state).where(card.c.acceptance_number == number)).scalars()
                if not set(states) & {State.CANCELLED, State.REFUSED}:
                    self.note("lost", f"the cancelling of {number} was answered and is not recorded")

    def _note(self, kind: str, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self.note(kind, sentence)
