"""How the moves of quality change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import quality_moves as m
from controller.core.cards import Card, Cause, State, rank_of
from controller.core.errors import UnknownThing
from controller.core.holds import Drifted, Hold
from controller.core.state import FloorState, Sheet
from controller.core.stock import Account
from devices.defects import Step


def _signalled(state: FloorState, at: float, move: m.DriftSignalled) -> None:
    """Warn of a code; or doubt every card made and not sent that was judged since the chart's last zero."""
    if state.drift.signals:  # none where the ledger is read under settings that are new since
        state.drift.signals.pop(0)
    if move.code:
        state.station_warnings.setdefault(move.station, {})[move.code] = at
        return
    state.drifted[move.station] = Drifted(at, move.cards_since_zero, list(move.sheets), list(move.in_flight))
    sheets = set(move.sheets)
    for card in state.cards.values():
        if card.sheet_id in sheets and card.state in (State.GOOD, State.MADE):
            state.doubtful.setdefault(card.card, move.station)


def _held(state: FloorState, at: float, move: m.StationHeld) -> None:
    if move.station not in state.stations:
        raise UnknownThing(f"station {move.station}")
    state.station_holds[move.station] = Hold(move.code, at, move.by)


def _released(state: FloorState, at: float, move: m.StationReleased) -> None:
    if state.station_holds.pop(move.station, None) is None:
        raise UnknownThing(f"no hold of station {move.station}")
    state.drifted.pop(move.station, None)
    state.station_warnings.pop(move.station, None)


def _quarantined(state: FloorState, at: float, move: m.CardsQuarantined) -> None:
    """Lay good cards back into their tray, which waits for inspection again.

    The tray may be on the floor yet: with positions that are suspect, or with cards that were quarantined before.
    """
    sheet = state.sheets.get(move.sheet_id)
    if sheet is None:
        sheet = state.sheets[move.sheet_id] = _tray(state, move)
    elif sheet.job_id or sheet.body != move.body or (sheet.live and not sheet.quarantined):
        raise UnknownThing(f"no tray of sheet {move.sheet_id} that takes cards back")
    waits = bool(sheet.live)
    sheet.quarantined = True
    for position, number in enumerate(move.cards):
        if number:
            card = state.card(number)
            state.set_card(card, card.after(Cause.QUARANTINE), at)
            sheet.cards[position] = number
            sheet.live |= 1 << position
    state.stock.enter(Account.GOOD, Account.QUARANTINED, sum(map(bool, move.cards)))
    if not waits:
        state.put_sheet(sheet, Step.INSPECT, at)


def _tray(state: FloorState, move: m.CardsQuarantined) -> Sheet:
    """Give an empty tray for cards that come back to inspection."""
    cards = [state.card(number) for number in move.cards if number]
    kind, rank = state.batch(cards[0].batch_id).card_kind, min(card.rank for card in cards)
    places = state.stock.places_of(move.body)
    return Sheet(move.sheet_id, kind, list(move.cards), rank, Step.INSPECT, live=0, body=move.body, places=places)


def _opened(state: FloorState, at: float, move: m.BundleOpened) -> None:
    """Take a bundle apart; when one of its cards is doubtful, all are: nobody can tell which hand packed what."""
    batch_id, cards = state.bundles.pop(move.bundle_id)
    state.batch(batch_id).bundles.remove(move.bundle_id)
    drifting = next((state.doubtful[number] for number in cards if number in state.doubtful), "")
    for number in cards:
        card = state.card(number)
        state.set_card(card, card.after(Cause.OPEN), at)
        if drifting and card.sheet_id:
            state.doubtful.setdefault(number, drifting)
    state.stock.enter(Account.BUNDLE, Account.GOOD, len(cards))


def _signed_on(state: FloorState, at: float, move: m.OperatorSignedOn) -> None:
    station = state.stations[move.station]
    station.operator, station.operator_until_floor_s = move.operator, move.until_floor_s
    if move.operator and move.until_floor_s:
        state.sign_on_ends[move.station] = move.until_floor_s
    else:
        state.sign_on_ends.pop(move.station, None)


def _set_good(state: FloorState, at: float, move: m.CardSetGood) -> None:
    """Take the last generation back: its blank was good."""
    card = state.card(move.card)
    after = card.after(Cause.SET_GOOD)
    state.stock.unspoil(move.blank, Account.GOOD)
    state.set_card(card, after, at)  # while its rank is still the one it waits with
    card.generation -= 1
    card.rank = _rank(card)
    card.blank, card.sheet_id, card.spoiled_floor_s = move.blank, move.sheet_id, card.spoiled_before_floor_s
    _forget_reject(card)


def _returned(state: FloorState, at: float, move: m.CardReturned) -> None:
    state.stock.take_back(move.blank, at)


def make_again(state: FloorState, card: Card, at: float) -> None:
    """Begin a card's next generation: it is bound to no sheet and no blank any more."""
    card.generation += 1
    card.rank = _rank(card)
    card.sheet_id = card.blank = 0
    _forget_reject(card)
    card.spoiled_before_floor_s, card.spoiled_floor_s = card.spoiled_floor_s, at


def _forget_reject(card: Card) -> None:
    card.rejected_blank = card.rejected_sheet_id = 0
    card.rejected_for, card.spoiled_before_floor_s = "", 0.0


def _rank(card: Card) -> tuple[int, int, float, int, str, int]:
    return rank_of(card.card, card.generation, card.express, card.due_floor_s, card.batch_id, card.unit)


QUALITY_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.DriftSignalled: _signalled,
    m.StationHeld: _held,
    m.StationReleased: _released,
    m.CardsQuarantined: _quarantined,
    m.BundleOpened: _opened,
    m.OperatorSignedOn: _signed_on,
    m.CardSetGood: _set_good,
    m.CardReturned: _returned,
}
