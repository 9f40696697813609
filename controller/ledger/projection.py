"""The projection: how each move changes the state tables and which receipts it calls for, from the moves alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args

from sqlalchemy import Connection

from controller.application import card_id
from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import record_moves as r
from controller.core.andon_moves import AnyAndonMove
from controller.core.cards import Cause, Decision, State
from controller.core.hold_moves import AnyHoldMove
from controller.core.key_moves import AnyKeyMove
from controller.core.moves import Mark, Verdict, positions_in
from controller.core.review_moves import ApplicationSeen, CardHastened
from controller.core.rights_moves import AnyRightsMove
from controller.core.stock_moves import AnyStockMove
from controller.ledger import receipts
from controller.ledger.columns import EMPTY_LIST, EMPTY_MAP, list_text, map_text, numbers_in, words_in
from controller.ledger.open_rows import OpenRows
from controller.ledger.quality_rows import QUALITY_ROWS
from controller.ledger.receipts import Stamp
from controller.ledger.record_rows import RECORD_ROWS
from controller.ledger.review_rows import REVIEW_ROWS
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
from devices.messages import blank_serial

OPEN, CLOSED, REFUSED = "open", "closed", "refused"  # states of a batch

# in plain text, as the columns hold them: an enum's value costs a look-up each time
_READY, _HELD, _ACCEPTED = State.READY.value, State.HELD.value, State.ACCEPTED.value
_HOLD, _REFUSE = Verdict.HOLD, Verdict.REFUSE
_AS_FOUND = (Decision.RELEASE, Decision.REFUSE)  # their receipts carry what the checks found

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
        r.AccountChanged,
        r.RestoreReconciled,
        ApplicationSeen,
        CardHastened,
        *get_args(AnyHoldMove),
        *get_args(AnyRightsMove),
        *get_args(AnyKeyMove),
        *get_args(AnyAndonMove),
    }
)


class Projection(OpenRows):
    """Folds moves into rows of the state tables, for `flush` to write."""

    def __init__(self, connection: Connection, jumped: int = 0) -> None:
        super().__init__(connection, jumped)
        self._folds = self._own_folds()

    def _own_folds(self) -> dict[type, Callable[[Stamp, Any], None]]:
        """Give how each kind of move is folded."""
        return {
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
            **{kind: partial(fold, self) for kind, fold in (QUALITY_ROWS | RECORD_ROWS | REVIEW_ROWS).items()},
        }

    def apply(self, stamp: Stamp, move: m.AnyMove) -> None:
        """Fold one move.  Raises: UnknownRow, IllegalMove: it does not fit what came before, which is a bug."""
        self._folds[type(move)](stamp, move)

    # ---- batches and cards -------------------------------------------------------------------------------------

    def _batch_opened(self, stamp: Stamp, move: m.BatchOpened) -> None:
        refused = sum(row.verdict == _REFUSE for row in move.rows)
        times = (move.received_floor_s, move.due_floor_s, stamp.at_floor_s, 0.0)
        batch = BatchRow(
            move.batch_id, move.batch_number, move.upstream, move.card_kind, OPEN, *times,
            len(move.rows), refused, 0, 0, 0, EMPTY_LIST,
        )  # fmt: skip
        self.batches.add(move.batch_id, batch)
        self._open_rows(stamp, batch, move.rows)

    def _open_rows(self, stamp: Stamp, batch: BatchRow, rows: Sequence[m.RowVerdict]) -> None:
        add, first = self.cards.add, card_id(batch.batch_id, 0)
        told = []
        for row in rows:
            codes = list_text(row.codes) if row.codes else EMPTY_LIST
            fields = list_text(row.fields) if row.fields else EMPTY_LIST
            verdict, number = row.verdict, first + row.index
            if verdict == _REFUSE:
                told.append((receipts.REFUSED, 0, row.acceptance_number, row.index, 0, codes, fields))
                continue
            held = verdict == _HOLD
            add(
                number,
                CardRow(
                    number, batch.batch_id, row.acceptance_number, row.case_no, row.unit, row.express, codes, fields,
                    _HELD if held else _ACCEPTED, "", 1, 0, -1, 0, 0, stamp.at_floor_s, stamp.seq,
                ),
            )  # fmt: skip
            kind = receipts.HELD if held else receipts.ACCEPTED
            told.append((kind, number, row.acceptance_number, row.index, row.case_no, codes, fields))
        self.receipts.about_rows(stamp, batch, told)

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
        self.batches.changed(batch)
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
        card = self.cards.get(move.card)
        codes, fields = EMPTY_LIST, EMPTY_LIST
        if move.decision in _AS_FOUND:
            codes, fields = card.codes, card.fields
        elif move.decision == Decision.CORRECT:
            codes = list_text([receipts.REPLACED])
        elif move.decision == Decision.REFUSE_LATE and card.stopped_for:
            codes = list_text([card.stopped_for])
        self.bring(stamp, [card], move.decision, codes, fields)

    def _card_stopped(self, stamp: Stamp, move: m.CardStopped) -> None:
        card = self.cards.get(move.card)
        card.stopped_for = move.code
        self.bring(stamp, [card], Cause.STOP)

    def _encode_started(self, stamp: Stamp, move: m.EncodeStarted) -> None:
        self.encode_jobs.add(move.job_id, EncodeJobRow(move.job_id, list_text(move.cards), stamp.at_floor_s, 0.0))

    def _encode_ended(self, stamp: Stamp, move: m.EncodeEnded) -> None:
        job = self.encode_jobs.get(move.job_id)
        job.ended_floor_s = stamp.at_floor_s
        self.encode_jobs.changed(job)
        self.over.append((self.encode_jobs, [move.job_id]))
        failed = {number for number, _ in move.failed}
        ready = []
        for card in self.cards.get_all(numbers_in(job.cards)):
            if card.state == _ACCEPTED and card.card_id not in failed:
                ready.append(card)
            elif self.batches.get(card.batch_id).state == CLOSED:  # cancelled meanwhile, and the last of its batch
                self._let_go(card.batch_id)
        self.bring(stamp, ready, Cause.ENCODED)

    # ---- sheets and jobs ---------------------------------------------------------------------------------------

    def _sheet_imposed(self, stamp: Stamp, move: m.SheetImposed) -> None:
        places = [position for position, number in enumerate(move.cards) if number]
        cards = self.cards.get_all([move.cards[position] for position in places])
        for card, position in zip(cards, places, strict=True):
            card.sheet_id, card.position = move.sheet_id, position
        self.bring(stamp, cards, Cause.IMPOSE)
        live = sum(1 << position for position in places)
        sheet = SheetRow(move.sheet_id, list_text(move.cards), 0, live, 0, "", 0, stamp.at_floor_s, stamp.seq)
        self.sheets.add(move.sheet_id, sheet)

    def _sheet_bound(self, stamp: Stamp, move: m.SheetBound) -> None:
        sheet = self.sheets.get(move.sheet_id)
        sheet.body = move.body
        self.changed_sheet(stamp, sheet)

    def _job_started(self, stamp: Stamp, move: m.JobStarted) -> None:
        station = self.stations.get(move.station)
        station.job_id = move.job_id
        self.stations.changed(station)
        for sheet_id in move.sheets:
            sheet = self.sheets.get(sheet_id)
            sheet.job_id = move.job_id
            self.changed_sheet(stamp, sheet)

    def _job_ended(self, stamp: Stamp, move: m.JobEnded) -> None:
        station = self.stations.get(move.station)
        if station.job_id == move.job_id:
            station.job_id = 0
            self.stations.changed(station)
        for end in move.sheets:
            sheet = self.sheets.get(end.sheet_id)
            sheet.job_id = 0
            if end.fate == "done":
                sheet.step = move.step
            self.changed_sheet(stamp, sheet)

    def _positions_marked(self, stamp: Stamp, move: m.PositionsMarked) -> None:
        sheet = self.sheets.get(move.sheet_id)
        if move.mark is not Mark.UNUSED:
            numbers, places = numbers_in(sheet.cards), positions_in(move.mask)
            cards = self.cards.get_all([numbers[position] for position in places])
            self.bring(stamp, cards, move.mark, list_text([move.code]))
            _lay(cards, sheet.body, places)
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
        cards = self.cards.get_all(move.cards)
        for card in cards:
            card.bundle_id = move.bundle_id
        self.bring(stamp, cards, Cause.BUNDLE)

    def _card_missing(self, stamp: Stamp, move: m.CardMissing) -> None:
        card = self.cards.get(move.card)
        self.bring(stamp, [card], Cause.MISSING, list_text([move.code]))
        _make_again(card)

    def _consignment_sent(self, stamp: Stamp, move: m.ConsignmentSent) -> None:
        sent, units = 0, set[str]()
        for bundle_id in move.bundles:
            bundle = self.bundles.get(bundle_id)
            units.add(bundle.unit)
            bundle.consignment_id = move.consignment_id
            self.bundles.changed(bundle)
            cards = self.cards.get_all(numbers_in(bundle.cards))
            sent += len(cards)
            self.bring(stamp, cards, Cause.SEND)
        row = ConsignmentRow(
            move.consignment_id, move.batch_id, list_text(move.bundles), sent, move.by, stamp.at_floor_s, stamp.chain,
            stamp.seq, move.scanned, move.box_max, list_text(sorted(units)),
        )  # fmt: skip
        self.consignments.add(move.consignment_id, row)
        self.over += [(self.bundles, list(move.bundles)), (self.consignments, [move.consignment_id])]

    def _arrival_counted(self, stamp: Stamp, move: m.ArrivalCounted) -> None:
        row = ArrivalRow(
            move.arrival_id, move.consignment_id, move.unit, move.sent, move.cards, move.by, stamp.at_floor_s
        )
        self.arrivals.add(move.arrival_id, row)
        self.over += [(self.arrivals, [move.arrival_id]), (self.consignments, [move.consignment_id])]
        consignment = self.consignments.find(move.consignment_id)  # none has a number that a restore jumped over
        if consignment is not None:
            waiting = words_in(consignment.uncounted)
            consignment.uncounted = list_text([unit for unit in waiting if unit != move.unit])
            self.consignments.changed(consignment)

    def _station_joined(self, stamp: Stamp, move: m.StationJoined) -> None:
        station = self.stations.find(move.station)
        if station is None:
            row = StationRow(move.station, move.step, move.model, move.load_max, "stopped", "", stamp.at_floor_s, 0)
            self.stations.add(move.station, row)
        else:
            station.step, station.model, station.load_max = move.step, move.model, move.load_max
            self.stations.changed(station)

    def _station_changed(self, stamp: Stamp, move: m.StationChanged) -> None:
        station = self.stations.get(move.station)
        station.state, station.reason, station.since_floor_s = move.state, move.reason, move.since_floor_s
        self.stations.changed(station)


def _leave(stamp: Stamp, move: m.AnyMove) -> None:
    """Fold a move that no state table shows."""


def _lay(cards: Sequence[CardRow], body: int, places: Sequence[int]) -> None:
    """Say where marked cards lie now: nowhere if they are to be made again, else in their blanks."""
    for card, position in zip(cards, places, strict=True):
        if card.state == _READY:
            _make_again(card)
        elif body:
            card.blank = blank_serial(body, position)


def _make_again(card: CardRow) -> None:
    """Begin a card's next generation: it lies nowhere any more."""
    card.generation += 1
    card.sheet_id, card.position, card.blank = 0, -1, 0
