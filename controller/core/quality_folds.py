"""How the moves of quality change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import quality_moves as m
from controller.core.cards import Card, Cause, rank_of
from controller.core.errors import UnknownThing
from controller.core.state import FloorState, Hold, Sheet
from controller.core.stock import Account
from devices.defects import Step


def _signalled(state: FloorState, at: float, move: m.DriftSignalled) -> None:
    state.drift.signals.pop(0)


def _held(state: FloorState, at: float, move: m.StationHeld) -> None:
    if move.station not in state.stations:
        raise UnknownThing(f"station {move.station}")
    state.station_holds[move.station] = Hold(move.code, at, move.by)


def _released(state: FloorState, at: float, move: m.StationReleased) -> None:
    if state.station_holds.pop(move.station, None) is None:
        raise UnknownThing(f"no hold of station {move.station}")


def _quarantined(state: FloorState, at: float, move: m.CardsQuarantined) -> None:
    """Lay good cards back into their tray, which waits for inspection again."""
    cards = [state.card(number) for number in move.cards if number]
    kind = state.batch(cards[0].batch_id).card_kind
    live = sum(1 << position for position, number in enumerate(move.cards) if number)
    rank = min(card.rank for card in cards)
    sheet = state.sheets.get(move.sheet_id)
    if sheet is not None:
        raise UnknownThing(f"sheet {move.sheet_id} is still on the floor")
    sheet = Sheet(move.sheet_id, kind, list(move.cards), rank, Step.INSPECT, live, body=move.body, quarantined=True)
    state.sheets[move.sheet_id] = sheet
    for card in cards:
        state.set_card(card, card.after(Cause.QUARANTINE), at)
    state.stock.enter(Account.GOOD, Account.QUARANTINED, len(cards))
    state.put_sheet(sheet, Step.INSPECT, at)


def _opened(state: FloorState, at: float, move: m.BundleOpened) -> None:
    batch_id, cards = state.bundles.pop(move.bundle_id)
    state.batch(batch_id).bundles.remove(move.bundle_id)
    for number in cards:
        card = state.card(number)
        state.set_card(card, card.after(Cause.OPEN), at)
    state.stock.enter(Account.BUNDLE, Account.GOOD, len(cards))


def _signed_on(state: FloorState, at: float, move: m.OperatorSignedOn) -> None:
    station = state.stations[move.station]
    station.operator, station.operator_until_floor_s = move.operator, move.until_floor_s


def _set_good(state: FloorState, at: float, move: m.CardSetGood) -> None:
    """Take the last generation back: its blank was good."""
    card = state.card(move.card)
    after = card.after(Cause.SET_GOOD)
    state.stock.unspoil(move.blank, Account.GOOD)
    state.set_card(card, after, at)  # while its rank is still the one it waits with
    card.generation -= 1
    card.rank = _rank(state, card)
    card.blank, card.rejected_blank, card.spoiled_floor_s = move.blank, 0, 0.0


def _returned(state: FloorState, at: float, move: m.CardReturned) -> None:
    state.stock.enter(Account.DISPATCHED, Account.RETURNED, 1)


def make_again(state: FloorState, card: Card, at: float) -> None:
    """Begin a card's next generation: it is bound to no sheet and no blank any more."""
    card.generation += 1
    card.rank = _rank(state, card)
    card.sheet_id = card.blank = card.rejected_blank = 0
    card.spoiled_floor_s = at


def _rank(state: FloorState, card: Card) -> tuple[int, int, float, int, str, int]:
    due_floor_s = state.batch(card.batch_id).due_floor_s
    return rank_of(card.card, card.generation, card.express, due_floor_s, card.batch_id, card.unit)


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
