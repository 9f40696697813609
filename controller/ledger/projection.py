"""The projection: how each move changes the state tables and which receipts it calls for, from the moves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, get_args

from sqlalchemy import Connection

from controller.application import CARD_IDS_PER_BATCH, batch_of, card_id
from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import record_moves as r
from controller.core.cards import MOVES, Cause, IllegalMove, State
from controller.core.moves import Mark, Verdict, positions_in
from controller.core.stock_moves import AnyStockMove
from controller.ledger import receipts, tables
from controller.ledger.columns import EMPTY_LIST, EMPTY_MAP, list_text, map_text, numbers_in
from controller.ledger.quality_rows import QUALITY_ROWS
from controller.ledger.receipts import ReceiptBook, Stamp, kind_of
from controller.ledger.record_rows import RECORD_ROWS
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
from controller.ledger.shelf import Shelf
from devices.messages import blank_serial

OPEN, CLOSED, REFUSED = "open", "closed", "refused"  # states of a batch

# the core's table in plain text, with the receipt each way calls for: one look-up for a column's value
_WAYS = {(before.value, str(cause)): (after.value, kind_of(before, after)) for (before, cause), after in MOVES.items()}
_READY = State.READY.value

NOT_PROJECTED = frozenset(  # kept in the journal alone: the foreman folds them from there
    {
        m.ServiceStarted,
        m.BundleStopped,
        m.PileRepacked,
        *get_args(AnyStockMove),
        q.DriftSignalled,
        q.StationHeld,
        q.StationReleased,
        q.OperatorSignedOn,
        q.CardReturned,
        m.StationLied,
        m.ActProposed,
        m.ActEnded,
        r.PurgeApproved,
        r.VaultKeysChanged,
    }
)


class CardShelf(Shelf[CardRow]):
    """Cards: those of a batch are read together, because they are worked on together."""

    def _read(self, key: Any) -> None:
        first = card_id(batch_of(key), 0)
        self._keep(self._key.between(first, first + CARD_IDS_PER_BATCH - 1))


class Projection:
    """Folds moves into rows of the state tables, for `flush` to write.  One thread, one connection."""

    def __init__(self, connection: Connection) -> None:
        self.batches = Shelf(tables.batch, BatchRow, connection)
        self.cards = CardShelf(tables.card, CardRow, connection)
        self.encode_jobs = Shelf(tables.encode_job, EncodeJobRow, connection)
        self.sheets = Shelf(tables.sheet, SheetRow, connection)
        self.bundles = Shelf(tables.bundle, BundleRow, connection)
        self.consignments = Shelf(tables.consignment, ConsignmentRow, connection)
        self.arrivals = Shelf(tables.arrival, ArrivalRow, connection)
        self.stations = Shelf(tables.station, StationRow, connection)
        self.receipts = ReceiptBook(connection)
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
        self._folds: dict[type, Callable[[Stamp, Any], None]] = {
            **dict.fromkeys(NOT_PROJECTED, _leave),
            m.BatchOpened: self._batch_opened,
            m.BatchRefused: self._batch_refused,
            m.BatchClosed: self._batch_closed,
            m.CardDecided: self._card_decided,
            m.CardStopped: self._card_stopped,
            m.EncodeStarted: self._encode_started,
            m.EncodeEnded: self._encode_ended,
            m.SheetImposed: self._sheet_imposed,
            m.SheetBound: self._sheet_bound,
            m.JobStarted: self._job_started,
            m.JobEnded: self._job_ended,
            m.PositionsMarked: self._positions_marked,
            m.BundleMade: self._bundle_made,
            m.CardMissing: self._card_missing,
            m.ConsignmentSent: self._consignment_sent,
            m.ArrivalCounted: self._arrival_counted,
            m.StationJoined: self._station_joined,
            m.StationChanged: self._station_changed,
            **{kind: partial(fold, self) for kind, fold in (QUALITY_ROWS | RECORD_ROWS).items()},
        }

    def apply(self, stamp: Stamp, move: m.AnyMove) -> None:
        """Fold one move.  Raises: UnknownRow, IllegalMove: it does not fit what came before, which is a bug."""
        self._folds[type(move)](stamp, move)

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

    # ---- batches and cards -------------------------------------------------------------------------------------

    def _batch_opened(self, stamp: Stamp, move: m.BatchOpened) -> None:
        refused = sum(row.verdict == Verdict.REFUSE for row in move.rows)
        times = (move.received_floor_s, move.due_floor_s, stamp.at_floor_s, 0.0)
        batch = BatchRow(
            move.batch_id, move.batch_number, move.upstream, move.card_kind, OPEN, *times,
            len(move.rows), refused, 0, 0, 0, EMPTY_LIST,
        )  # fmt: skip
        self.batches.add(move.batch_id, batch)
        for row in move.rows:
            codes, fields = list_text(row.codes), list_text(row.fields)
            if row.verdict == Verdict.REFUSE:
                self.receipts.about_row(stamp, batch, (row.acceptance_number, row.index), codes, fields)
            else:
                self._new_card(stamp, batch, row, codes, fields)

    def _new_card(self, stamp: Stamp, batch: BatchRow, row: m.RowVerdict, codes: str, fields: str) -> None:
        number = card_id(batch.batch_id, row.index)
        held = row.verdict == Verdict.HOLD
        state = (State.HELD if held else State.ACCEPTED).value
        card = CardRow(
            number, batch.batch_id, row.acceptance_number, row.case_no, row.unit, row.express, codes, fields,
            state, "", 1, 0, -1, 0, 0, stamp.at_floor_s, stamp.seq,
        )  # fmt: skip
        self.cards.add(number, card)
        kind = receipts.HELD if held else receipts.ACCEPTED
        self.receipts.about_card(stamp, batch, kind, card, codes, fields)

    def _batch_refused(self, stamp: Stamp, move: m.BatchRefused) -> None:
        codes = list_text(move.codes)
        times = (0.0, 0.0, stamp.at_floor_s, stamp.at_floor_s)
        batch = BatchRow(
            move.batch_id, move.batch_number, move.upstream, "", REFUSED, *times, 0, 0, 0, 0, 0, codes
        )  # fmt: skip
        self.batches.add(move.batch_id, batch)
        self.receipts.about_batch(stamp, batch, receipts.REFUSED, codes, EMPTY_MAP)
        self.over.append((self.batches, [move.batch_id]))

    def _batch_closed(self, stamp: Stamp, move: m.BatchClosed) -> None:
        batch = self.batches.get(move.batch_id)
        batch.state, batch.closed_floor_s = CLOSED, stamp.at_floor_s
        batch.received, batch.refused, batch.cancelled = move.received, move.refused, move.cancelled
        batch.refused_late, batch.dispatched = move.refused_late, move.dispatched
        self.batches.changed(move.batch_id, batch)
        counts = {
            "received": move.received,
            "refused": move.refused,
            "cancelled": move.cancelled,
            "refused_late": move.refused_late,
            "dispatched": move.dispatched,
        }
        self.receipts.about_batch(stamp, batch, receipts.BATCH_CLOSED, EMPTY_LIST, map_text(counts))
        self._let_go(move.batch_id)

    def _let_go(self, batch_id: int) -> None:
        """Forget a batch that is closed, and its cards, once they are written."""
        first = card_id(batch_id, 0)
        received = self.batches.get(batch_id).received
        self.over += [(self.batches, [batch_id]), (self.cards, range(first, first + received))]

    def _card_decided(self, stamp: Stamp, move: m.CardDecided) -> None:
        self.bring(stamp, self.cards.get(move.card), move.decision)

    def _card_stopped(self, stamp: Stamp, move: m.CardStopped) -> None:
        card = self.cards.get(move.card)
        card.stopped_for = move.code
        self.bring(stamp, card, Cause.STOP)

    def bring(self, stamp: Stamp, card: CardRow, cause: str, code: str = "") -> None:
        """Bring a card to the state that `cause` leads to, and tell upstream when it concerns it."""
        way = _WAYS.get((card.state, cause))
        if way is None:
            raise IllegalMove(card.card_id, State(card.state), cause)
        card.state, kind = way
        card.since_floor_s, card.move_seq = stamp.at_floor_s, stamp.seq
        self.cards.changed(card.card_id, card)
        if kind is not None:
            codes, fields = _why(card, kind, code)
            self.receipts.about_card(stamp, self.batches.get(card.batch_id), kind, card, codes, fields)

    def _encode_started(self, stamp: Stamp, move: m.EncodeStarted) -> None:
        self.encode_jobs.add(move.job_id, EncodeJobRow(move.job_id, list_text(move.cards), stamp.at_floor_s, 0.0))

    def _encode_ended(self, stamp: Stamp, move: m.EncodeEnded) -> None:
        job = self.encode_jobs.get(move.job_id)
        job.ended_floor_s = stamp.at_floor_s
        self.encode_jobs.changed(move.job_id, job)
        self.over.append((self.encode_jobs, [move.job_id]))
        failed = {number for number, _ in move.failed}
        for number in numbers_in(job.cards):
            card = self.cards.get(number)
            if card.state == State.ACCEPTED and number not in failed:
                self.bring(stamp, card, Cause.ENCODED)
            elif self.batches.get(card.batch_id).state == CLOSED:  # cancelled meanwhile, and the last of its batch
                self._let_go(card.batch_id)

    # ---- sheets and jobs ---------------------------------------------------------------------------------------

    def _sheet_imposed(self, stamp: Stamp, move: m.SheetImposed) -> None:
        live = 0
        for position, number in enumerate(move.cards):
            if number:
                live |= 1 << position
                card = self.cards.get(number)
                card.sheet_id, card.position = move.sheet_id, position
                self.bring(stamp, card, Cause.IMPOSE)
        cards = list_text(move.cards)
        sheet = SheetRow(move.sheet_id, cards, 0, live, 0, "", 0, stamp.at_floor_s, stamp.seq)
        self.sheets.add(move.sheet_id, sheet)

    def _sheet_bound(self, stamp: Stamp, move: m.SheetBound) -> None:
        sheet = self.sheets.get(move.sheet_id)
        sheet.body = move.body
        self.changed_sheet(stamp, sheet)

    def _job_started(self, stamp: Stamp, move: m.JobStarted) -> None:
        self._set_job(move.station, move.job_id)
        for sheet_id in move.sheets:
            sheet = self.sheets.get(sheet_id)
            sheet.job_id = move.job_id
            self.changed_sheet(stamp, sheet)

    def _job_ended(self, stamp: Stamp, move: m.JobEnded) -> None:
        station = self.stations.get(move.station)
        if station.job_id == move.job_id:
            self._set_job(move.station, 0)
        for end in move.sheets:
            sheet = self.sheets.get(end.sheet_id)
            sheet.job_id = 0
            if end.fate == "done":
                sheet.step = move.step
            self.changed_sheet(stamp, sheet)

    def _set_job(self, name: str, job_id: int) -> None:
        station = self.stations.get(name)
        station.job_id = job_id
        self.stations.changed(name, station)

    def changed_sheet(self, stamp: Stamp, sheet: SheetRow) -> None:
        sheet.move_seq = stamp.seq
        self.sheets.changed(sheet.sheet_id, sheet)
        if not sheet.live and not sheet.suspect and not sheet.job_id:
            self.over.append((self.sheets, [sheet.sheet_id]))

    def _positions_marked(self, stamp: Stamp, move: m.PositionsMarked) -> None:
        sheet = self.sheets.get(move.sheet_id)
        if move.mark is not Mark.UNUSED:
            cards = numbers_in(sheet.cards)
            for position in positions_in(move.mask):
                card = self.cards.get(cards[position])
                self.bring(stamp, card, move.mark, move.code)
                _lay(card, sheet, position)
        if move.mark is Mark.SUSPECTED:
            sheet.suspect |= move.mask
        else:
            sheet.suspect &= ~move.mask
        sheet.live &= ~move.mask
        self.changed_sheet(stamp, sheet)

    # ---- packing and stations ----------------------------------------------------------------------------------

    def _bundle_made(self, stamp: Stamp, move: m.BundleMade) -> None:
        row = BundleRow(
            move.bundle_id, move.batch_id, move.unit, list_text(move.cards), move.station, stamp.at_floor_s, 0
        )
        self.bundles.add(move.bundle_id, row)
        for number in move.cards:
            card = self.cards.get(number)
            card.bundle_id = move.bundle_id
            self.bring(stamp, card, Cause.BUNDLE)

    def _card_missing(self, stamp: Stamp, move: m.CardMissing) -> None:
        card = self.cards.get(move.card)
        self.bring(stamp, card, Cause.MISSING, move.code)
        _make_again(card)

    def _consignment_sent(self, stamp: Stamp, move: m.ConsignmentSent) -> None:
        sent = 0
        for bundle_id in move.bundles:
            bundle = self.bundles.get(bundle_id)
            bundle.consignment_id = move.consignment_id
            self.bundles.changed(bundle_id, bundle)
            for number in numbers_in(bundle.cards):
                sent += 1
                self.bring(stamp, self.cards.get(number), Cause.SEND)
        row = ConsignmentRow(
            move.consignment_id, move.batch_id, list_text(move.bundles), sent, move.by, stamp.at_floor_s, stamp.chain,
            stamp.seq, move.scanned, move.box_max,
        )  # fmt: skip
        self.consignments.add(move.consignment_id, row)
        self.over += [(self.bundles, list(move.bundles)), (self.consignments, [move.consignment_id])]

    def _arrival_counted(self, stamp: Stamp, move: m.ArrivalCounted) -> None:
        row = ArrivalRow(
            move.arrival_id, move.consignment_id, move.unit, move.sent, move.cards, move.by, stamp.at_floor_s
        )
        self.arrivals.add(move.arrival_id, row)
        self.over.append((self.arrivals, [move.arrival_id]))

    def _station_joined(self, stamp: Stamp, move: m.StationJoined) -> None:
        station = self.stations.find(move.station)
        if station is None:
            row = StationRow(move.station, move.step, move.model, move.load_max, "stopped", "", stamp.at_floor_s, 0)
            self.stations.add(move.station, row)
        else:
            station.step, station.model, station.load_max = move.step, move.model, move.load_max
            self.stations.changed(move.station, station)

    def _station_changed(self, stamp: Stamp, move: m.StationChanged) -> None:
        station = self.stations.get(move.station)
        station.state, station.reason, station.since_floor_s = move.state, move.reason, move.since_floor_s
        self.stations.changed(move.station, station)


def _why(card: CardRow, kind: str, code: str) -> tuple[str, str]:
    """Give the codes and fields that a card's receipt carries."""
    if kind == receipts.SPOILED_REMAKING:
        return list_text([code]), EMPTY_LIST
    if kind == receipts.REFUSED_LATE and card.stopped_for:
        return list_text([card.stopped_for]), EMPTY_LIST
    if kind in (receipts.ACCEPTED, receipts.REFUSED):
        return card.codes, card.fields
    return EMPTY_LIST, EMPTY_LIST


def _leave(stamp: Stamp, move: m.AnyMove) -> None:
    """Fold a move that no state table shows."""


def _lay(card: CardRow, sheet: SheetRow, position: int) -> None:
    """Say where a marked card lies now: nowhere if it is to be made again, else in its blank."""
    if card.state == _READY:
        _make_again(card)
    elif sheet.body:
        card.blank = blank_serial(sheet.body, position)


def _make_again(card: CardRow) -> None:
    """Begin a card's next generation: it lies nowhere any more."""
    card.generation += 1
    card.sheet_id, card.position, card.blank = 0, -1, 0
