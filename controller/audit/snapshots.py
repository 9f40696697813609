"""Snapshots against the moves: what one says of the floor must be what the moves up to its own make of it."""

from __future__ import annotations

from sqlalchemy import Engine, select

from controller.config import Config
from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import readable
from controller.ledger.verify.stock import NOT_OF_A_FOREMAN
from controller.upkeep.books import Books, code_of, empty_books, encode_books


class SnapshotCheck:
    """Folds the books once more, move by move, and compares them wherever a snapshot was taken.

    One that another program or other settings made is never used by a start, and here it is only counted.
    """

    def __init__(self, ledger: Engine, config: Config, report: Verified) -> None:
        self._report = report
        self._wanted: dict[int, bytes] = {}
        self._books: Books = empty_books(config)
        table, move = tables.snapshot, tables.move
        query = select(table, move.c.hash).outerjoin(move, move.c.seq == table.c.seq).order_by(table.c.seq)
        code = code_of(config)
        with readable(report, "the snapshots"), ledger.connect() as connection:
            for row in connection.execute(query):
                if row.chain != row.hash:
                    report.add(f"snapshot {row.seq}: the chain is another one at its move")
                elif row.code == code:
                    self._wanted[row.seq] = row.body
        self._last = max(self._wanted, default=0)

    def apply(self, seq: int, at_floor_s: float, move: AnyMove) -> None:
        """Fold one move, as long as a snapshot is to come."""
        if seq > self._last:
            return
        try:
            self._books.fold([(at_floor_s, move)])
        except NOT_OF_A_FOREMAN:  # said by the look at blanks
            self._last = 0
            return
        body = self._wanted.get(seq)
        if body is not None:
            self._report.counts["snapshots compared"] += 1
            if encode_books(self._books) != body:
                self._report.add(f"snapshot {seq}: it is not what the moves make")
