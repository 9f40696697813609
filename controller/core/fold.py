"""How each move changes the state: one function a move, found by its type."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from operator import attrgetter
from typing import Any, TypeVar

from controller.core import moves as m
from controller.core.andon_folds import ANDON_FOLDS
from controller.core.cards import Card, Cause, State, rank_of
from controller.core.change import change
from controller.core.drift import FOLDS as WATCHED
from controller.core.errors import NoPosition, UnknownThing
from controller.core.hold_folds import HOLD_FOLDS
from controller.core.key_folds import KEY_FOLDS
from controller.core.moves import Mark, Verdict, mask_of, positions_in
from controller.core.packing_folds import PACKING_FOLDS
from controller.core.quality_folds import QUALITY_FOLDS, make_again
from controller.core.record_folds import RECORD_FOLDS
from controller.core.review_folds import REVIEW_FOLDS
from controller.core.rights_folds import RIGHTS_FOLDS
from controller.core.settings import ROUTES
from controller.core.state import Batch, FloorState, Job, Sheet, Station
from controller.core.stock import ENTRY_OF_MARK, Account
from controller.core.stock_folds import STOCK_FOLDS, use_supplies
from devices.defects import Step
from devices.messages import Fate, StationState, blank_serial

CARDS_PER_BATCH = 10_000  # a card's number is its batch's times this, plus its place
# as in `state`: asked for each card
_HELD, _ACCEPTED, _READY = State.HELD, State.ACCEPTED, State.READY
_ENCODED, _IMPOSE = Cause.ENCODED, Cause.IMPOSE
_HOLD, _REFUSE = Verdict.HOLD, Verdict.REFUSE
_DONE, _UNTOUCHED = Fate.DONE, Fate.UNTOUCHED
_UNUSED, _SUSPECTED, _SPOILED_MARK = Mark.UNUSED, Mark.SUSPECTED, Mark.SPOILED
_FINDINGS = (Mark.FOUND_GOOD, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
_ON_SHEET, _SPOILED, _MISSING = Account.SHEET, Account.SPOILED, Account.MISSING
STEPS = {step.value: step for step in Step}
NEXT = {kind: dict(pairwise(route)) for kind, route in ROUTES.items()}  # card kind -> step -> the one after it
_UNIT = attrgetter("unit")
LOAD_S_MAX = 3_600.0  # what took longer stood still, or its clock lied: no load may seem longer than every shift

Folder = Callable[[FloorState, float, Any], None]
Kind = TypeVar("Kind", bound=Folder)
FOLDS: dict[type, Folder] = {
    **STOCK_FOLDS,
    **QUALITY_FOLDS,
    **RECORD_FOLDS,
    **REVIEW_FOLDS,
    **HOLD_FOLDS,
    **RIGHTS_FOLDS,
    **KEY_FOLDS,
    **ANDON_FOLDS,
    **PACKING_FOLDS,
}


def folds(kind: type) -> Callable[[Kind], Kind]:
    """Enter a function as the fold of one kind of move."""

    def enter(function: Kind) -> Kind:
        FOLDS[kind] = function
        return function

    return enter


def apply(state: FloorState, at_floor_s: float, move: m.AnyMove) -> None:
    """Change the state by one move.  Raises: CoreError when the move cannot be."""
    kind = type(move)
    FOLDS[kind](state, at_floor_s, move)
    watch = WATCHED.get(kind)
    if watch and (signals := watch(state.drift, at_floor_s, move)):
        state.drift.signals += signals


# ---- batches and cards ----------------------------------------------------------------------------------------


@folds(m.ServiceStarted)
def _run(state: FloorState, at: float, move: m.ServiceStarted) -> None:
    state.run = move.run


@folds(m.BatchOpened)
def _batch(state: FloorState, at: float, move: m.BatchOpened) -> None:
    refused = sum([row.verdict == _REFUSE for row in move.rows])
    batch = Batch(
        move.batch_id,
        move.batch_number,
        move.upstream,
        move.card_kind,
        move.received_floor_s,
        move.due_floor_s,
        len(move.rows),
        refused,
    )
    state.batches[move.batch_id] = batch
    accepted, units = [], dict[str, str]()  # one text for all cards of a police station: alike at a glance
    batch_id, all_due = move.batch_id, move.due_floor_s
    express_due = min(all_due, move.express_due_floor_s) if move.express_due_floor_s else all_due
    first, one_of = batch_id * CARDS_PER_BATCH, units.setdefault
    for row in move.rows:
        verdict = row.verdict
        if verdict == _REFUSE:
            continue
        number, express, unit = first + row.index, row.express, one_of(row.unit, row.unit)
        due = express_due if express else all_due
        rank = rank_of(number, 1, express, due, batch_id, unit)
        card = Card(number, batch_id, unit, _HELD, rank, express, due_floor_s=due)
        state.cards[number] = card
        batch.cards.append(number)
        if express:
            batch.express += 1
        if verdict == _HOLD:
            state.holds[number] = list(row.codes)
        else:
            accepted.append(card)
    if batch.cards:
        batch.states[_HELD] += len(batch.cards)
    if accepted:
        accepted.sort(key=_UNIT)  # as they are ranked
        state.set_cards(accepted, _ACCEPTED, at)


@folds(m.BatchRefused)
def _batch_refused(state: FloorState, at: float, move: m.BatchRefused) -> None:
    """Do nothing: a refused batch never comes to the floor."""


@folds(m.BatchClosed)
def _batch_closed(state: FloorState, at: float, move: m.BatchClosed) -> None:
    batch = state.batch(move.batch_id)
    for card in batch.cards:
        del state.cards[card]
    del state.batches[move.batch_id]
    state.batch_holds.pop(move.batch_id, None)


@folds(m.CardDecided)
def _decided(state: FloorState, at: float, move: m.CardDecided) -> None:
    card = state.card(move.card)
    state.set_card(card, card.after(move.decision), at)


@folds(m.CardStopped)
def _stopped(state: FloorState, at: float, move: m.CardStopped) -> None:
    card = state.card(move.card)
    state.set_card(card, card.after(Cause.STOP), at)


@folds(m.EncodeStarted)
def _encode(state: FloorState, at: float, move: m.EncodeStarted) -> None:
    state.used_id("job", move.job_id)
    state.encode_jobs[move.job_id] = list(move.cards)
    state.take_unencoded(state.cards_of(move.cards))


@folds(m.EncodeEnded)
def _encoded(state: FloorState, at: float, move: m.EncodeEnded) -> None:
    failed = {card for card, _ in move.failed}
    known = map(state.cards.get, state.encode_jobs.pop(move.job_id))  # it may be cancelled, and its batch closed
    encoded = [card for card in known if card and card.state is _ACCEPTED and card.card not in failed]
    change(state, encoded, _ENCODED, at)


# ---- sheets and jobs ------------------------------------------------------------------------------------------


@folds(m.SheetImposed)
def _sheet(state: FloorState, at: float, move: m.SheetImposed) -> None:
    state.used_id("sheet", move.sheet_id)
    cards = state.cards_of(move.cards)
    kind = state.batch(cards[0].batch_id).card_kind
    rank = min([card.rank for card in cards])
    sheet = Sheet(move.sheet_id, kind, list(move.cards), rank, ROUTES[kind][0], mask_of(move.cards), places=move.places)
    state.sheets[move.sheet_id] = sheet
    change(state, cards, _IMPOSE, at)
    for card in cards:
        card.sheet_id = move.sheet_id
    state.put_sheet(sheet, ROUTES[kind][0], at)


@folds(m.JobStarted)
def _job(state: FloorState, at: float, move: m.JobStarted) -> None:
    state.used_id("job", move.job_id)
    if move.bundle_id:
        state.used_id("bundle", move.bundle_id)
    step, sheets, cards = STEPS[move.step], list(move.sheets), list(move.cards)
    state.jobs[move.job_id] = Job(
        move.job_id, move.station, step, sheets, at, move.bundle_id, cards, move.because, list(move.beaten)
    )
    station = state.stations[move.station]
    station.job_id = move.job_id
    for sheet_id in sheets:
        sheet = state.sheet(sheet_id)
        state.take_sheet(sheet, move.job_id)
        station.kind = sheet.kind
    if move.cards:
        state.take_from_piles(state.cards_of(move.cards))  # so that no second packer takes them


@folds(m.JobEnded)
def _job_ended(state: FloorState, at: float, move: m.JobEnded) -> None:
    job = state.jobs.pop(move.job_id)
    station = state.stations[job.station]
    if station.job_id == move.job_id:
        station.job_id = 0
    took_s = move.ended_floor_s - move.started_floor_s
    if not 0.0 <= took_s <= LOAD_S_MAX:
        took_s = min(max(0.0, took_s), LOAD_S_MAX)
    station.load_s = took_s if not station.load_s else 0.8 * station.load_s + 0.2 * took_s
    if job.station in state.stock.supplies:
        use_supplies(state, job.station, sum(end.fate != Fate.UNTOUCHED for end in move.sheets))
    for end in move.sheets:
        sheet = state.sheets.get(end.sheet_id)
        if sheet is None:  # the marks before this move ended it
            continue
        sheet.job_id = 0
        if end.fate == _UNTOUCHED:
            state.put_sheet(sheet, sheet.step, at)
        elif end.fate == _DONE and sheet.live:
            state.put_sheet(sheet, NEXT[sheet.kind][sheet.step], at)


@folds(m.SheetBound)
def _bound(state: FloorState, at: float, move: m.SheetBound) -> None:
    sheet = state.sheet(move.sheet_id)
    state.stock.draw(move.station, move.body)
    sheet.body = move.body
    if sheet.suspect:
        state.stock.enter(Account.SHEET, Account.SUSPECT, sheet.suspect.bit_count())


@folds(m.PositionsMarked)
def _marked(state: FloorState, at: float, move: m.PositionsMarked) -> None:
    if not 0 < move.mask <= 0xFF:
        raise NoPosition(f"the mask {move.mask} of sheet {move.sheet_id} is of none of its eight positions")
    sheet = state.sheet(move.sheet_id)
    source = _source_of(sheet, move.mark)
    if sheet.body and move.mark in ENTRY_OF_MARK:
        target = ENTRY_OF_MARK[move.mark]
        state.stock.enter(source, target, move.mask.bit_count())
        if target is _SPOILED:
            operator = _operator_at(state, move.station) or sheet.suspect_with
            for position in positions_in(move.mask):
                state.stock.spoil(blank_serial(sheet.body, position), at, operator)
        elif target is _MISSING:
            for position in positions_in(move.mask):
                state.stock.miss(blank_serial(sheet.body, position), at)
    if move.mark is not _UNUSED:
        _lay(state, sheet, positions_in(move.mask), move, at)
    sheet.live &= ~move.mask
    if move.mark is _SUSPECTED:
        sheet.suspect |= move.mask
        sheet.suspect_with = _operator_at(state, move.station)
    else:
        sheet.suspect &= ~move.mask
    state.drop_sheet_if_over(sheet)


def _operator_at(state: FloorState, station: str) -> str:
    """Give who works at a station now; empty: nobody signed on, or no station did it."""
    known = state.stations.get(station)
    return known.operator if known else ""


def _source_of(sheet: Sheet, mark: Mark) -> Account:
    if mark in _FINDINGS:
        return Account.SUSPECT
    return Account.QUARANTINED if sheet.quarantined else _ON_SHEET


def _lay(state: FloorState, sheet: Sheet, positions: list[int], move: m.PositionsMarked, at: float) -> None:
    """Bring the cards of marked positions to their next state: with a blank each, or for their next generation."""
    cards = state.cards_of([sheet.cards[position] for position in positions])
    if cards[0].after(move.mark) is _READY:
        for card in cards:
            make_again(state, card, at)
    elif sheet.body:
        first = blank_serial(sheet.body, 0)
        for card, position in zip(cards, positions, strict=True):
            card.blank = first + position
    change(state, cards, move.mark, at)
    if move.mark is _SPOILED_MARK and sheet.body and move.found_at == Step.INSPECT:
        for card, position in zip(cards, positions, strict=True):
            card.rejected_blank = blank_serial(sheet.body, position)
            card.rejected_for, card.rejected_sheet_id = move.code, sheet.sheet_id


# ---- stock, stations, acts ------------------------------------------------------------------------------------


@folds(m.StationJoined)
def _joined(state: FloorState, at: float, move: m.StationJoined) -> None:
    known = state.stations.get(move.station)
    station = Station(move.station, Step(move.step), move.load_max, move.model, since_floor_s=at)
    if known:
        station.state, station.reason, station.job_id = known.state, known.reason, known.job_id
        station.since_floor_s, station.kind, station.load_s = known.since_floor_s, known.kind, known.load_s
        station.operator, station.operator_until_floor_s = known.operator, known.operator_until_floor_s
    state.stations[move.station] = station
    if station.step is Step.PACK and station.load_max < state.ripe_cards:
        state.ripe_cards = station.load_max
        for pile in state.piles:
            state.ripen(pile)


@folds(m.StationChanged)
def _changed(state: FloorState, at: float, move: m.StationChanged) -> None:
    station = state.stations.get(move.station)
    if station is None:
        raise UnknownThing(f"station {move.station}")
    station.state, station.reason, station.since_floor_s = move.state, move.reason, move.since_floor_s
    hold = state.station_holds.get(move.station)
    if hold and move.state == StationState.STOPPED:
        hold.off_line = True


@folds(m.StationLied)
def _lied(state: FloorState, at: float, move: m.StationLied) -> None:
    """Do nothing: it is recorded for the audit."""


@folds(m.ActProposed)
def _act(state: FloorState, at: float, move: m.ActProposed) -> None:
    state.used_id("act", move.act_id)
    state.acts[move.act_id] = move


@folds(m.ActEnded)
def _act_ended(state: FloorState, at: float, move: m.ActEnded) -> None:
    del state.acts[move.act_id]
