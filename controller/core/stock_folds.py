"""How the moves of stock change the state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from controller.core import stock_moves as m
from controller.core.state import FloorState
from controller.core.stock import SPOILED, VAULT, Account, Supply
from devices.messages import blank_serial


def _received(state: FloorState, at: float, move: m.StockReceived) -> None:
    state.stock.receive(move.first_body, move.sheets, move.places)


def _issued(state: FloorState, at: float, move: m.MagazineIssued) -> None:
    state.used_id("issue", move.issue_id)
    state.stock.issue(move.issue_id, move.station, move.first_body, move.sheets)


def _returned(state: FloorState, at: float, move: m.BodiesReturned) -> None:
    state.used_id("issue", move.issue_id)
    state.stock.unissue(move.issue_id, move.station, move.first_body, move.sheets)


def _sampled(state: FloorState, at: float, move: m.BodiesSampled) -> None:
    state.stock.take_out(0, "", move.first_body, move.sheets, Account.SAMPLE)


def _bodies_lost(state: FloorState, at: float, move: m.BodiesLost) -> None:
    stock = state.stock
    state.used_id("issue", move.issue_id)
    places = stock.take_out(move.issue_id, move.station, move.first_body, move.sheets, Account.MISSING)
    for body in range(move.first_body, move.first_body + move.sheets):
        for position in range(places):
            stock.miss(blank_serial(body, position), at)
    stock.explain(move.station or VAULT, move.sheets)


def _blank_lost(state: FloorState, at: float, move: m.BlanksLost) -> None:
    since_floor_s = state.stock.spoiled.get(move.blank, math.inf)
    if since_floor_s <= state.stock.spoiled_counted_floor_s:  # one spoiled since explains nothing of that count
        state.stock.explain(SPOILED, 1)
    state.stock.take_void(move.blank, Account.MISSING)
    state.stock.miss(move.blank, at)


def _destroyed(state: FloorState, at: float, move: m.BlanksDestroyed) -> None:
    state.used_id("destruction", move.destruction_id)
    for blank in move.blanks:
        state.stock.take_void(blank, Account.DESTROYED)


def _counted(state: FloorState, at: float, move: m.StockCounted) -> None:
    state.used_id("count", move.count_id)
    state.stock.counts[move.place] = (move.counted, move.expected)
    if move.place == SPOILED:
        state.stock.spoiled_counted_floor_s = at


def _shift_closed(state: FloorState, at: float, move: m.ShiftClosed) -> None:
    state.used_id("shift", move.shift_id)
    state.stock.counts.clear()
    state.stock.lost.clear()
    state.stock.shift_floor_s = at


def _supply(state: FloorState, at: float, move: m.SupplyLoaded) -> None:
    state.stock.supplies.setdefault(move.station, {})[move.kind] = Supply(move.lot, move.units)


def use_supplies(state: FloorState, station: str, sheets: int) -> None:
    """Take what a load used up off the station's supplies; a supply that nobody entered is not counted."""
    for supply in state.stock.supplies.get(station, {}).values():
        supply.units = max(0, supply.units - sheets)


STOCK_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.StockReceived: _received,
    m.MagazineIssued: _issued,
    m.BodiesReturned: _returned,
    m.BodiesSampled: _sampled,
    m.BodiesLost: _bodies_lost,
    m.BlanksLost: _blank_lost,
    m.BlanksDestroyed: _destroyed,
    m.StockCounted: _counted,
    m.ShiftClosed: _shift_closed,
    m.SupplyLoaded: _supply,
}
