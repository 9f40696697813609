"""Changes of the inbox: what upstreams have sent until its verdicts are out, and how far they read their receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, update

from controller.core.moves import RowVerdict
from controller.ledger import tables
from controller.ledger.columns import EMPTY_LIST, list_text
from controller.ledger.errors import ChunkConflict, UnknownRow
from controller.ledger.row_hash import ROW_HASH, rehash, row_hash

NO_VERDICT = -1


class InboxState(StrEnum):
    """How far a batch is before the floor hears of it; what becomes of it then is in `tables.batch`."""

    RECEIVING = "receiving"
    WHOLE = "whole"  # all applications are durable and the digest agrees
    CHECKED = "checked"  # the verdicts are durable: its rows are part of the history
    REFUSED = "refused"  # as a whole: its rows never enter the history
    RETURNED = "returned"  # the case of a card that came back: part of the history once the floor has it


@dataclass(frozen=True, slots=True)
class InboxBatch:
    """A batch as it was announced."""

    batch_id: int
    batch_number: str
    upstream: str
    due: str
    count: int
    digest: str
    card_kind: str
    received_on: str
    received_floor_s: float
    state: str
    codes: str  # JSON list


@dataclass(frozen=True, slots=True)
class InboxRow:
    """What the inbox keeps of one application: no personal field, two keyed digests (law 8)."""

    index: int
    acceptance_number: str
    row_digest: bytes  # SHA-256 of the application as sent
    identity: bytes
    person: bytes
    unit: str
    express: bool
    reason: str
    codes: Sequence[str] = ()  # what its own fields showed; duplicates need the whole batch
    fields: Sequence[str] = ()
    fee_class: str = ""
    in_scope: bool = False


@dataclass(frozen=True, slots=True)
class AnnounceBatch:
    """Gives a new batch its number; one that was announced before is given back as it stands."""

    batch_number: str
    upstream: str
    due: str
    count: int
    digest: str
    card_kind: str
    received_on: str
    received_floor_s: float

    def apply(self, connection: Connection) -> InboxBatch:
        """Give the batch of this number.  The caller compares: another digest or upstream is a conflict (law 5)."""
        known = read_batch(connection, tables.inbox_batch.c.batch_number == self.batch_number)
        if known is not None:
            return known
        values = {name: getattr(self, name) for name in self.__slots__}
        row = insert(tables.inbox_batch).values(
            **values, state=InboxState.RECEIVING.value, codes=EMPTY_LIST, row_hash=b""
        )
        [batch_id] = connection.execute(row).inserted_primary_key or (0,)
        rehash(connection, tables.inbox_batch, tables.inbox_batch.c.batch_id == batch_id)
        return InboxBatch(batch_id, **values, state=InboxState.RECEIVING.value, codes=EMPTY_LIST)


@dataclass(frozen=True, slots=True)
class StoreChunk:
    """Stores applications of a batch; those that are there already must be the same."""

    batch_id: int
    rows: Sequence[InboxRow]

    def apply(self, connection: Connection) -> int:
        """Give how many applications of the batch are stored now.  Raises: ChunkConflict, and nothing is stored."""
        table = tables.inbox_application
        mine = table.c.batch_id == self.batch_id
        indexes = [row.index for row in self.rows]
        query = select(table.c.idx, table.c.row_digest).where(mine, table.c.idx.in_(indexes))
        known = {stored.idx: stored.row_digest for stored in connection.execute(query)}
        for row in self.rows:
            if known.get(row.index, row.row_digest) != row.row_digest:
                raise ChunkConflict(self.batch_id, row.index)
        new = [self._values(row) for row in self.rows if row.index not in known]
        if new:
            connection.execute(insert(table), new)
        return connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()

    def _values(self, row: InboxRow) -> dict[str, object]:
        values: dict[str, object] = {
            "batch_id": self.batch_id,
            "idx": row.index,
            "acceptance_number": row.acceptance_number,
            "row_digest": row.row_digest,
            "identity": row.identity,
            "person": row.person,
            "unit": row.unit,
            "express": row.express,
            "reason": row.reason,
            "verdict": NO_VERDICT,
            "codes": list_text(row.codes),
            "fields": list_text(row.fields),
            "fee_class": row.fee_class,
            "in_scope": row.in_scope,
        }
        return values | {"row_hash": row_hash(tables.inbox_application, values)}


@dataclass(frozen=True, slots=True)
class StoreVerdicts:
    """Stores the verdicts of a whole batch: from now on its applications are part of the history."""

    batch_id: int
    verdicts: Sequence[RowVerdict]

    def apply(self, connection: Connection) -> None:
        """Raises: UnknownRow: the batch is not in the inbox."""
        table = tables.inbox_application
        mine = table.c.batch_id == self.batch_id
        rows = connection.execute(select(table).where(mine)).mappings()
        stored = {row["idx"]: dict(row) for row in rows}
        found = [self._said_of(row, stored[row.index]) for row in self.verdicts if row.index in stored]
        if found:
            connection.execute(update(table).where(mine, table.c.idx == bindparam("the_index")), found)
        _set_state(connection, self.batch_id, InboxState.CHECKED, EMPTY_LIST)

    def _said_of(self, row: RowVerdict, stored: Mapping[str, Any]) -> dict[str, object]:
        """Give the parameters of one row's update, its hash among them, so that each row is written once."""
        said = {
            "unit": row.unit,
            "express": row.express,
            "verdict": int(row.verdict),
            "codes": list_text(row.codes),
            "fields": list_text(row.fields),
        }
        hashed = row_hash(tables.inbox_application, {**stored, **said})
        return {**said, "the_index": row.index, ROW_HASH: hashed}


