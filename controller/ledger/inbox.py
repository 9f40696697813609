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
from controller.ledger.errors import BatchOver, ChunkConflict, UnknownRow
from controller.ledger.prepared import Prepared
from controller.ledger.row_hash import ROW_HASH, rehash_row, row_hash

NO_VERDICT = -1
NEVER_WHOLE = "batch.unfinished"  # why a batch is refused that was announced, and not brought while data is kept
GIVEN_UP = list_text([NEVER_WHOLE])

SAID = ("unit", "express", "verdict", "codes", "fields")  # what the judge sets in a row
_cursor, _receipt, _row, _batch = tables.receipt_cursor, tables.receipt, tables.inbox_application, tables.inbox_batch
_mine, _theirs = _row.c.batch_id == bindparam("the_batch"), _receipt.c.upstream == bindparam("upstream")
_of_upstream = _cursor.c.upstream == bindparam("the_upstream")
BATCH_OF_NUMBER = Prepared(select(_batch).where(_batch.c.batch_number == bindparam("batch_number")))
_CODES = Prepared(select(_batch.c.codes).where(_batch.c.batch_id == bindparam("the_batch")))
_DIGESTS = Prepared(
    select(_row.c.idx, _row.c.row_digest).where(_mine, _row.c.idx.between(bindparam("first"), bindparam("last")))
)
_STORE = Prepared(insert(_row))
_COUNT = Prepared(select(func.count()).select_from(_row).where(_mine))
_ROWS = Prepared(select(_row).where(_mine))
_SAY = Prepared(update(_row).where(_mine, _row.c.idx == bindparam("the_index")), (*SAID, ROW_HASH))
_SET_STATE = update(_batch).where(_batch.c.batch_id == bindparam("the_batch"))
_SET_STATE = _SET_STATE.values(state=bindparam("state"), codes=bindparam("codes"))
_LAST = Prepared(select(func.max(_receipt.c.number)).where(_theirs))
_KNOWN = Prepared(select(_cursor.c.acknowledged).where(_of_upstream))
_PLACE = Prepared(insert(_cursor))
_MOVE = Prepared(update(_cursor).where(_of_upstream), ["acknowledged"])


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
        for known in BATCH_OF_NUMBER.ask(connection, self.batch_number):
            return InboxBatch(*known[:-1])  # all but its hash
        values = {name: getattr(self, name) for name in self.__slots__}
        row = insert(tables.inbox_batch).values(
            **values, state=InboxState.RECEIVING.value, codes=EMPTY_LIST, row_hash=b""
        )
        [batch_id] = connection.execute(row).inserted_primary_key or (0,)
        rehash_row(connection, tables.inbox_batch, batch_id)
        return InboxBatch(batch_id, **values, state=InboxState.RECEIVING.value, codes=EMPTY_LIST)


@dataclass(frozen=True, slots=True)
class StoreChunk:
    """Stores applications of a batch; those that are there already must be the same."""

    batch_id: int
    rows: Sequence[InboxRow]

    def apply(self, connection: Connection) -> int:
        """Give how many applications of the batch are stored now.

        Raises: ChunkConflict, BatchOver; and nothing is stored.
        """
        if (GIVEN_UP,) in _CODES.ask(connection, self.batch_id):
            raise BatchOver(self.batch_id)
        indexes = [row.index for row in self.rows] or [0]
        known: dict[int, bytes] = dict(_DIGESTS.ask(connection, self.batch_id, min(indexes), max(indexes)))
        for row in self.rows:
            if known.get(row.index, row.row_digest) != row.row_digest:
                raise ChunkConflict(self.batch_id, row.index)
        new = [self._values(row) for row in self.rows if row.index not in known]
        names = _STORE.words(connection.dialect).names
        _STORE.run(connection, [tuple(map(values.__getitem__, names)) for values in new])
        [(stored,)] = _COUNT.ask(connection, self.batch_id)
        return int(stored)

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
        names = [column.name for column in tables.inbox_application.columns]
        rows = [dict(zip(names, row, strict=True)) for row in _ROWS.ask(connection, self.batch_id)]
        stored = {row["idx"]: row for row in rows}
        found = [self._said_of(row, stored[row.index]) for row in self.verdicts if row.index in stored]
        order = _SAY.words(connection.dialect).names
        _SAY.run(connection, [tuple(map(said.__getitem__, order)) for said in found])
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
        return {**said, "the_batch": self.batch_id, "the_index": row.index, ROW_HASH: hashed}


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
class GiveUpBatch:
    """Refuses a batch that was never brought whole."""

    batch_id: int

    def apply(self, connection: Connection) -> bool:
        """Say whether it is given up, now or before; one that became whole is not.  Raises: UnknownRow."""
        batch, row = tables.inbox_batch, tables.inbox_application
        known = read_batch(connection, batch.c.batch_id == self.batch_id)
        stored = select(func.count()).select_from(row).where(row.c.batch_id == self.batch_id)
        if known is None:
            raise UnknownRow(batch.name, self.batch_id)
        if known.state == InboxState.RECEIVING and connection.execute(stored).scalar_one() < known.count:
            _set_state(connection, self.batch_id, InboxState.REFUSED, GIVEN_UP)
            return True
        return (known.state, known.codes) == (InboxState.REFUSED, GIVEN_UP)


@dataclass(frozen=True, slots=True)
class AcknowledgeReceipts:
    """Notes that an upstream keeps its receipts up to a number; the cursor never goes back, nor past the last one."""

    upstream: str
    upto: int

    def apply(self, connection: Connection) -> int:
        """Give where the cursor stands now."""
        [(last,)] = _LAST.ask(connection, self.upstream)
        known = [acknowledged for (acknowledged,) in _KNOWN.ask(connection, self.upstream)]
        upto: int = max(min(self.upto, last or 0), *known, 0)
        if known:
            _MOVE.run(connection, [(upto, self.upstream)])
        else:
            _PLACE.run(connection, [(self.upstream, upto, b"")])
        rehash_row(connection, tables.receipt_cursor, self.upstream)
        return upto


def read_batch(connection: Connection, where: ColumnElement[bool]) -> InboxBatch | None:
    """Give the batch of the inbox that fits `where`, if there is one."""
    row = connection.execute(select(tables.inbox_batch).where(where)).first()
    return InboxBatch(*row[:-1]) if row else None  # all but its hash


def _set_state(connection: Connection, batch_id: int, state: InboxState, codes: str) -> None:
    table = tables.inbox_batch
    result = connection.execute(_SET_STATE, {"the_batch": batch_id, "state": state.value, "codes": codes})
    if result.rowcount == 0:
        raise UnknownRow(table.name, batch_id)
    rehash_row(connection, table, batch_id)
