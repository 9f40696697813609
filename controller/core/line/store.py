"""Blanks on a pretend line: magazines filled from the vault, and the vault from deliveries, as they were before."""

from __future__ import annotations

from collections.abc import Callable

from controller.core import events as e
from controller.core import moves as m
from controller.core.line import guesses
from controller.core.line.figures import MagazineFigures
from controller.core.line.hours import PeopleHours
from controller.core.line.nature import Nature
from controller.core.line.staff import FIRST
from controller.core.line.stock_record import DELIVERY
from controller.core.state import FloorState
from controller.core.stock import BodyRange
from controller.core.stock_moves import MagazineIssued, StockReceived
from devices.defects import Step
from devices.messages import POSITIONS

DELIVERY_S = 60.0  # between a vault found too low and what the record says is then delivered

STORE_MOVES: tuple[type, ...] = (m.SheetBound, MagazineIssued, StockReceived)

Push = Callable[[float, e.AnyEvent], None]


class LineStore:
    """Watches every press's magazine; fills it at the levels, and by the sheets, that the ledger shows."""

    def __init__(
        self,
        state: FloorState,
        figures: MagazineFigures,
        nature: Nature,
        push: Push,
        began_floor_s: float,
        hours: PeopleHours,
    ) -> None:
        self._state, self._figures, self._nature, self._push = state, figures, nature, push
        self._numbers: dict[str, int] = {}  # press -> fills so far
        self._next: dict[str, tuple[int, int]] = {}  # press -> (level, sheets) of its next fill
        self._asked: set[str] = set()
        self._deliveries = 0
        self._delivering = False
        self._promised = 0  # body sheets of the vault that fills on their way will take
        self._began_floor_s, self._hours = began_floor_s, hours
        self.empty_vault_floor_s: float | None = None  # when the vault could not fill a magazine first

    def begin(self) -> None:
        """Look at every magazine."""
        for name, station in sorted(self._state.stations.items()):
            if station.step is Step.LAMINATE:
                self.look(name, self._began_floor_s)

    def saw(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Take one move of `STORE_MOVES`."""
        if isinstance(move, m.SheetBound):
            self.look(move.station, at_floor_s)
        elif isinstance(move, MagazineIssued):
            self._asked.discard(move.station)
            self._promised = max(0, self._promised - move.sheets)
        elif isinstance(move, StockReceived):
            self._delivering = False
            self.begin_again(at_floor_s)

    def begin_again(self, at_floor_s: float) -> None:
        """Look at every magazine: there are blanks now."""
        for name, station in sorted(self._state.stations.items()):
            if station.step is Step.LAMINATE:
                self.look(name, at_floor_s)

    def look(self, press: str, at_floor_s: float) -> None:
        """Fill a magazine that is as low as magazines were when they were filled before."""
        if press in self._asked:
            return
        level = self._state.stock.in_magazine(press, POSITIONS)
        low, sheets = self._next_fill(press)
        if level > low:
            return
        source = self._vault()
        if source is None:
            self._order(at_floor_s)
            return
        self._asked.add(press)
        del self._next[press]
        number = self._numbers[press] = self._numbers.get(press, 0) + 1
        first, there = source
        sheets = min(sheets, there)
        self._promised += sheets
        wait_s = 0.0 if level else self._nature.empty_s.value(self._nature.draws.point(f"{press} empty {number}"))
        args: dict[str, int | str] = {"station": press, "first_body": first, "sheets": sheets}
        self._push(at_floor_s + wait_s, e.ActAsked("issue", args, FIRST))

    def _next_fill(self, press: str) -> tuple[int, int]:
        """Give at what level a magazine is filled next, and with how much."""
        if press not in self._next:
            fills = self._figures.fills
            if fills:
                point = self._nature.draws.point(f"{press} fill {self._numbers.get(press, 0)}")
                self._next[press] = fills[int(point * len(fills))]
            else:
                load = max(1, self._state.stations[press].load_max)
                self._next[press] = (guesses.FILL_LOADS[0] * load, guesses.FILL_LOADS[1] * load)
        return self._next[press]

    def _vault(self) -> tuple[int, int] | None:
        """Give the first body sheets of eight that are promised to nobody, and how many lie in a row."""
        promised = self._promised
        for one in self._state.stock.vault:
            if one.places == POSITIONS:
                if one.sheets > promised:
                    return one.first + promised, one.sheets - promised
                promised -= one.sheets
        return None

    def _order(self, at_floor_s: float) -> None:
        """Have a delivery come as the record has them; where it has none, after the time people are guessed to take."""
        if self.empty_vault_floor_s is None:
            self.empty_vault_floor_s = at_floor_s
        if self._delivering:
            return
        self._delivering = True
        self._deliveries += 1
        deliveries, comes = self._figures.deliveries, at_floor_s + DELIVERY_S
        if deliveries:
            _, sheets = deliveries[self._deliveries % len(deliveries)]
        else:
            sheets = self._figures.first_sheets or guesses.DELIVERY_SHEETS
            takes_s = self._nature.wait(DELIVERY).value(self._nature.draws.point(f"delivery {self._deliveries}"))
            comes = self._hours.after(at_floor_s, takes_s)
        first = max((_end(one) for one in self._state.stock.lots), default=1)
        args: dict[str, int | str] = {"first_body": first, "sheets": max(1, sheets), "lot": "forecast"}
        self._push(comes, e.ActAsked("receive", args, FIRST))


def _end(lot: BodyRange) -> int:
    return lot.first + lot.sheets
