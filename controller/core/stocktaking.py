"""Counts without being told, shifts that close when they balance, and supplies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core.stock import COUNTED_PLACES, Account
from controller.core.stock_moves import StockCounted, SupplyLoaded
from controller.core.turn import Turn
from devices.messages import POSITIONS


def _counted(turn: Turn, event: e.CountTaken) -> None:
    stock = turn.state.stock
    if event.place not in (*COUNTED_PLACES, *stock.magazines):
        places = ", ".join((*COUNTED_PLACES, *sorted(stock.magazines)))
        turn.refuse("stock.no_place", f"a count is of one of: {places}")
        return
    if event.place == "vault":
        expected = stock.blanks[Account.VAULT] // POSITIONS
    elif event.place == "spoiled":
        expected = len(stock.spoiled)
    else:
        expected = stock.in_magazine(event.place)
    turn.record(StockCounted(turn.state.next_id("count"), event.place, event.counted, expected, event.by))


def _supply_entered(turn: Turn, event: e.SupplyEntered) -> None:
    if event.station not in turn.state.stations:
        turn.refuse("station.unknown", "no station of this name ever said hello: see `cardmill stations`")
    else:
        turn.record(SupplyLoaded(event.station, event.kind, event.lot, event.units, event.by))


STOCK_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.CountTaken: _counted,
    e.SupplyEntered: _supply_entered,
}
