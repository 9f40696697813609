"""Counts without being told, what a closed shift rests on, and supplies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from controller.core import events as e
from controller.core.stock import COUNTED_PLACES, SPOILED, VAULT, Stock
from controller.core.stock_moves import StockCounted, SupplyLoaded
from controller.core.turn import Turn

RANGES_NAMED = 40  # of one place, in one sentence


def expected_at(stock: Stock, place: str) -> int:
    """Give what the books have at a place: body sheets; of the spoiled: blanks that wait for destruction."""
    if place == SPOILED:
        return len(stock.spoiled)
    return sum(one.sheets for one in stock.vault) if place == VAULT else stock.in_magazine(place)


def uncounted(stock: Stock) -> list[str]:
    """Give the places that must be counted before the shift is closed: empty magazines need no count."""
    magazines = [station for station in sorted(stock.magazines) if stock.in_magazine(station)]
    return [place for place in (*COUNTED_PLACES, *magazines) if place not in stock.counts]


def differences(stock: Stock) -> list[str]:
    """Give a sentence for each place whose last count is not what the books had, with the serials that should be there.

    What two people declared lost since the count explains that much of it.
    """
    return [
        f"{place} was counted {counted:,} and should be {expected:,}{_should_lie_there(stock, place)}"
        for place, (counted, expected) in sorted(stock.counts.items())
        if counted != expected
    ]


def _should_lie_there(stock: Stock, place: str) -> str:
    if place == SPOILED:
        runs = runs_of(sorted(stock.spoiled))
    else:
        ranges = stock.vault if place == VAULT else stock.magazines.get(place, ())
        runs = sorted((one.first, one.first + one.sheets - 1) for one in ranges)
    if not runs:
        return ""
    named = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:RANGES_NAMED])
    more = f" and {len(runs) - RANGES_NAMED} ranges more" if len(runs) > RANGES_NAMED else ""
    return f" ({named}{more})"


def runs_of(serials: Iterable[int]) -> list[tuple[int, int]]:
    """Give rising serials as (first, last) of each run without a gap."""
    runs: list[tuple[int, int]] = []
    for serial in serials:
        if runs and serial == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], serial)
        else:
            runs.append((serial, serial))
    return runs


# ---- what one person enters -------------------------------------------------------------------------------------


def _counted(turn: Turn, event: e.CountTaken) -> None:
    stock = turn.state.stock
    if event.place not in (*COUNTED_PLACES, *stock.magazines):
        places = ", ".join((*COUNTED_PLACES, *sorted(stock.magazines)))
        turn.refuse("stock.no_place", f"a count is of one of: {places}")
        return
    station = turn.state.stations.get(event.place)
    if station is not None and station.job_id:
        turn.refuse(
            "stock.station_works",
            "this station has a load: take it off line, and count its magazine when the load has ended",
        )
        return
    expected = expected_at(stock, event.place)
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