@dataclass(frozen=True, slots=True)
class SetBatchState:
    """Says how far a batch is, and for a refused one why."""

    batch_id: int
    state: InboxState
    codes: Sequence[str] = ()

    def apply(self, connection: Connection) -> None:
        """Raises: UnknownRow: the batch is not in the inbox."""
        _set_state(connection, self.batch_id, self.state, list_text(self.codes))


@dataclass(frozen=True, slots=True)
class AcknowledgeReceipts:
    """Notes that an upstream keeps its receipts up to a number; the cursor never goes back, nor past the last one."""

    upstream: str
    upto: int

    def apply(self, connection: Connection) -> int:
        """Give where the cursor stands now."""
        cursor, receipt = tables.receipt_cursor, tables.receipt
        query = select(func.max(receipt.c.number)).where(receipt.c.upstream == self.upstream)
        last = connection.execute(query).scalar() or 0
        here = cursor.c.upstream == self.upstream
        known = connection.execute(select(cursor.c.acknowledged).where(here)).scalar()
        upto = max(min(self.upto, last), known or 0)
        if known is None:
            connection.execute(insert(cursor).values(upstream=self.upstream, acknowledged=upto, row_hash=b""))
        else:
            connection.execute(update(cursor).where(here).values(acknowledged=upto))
        rehash(connection, cursor, here)
        return upto


def read_batch(connection: Connection, where: ColumnElement[bool]) -> InboxBatch | None:
    """Give the batch of the inbox that fits `where`, if there is one."""
    row = connection.execute(select(tables.inbox_batch).where(where)).first()
    return InboxBatch(*row[:-1]) if row else None  # all but its hash


def _set_state(connection: Connection, batch_id: int, state: InboxState, codes: str) -> None:
    table = tables.inbox_batch
    result = connection.execute(
        update(table).where(table.c.batch_id == batch_id).values(state=state.value, codes=codes)
    )
    if result.rowcount == 0:
        raise UnknownRow(table.name, batch_id)
    rehash(connection, table, table.c.batch_id == batch_id)
