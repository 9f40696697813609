"""Mutants of the ledger: the inbox, receipts, the chain, and what recovery makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import insert, select, update

from controller.core import moves as m
from controller.core.foreman import Foreman
from controller.core.moves import Verdict
from controller.ledger import inbox, journal, tables
from controller.ledger.chain import Head
from controller.ledger.inbox import AcknowledgeReceipts, AnnounceBatch, StoreChunk
from controller.ledger.reader import Reader
from controller.ledger.receipts import ReceiptBook, Stamp
from controller.ledger.row_hash import rehash
from controller.vault.keyring import KeyRing
from sims.storm.planting import Mutant, always

Apply = Callable[[Any, Any], Any]


def _takes_the_new_digest(right: Apply) -> Apply:
    def apply(self: AnnounceBatch, connection: Any) -> Any:
        here = tables.inbox_batch.c.batch_number == self.batch_number
        connection.execute(update(tables.inbox_batch).where(here).values(digest=self.digest))
        rehash(connection, tables.inbox_batch, here)
        return right(self, connection)

    return apply


def _stores_again(right: Apply) -> Apply:
    def apply(self: StoreChunk, connection: Any) -> Any:
        connection.execute(insert(tables.inbox_application), [self._values(row) for row in self.rows])
        return right(self, connection)

    return apply


def _is_whole_at_once(right: Apply) -> Apply:
    def apply(self: StoreChunk, connection: Any) -> Any:
        right(self, connection)
        batch = tables.inbox_batch
        return connection.execute(select(batch.c.count).where(batch.c.batch_id == self.batch_id)).scalar_one()

    return apply


def _takes_other_content(right: Apply) -> Apply:
    def apply(self: StoreChunk, connection: Any) -> Any:
        table = tables.inbox_application
        for row in self.rows:
            here = (table.c.batch_id == self.batch_id) & (table.c.idx == row.index)
            connection.execute(update(table).where(here).values(row_digest=row.row_digest))
        return right(self, connection)

    return apply


def _goes_back(right: Apply) -> Apply:
    def apply(self: AcknowledgeReceipts, connection: Any) -> Any:
        cursor = tables.receipt_cursor
        right(self, connection)
        here = cursor.c.upstream == self.upstream
        connection.execute(update(cursor).where(here).values(acknowledged=self.upto))
        return self.upto

    return apply


def _forgets_which_are_over(right: Callable[[Reader], Any]) -> Callable[[Reader], Any]:
    def unfinished(self: Reader) -> Any:
        query = select(tables.inbox_batch).order_by(tables.inbox_batch.c.batch_id)
        return [inbox.InboxBatch(*row[:-1]) for row in self._all(query)]

    return unfinished


def _skips_a_number(right: Callable[..., int]) -> Callable[..., int]:
    def next_number(self: ReceiptBook, stamp: Stamp, upstream: str) -> int:
        is_first = upstream not in self._last
        number = right(self, stamp, upstream)
        if is_first and number > 1:
            number = self._last[upstream] = number + 1
        return number

    return next_number


def _begins_anew(right: Callable[[Any], Head]) -> Callable[[Any], Head]:
    return lambda connection: Head(right(connection).seq, bytes(32))


def _forgets_numbers(right: Callable[..., None]) -> Callable[..., None]:
    def replay(self: Foreman, at_floor_s: float, move: m.AnyMove) -> None:
        right(self, at_floor_s, move)
        if isinstance(move, m.JobStarted):
            self.state.last_id["job"] = max(0, move.job_id - 2)

    return replay


def _forgets_holds(right: Callable[..., None]) -> Callable[..., None]:
    def replay(self: Foreman, at_floor_s: float, move: m.AnyMove) -> None:
        if isinstance(move, m.BatchOpened):
            rows = [
                replace(row, verdict=min(row.verdict, Verdict.NOTE)) if row.verdict == Verdict.HOLD else row
                for row in move.rows
            ]
            move = replace(move, rows=rows)
        right(self, at_floor_s, move)

    return replay


MUTANTS = (
    Mutant(
        "purge_keeps_a_key",
        "a purge does not write the key file anew",
        ((KeyRing, "_rewrite", always(lambda self: None)),),
    ),
    Mutant(
        "digest_conflict_taken",
        "a batch number with another digest replaces the first",
        ((AnnounceBatch, "apply", _takes_the_new_digest),),
    ),
    Mutant(
        "repeated_chunk_unknown", "a chunk that is sent again is stored again", ((StoreChunk, "apply", _stores_again),)
    ),
    Mutant(
        "other_content_taken",
        "a chunk with other content replaces the first",
        (
            (StoreChunk, "apply", _takes_other_content),
            (Reader, "stored_digests", always(lambda self, batch_id, indexes: {})),
        ),
    ),
    Mutant("batch_not_whole", "verdicts are given before the last chunk", ((StoreChunk, "apply", _is_whole_at_once),)),
    Mutant(
        "batch_again_after_crash",
        "a batch that is on the floor is told again",
        ((Reader, "unfinished", _forgets_which_are_over), (Reader, "batch", always(lambda self, batch_id: None))),
    ),
    Mutant(
        "cursor_goes_back",
        "an old acknowledgement moves the cursor back",
        ((AcknowledgeReceipts, "apply", _goes_back),),
    ),
    Mutant(
        "receipts_renumbered",
        "after a restart receipts go on at another number",
        ((ReceiptBook, "_next_number", _skips_a_number),),
    ),
    Mutant(
        "chain_begun_anew",
        "after a restart the chain does not go on from the last hash",
        ((journal, "last_head", _begins_anew),),
    ),
    Mutant("job_number_twice", "after a restart job numbers are given again", ((Foreman, "replay", _forgets_numbers),)),
    Mutant(
        "hold_released_by_crash",
        "after a restart held applications are accepted",
        ((Foreman, "replay", _forgets_holds),),
    ),
)
