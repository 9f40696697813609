"""The inbox against the chain: every batch the floor heard of lies there with the rows its move names (law 5)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection, func, select

from controller.core import moves as m
from controller.ledger import tables
from controller.ledger.columns import list_text
from controller.ledger.inbox import InboxState
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import Cells, cells, readable

_ROW = [column.name for column in tables.inbox_application.columns]
_BATCH = [column.name for column in tables.inbox_batch.columns]
_SAID = ("idx", "acceptance_number", "unit", "verdict", "codes", "fields", "express", "fee_class", "in_scope")
_PLACES = [_ROW.index(name) for name in _SAID]
_DIGEST = _ROW.index("row_digest")
_OPENED = (InboxState.CHECKED.value, InboxState.RETURNED.value)


class InboxCheck:
    """Compares what a move says of a batch with what the inbox holds of it, batch by batch."""

    def __init__(self, connection: Connection, report: Verified) -> None:
        self._connection, self._report = connection, report
        self._blank: set[int] = set()  # batches that have rows without a digest

    def apply(self, seq: int, move: m.AnyMove) -> None:
        """Look at one move; only those that tell of a batch are of concern."""
        if isinstance(move, m.BatchOpened):
            with readable(self._report, f"the inbox of batch {move.batch_id}"):
                self._opened(move)
        elif isinstance(move, m.BatchRefused):
            with readable(self._report, f"the inbox of batch {move.batch_id}"):
                self._refused(move)

    def end(self, blanked: set[int]) -> None:
        """Look at what hangs together inside the inbox itself; `blanked` are the batches that a purge was or is at."""
        for batch_id in sorted(self._blank - blanked):
            self._report.add(f"inbox_application {batch_id}: digests were taken out, and no purge was at it")
        row, batch = tables.inbox_application, tables.inbox_batch
        with readable(self._report, "the inbox"):
            lonely = select(func.count(func.distinct(row.c.batch_id)))
            lonely = lonely.where(~select(batch.c.batch_id).where(batch.c.batch_id == row.c.batch_id).exists())
            batches = self._connection.execute(lonely).scalar_one()
            if batches:
                self._report.add(f"the inbox has rows of {batches} batches that were never announced")

    def _batch(self, batch_id: int) -> dict[str, object] | None:
        found = list(cells(self._connection, tables.inbox_batch, _where(self._connection, "batch_id"), [batch_id]))
        return dict(zip(_BATCH, found[0], strict=True)) if found else None

    def _opened(self, move: m.BatchOpened) -> None:
        batch = self._batch(move.batch_id)
        if batch is None:
            self._report.add(f"batch {move.batch_id} is on the floor, and not in the inbox")
            return
        where = _where(self._connection, "batch_id")
        rows = list(cells(self._connection, tables.inbox_application, where, [move.batch_id]))
        said = (move.batch_number, move.upstream, move.card_kind, move.received_floor_s, len(move.rows))
        names = ("batch_number", "upstream", "card_kind", "received_floor_s", "count")
        wrong = [name for name, value in zip(names, said, strict=True) if batch[name] != value]
        wrong += [] if batch["state"] in _OPENED else ["state"]
        wrong += [] if self._agrees(move.batch_id, rows, batch["digest"]) else ["digest"]
        if wrong:
            self._report.add(f"inbox_batch {move.batch_id}: {', '.join(wrong)} not as the floor was told")
        self._rows(move.batch_id, rows, move.rows)

    def _agrees(self, batch_id: int, rows: Sequence[Cells], digest: object) -> bool:
        """Say whether a batch's digest is that of its rows, as long as they have theirs: a purge takes them out."""
        digests = [row[_DIGEST] for row in rows]
        if b"" in digests:
            self._blank.add(batch_id)
            return True
        try:
            return sha256(b"".join(digests)).hexdigest() == digest
        except TypeError:
            return False

    def _rows(self, batch_id: int, rows: Sequence[Cells], told: Sequence[m.RowVerdict]) -> None:
        found = {row[_PLACES[0]]: tuple(row[place] for place in _PLACES) for row in rows}
        for one in told:
            codes, fields = list_text(one.codes), list_text(one.fields)
            said = (one.index, one.acceptance_number, one.unit, int(one.verdict), codes, fields, one.express)
            if found.pop(one.index, None) != (*said, one.fee_class, one.in_scope):
                self._report.add(f"inbox_application {batch_id}, {one.index}: not there, or not as the floor was told")
        for index in found:
            self._report.add(f"inbox_application {batch_id}, {index}: the floor was never told of it")

    def _refused(self, move: m.BatchRefused) -> None:
        batch = self._batch(move.batch_id)
        if batch is None:
            self._report.add(f"batch {move.batch_id} was refused, and is not in the inbox")
            return
        said = (move.batch_number, move.upstream, list_text(move.codes), InboxState.REFUSED.value)
        names = ("batch_number", "upstream", "codes", "state")
        wrong = [name for name, value in zip(names, said, strict=True) if batch[name] != value]
        if wrong:
            self._report.add(f"inbox_batch {move.batch_id}: {', '.join(wrong)} not as the floor was told")


def _where(connection: Connection, column: str) -> str:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    return f'WHERE "{column}" = {mark}'
