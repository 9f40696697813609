"""The open rows: what of the state tables is still worked on, kept at hand, changed, and written by `flush`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from controller.core.cards import IllegalMove, State
from controller.ledger import tables
from controller.ledger.columns import EMPTY_LIST
from controller.ledger.receipts import ReceiptBook, Stamp
from controller.ledger.rows import (
    ArrivalRow,
    BatchRow,
    BundleRow,
    CardRow,
    ConsignmentRow,
    EncodeJobRow,
    SheetRow,
    StationRow,
)
from controller.ledger.shelf import CardShelf, Shelf
from controller.ledger.ways import WAYS

_batch_of = attrgetter("batch_id")


class OpenRows:
    """Rows of the state tables, read when first asked for.  One thread, one connection.

    `jumped`: by how much restores let numbers jump in the moves that were folded before.
    """

    def __init__(self, connection: Connection, jumped: int = 0) -> None:
        self.batches = Shelf(tables.batch, BatchRow, connection)
        self.cards = CardShelf(connection)
        self.encode_jobs = Shelf(tables.encode_job, EncodeJobRow, connection)
        self.sheets = Shelf(tables.sheet, SheetRow, connection)
        self.bundles = Shelf(tables.bundle, BundleRow, connection)
        self.consignments = Shelf(tables.consignment, ConsignmentRow, connection)
        self.arrivals = Shelf(tables.arrival, ArrivalRow, connection)
        self.stations = Shelf(tables.station, StationRow, connection)
        self.receipts = ReceiptBook(connection, jumped)
        self._shelves: tuple[Shelf[Any], ...] = (
            self.batches,
            self.cards,
            self.encode_jobs,
            self.sheets,
            self.bundles,
            self.consignments,
            self.arrivals,
            self.stations,
        )
        self.over: list[tuple[Shelf[Any], Iterable[int]]] = []

    def flush(self) -> None:
        """Write all rows that are new or changed."""
        for shelf in self._shelves:
            shelf.flush()
        self.receipts.flush()

    def settle(self) -> None:
        """Forget rows that no open work needs; they are written by now."""
        for shelf, keys in self.over:
            shelf.take_off(keys)
        self.over.clear()

    def bring(
        self,
        stamp: Stamp,
        cards: Sequence[CardRow],
        cause: str,
        codes: str = EMPTY_LIST,
        fields: str = EMPTY_LIST,
    ) -> None:
        """Bring cards to the state that `cause` leads to; when it concerns upstream, tell it, with `codes` why."""
        before, after, kind = WAYS[cause]
        seq, at_floor_s = stamp.seq, stamp.at_floor_s
        for card in cards:
            if card.state not in before:
                raise IllegalMove(card.card_id, State(card.state), cause)
            card.state, card.since_floor_s, card.move_seq = after, at_floor_s, seq
        self.cards.all_changed(cards)
        if kind is not None:
            for batch_id, some in groupby(cards, _batch_of):
                self.receipts.about_cards(stamp, self.batches.get(batch_id), kind, some, codes, fields)

    def changed_sheet(self, stamp: Stamp, sheet: SheetRow) -> None:
        sheet.move_seq = stamp.seq
        self.sheets.changed(sheet)
        if not sheet.live and not sheet.suspect and not sheet.job_id:
            self.over.append((self.sheets, [sheet.sheet_id]))
