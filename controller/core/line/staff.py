"""The people of a pretend line: they settle suspects, release stations, decide, in the time they took before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from controller.core import events as e
from controller.core import hold_events as h
from controller.core import moves as m
from controller.core.cards import MOVES, Card, Decision, State
from controller.core.fold import CARDS_PER_BATCH
from controller.core.line.change import Down
from controller.core.line.figures import Estimates
from controller.core.line.hours import PeopleHours
from controller.core.line.nature import Nature
from controller.core.line.people_record import (
    HOLD,
    OVERRIDE,
    RECONCILE,
    RELEASE,
    REPACK,
    SETTLE,
    STOPPED,
    held_word,
)
from controller.core.line.stock_record import SUPPLY
from controller.core.line.waiting import word_of
from controller.core.moves import Mark, Verdict
from controller.core.quality_moves import StationHeld
from controller.core.state import FloorState
from controller.core.stock_moves import SupplyLoaded
from devices.defects import Step

FIRST, SECOND = "line-one", "line-two"
WAITING = (State.HELD, State.STOPPED)
GOES_ON = (Decision.RELEASE, Decision.RESUME)
HELD_BACK = "whatif"  # code of a hold that is part of a change: nobody releases it

Push = Callable[[float, e.AnyEvent], None]


class LineStaff:
    """Sees the moves of a run (`STAFF_SEES`), and asks the foreman for what they call for, by `push`."""

    def __init__(
        self,
        state: FloorState,
        estimates: Estimates,
        nature: Nature,
        push: Push,
        began_floor_s: float,
        hours: PeopleHours,
        down: Sequence[Down] = (),
    ) -> None:
        """`down`: what a change takes off the line; nobody releases such a station meanwhile."""
        self._state, self._estimates, self._nature, self._push = state, estimates, nature, push
        self._began_floor_s, self._down = began_floor_s, {one.station: one for one in down}
        self._hours = hours
        self._visits: dict[tuple[str, int, float], int] = {}  # word, batch, since when -> number of the last errand
        self._numbers: dict[str, int] = {}  # errands so far by kind: how long one takes hangs on its number
        self._reconciled_floor_s = inf  # when people come to compare a restored ledger with the floor
        self._on_the_way: set[tuple[str, str]] = set()  # station, kind of supply

    def begin(self) -> None:
        """Go on with everything that waits at the fork, knowing how long it waits already."""
        state, at = self._state, self._began_floor_s
        for sheet in state.sheets.values():
            if sheet.suspect:
                self._settle(at, sheet.sheet_id, sheet.suspect)
        for station in state.station_holds:
            self._release(at, station)
        for card in state.cards.values():
            if card.state in WAITING:
                self._decide(at, word_of(state, card), card)
        for number in state.card_holds:
            self._later(HOLD, str(number), at, h.CardReleaseAsked(number, FIRST))
        for batch_id in state.batch_holds:
            self._later(HOLD, f"batch {batch_id}", at, h.BatchReleaseAsked(batch_id, FIRST))
        for batch_id, unit in state.stopped_piles:
            self._repack(at, batch_id, unit)
        for station in state.stock.supplies:
            self._load(at, station)
        if state.reconciling:
            self._reconciled_floor_s = self._after(RECONCILE, "", at)

    def look(self, at: float) -> None:
        """Compare a restored ledger with the floor, once it is time and nothing of it is open any more."""
        if at >= self._reconciled_floor_s and self._state.reconciling and not self._state.acts:
            self._push(at, e.ActAsked("reconciled", {}, FIRST))

    # ---- errands -------------------------------------------------------------------------------------------------

    def proposed(self, at: float, move: m.ActProposed) -> None:
        """Agree to what the other one of the two proposed."""
        if move.by == FIRST:
            self._push(at, e.ActSeconded(move.act_id, SECOND))

    def marked(self, at: float, move: m.PositionsMarked) -> None:
        """Go to settle a suspect."""
        if move.mark is Mark.SUSPECTED:
            self._settle(at, move.sheet_id, move.mask)

    def station_held(self, at: float, move: StationHeld) -> None:
        """Go to look after a held station, unless it is part of a change."""
        if move.code != HELD_BACK:
            self._release(at, move.station)

    def stopped(self, at: float, move: m.CardStopped) -> None:
        """Decide about a stopped card."""
        self._decide(at, STOPPED, self._state.cards[move.card])

    def opened(self, at: float, move: m.BatchOpened) -> None:
        """Decide about a batch's held applications."""
        for row in move.rows:
            if row.verdict == Verdict.HOLD:
                self._decide(at, held_word(row), self._state.cards[move.batch_id * CARDS_PER_BATCH + row.index])

    def bundle_stopped(self, at: float, move: m.BundleStopped) -> None:
        """Look through a pile that did not scan whole."""
        if move.waits and move.cards:
            card = self._state.cards[move.cards[0]]
            self._repack(at, card.batch_id, card.unit)

    def ended(self, at: float, move: m.JobEnded) -> None:
        """Load a station whose supply is used up."""
        if move.station in self._state.stock.supplies:
            self._load(at, move.station)

    # ---- what they ask for -----------------------------------------------------------------------------------------

    def _settle(self, at: float, sheet_id: int, mask: int) -> None:
        sheet = self._state.sheets[sheet_id]
        can_be_good = bool(sheet.body) and sheet.step is Step.INSPECT
        finding = self._nature.finding(SETTLE, f"finding {sheet_id}", {"good": can_be_good})
        args: dict[str, int | str] = {"sheet_id": sheet_id, "mask": mask, "finding": finding}
        self._later(SETTLE, str(sheet_id), at, e.ActAsked(SETTLE, args, FIRST))

    def _release(self, at: float, station: str) -> None:
        until = self._after(RELEASE, station, at)
        down = self._down.get(station)
        if down and down.from_floor_s <= until and (down.until_floor_s is None or until < down.until_floor_s):
            return  # it is released when the change says so
        self._push(until, e.ReleaseAsked(station, FIRST))

    def _decide(self, at: float, word: str, card: Card) -> None:
        """Let a card go on or end; where two people must let it go on, one proposes it and the other agrees."""
        number, decision = card.card, self._nature.finding(word, f"{word} decision {card.card}")
        if word == OVERRIDE and decision in GOES_ON:
            event: e.AnyEvent = e.ActAsked("override", {"card": number, "reason": "forecast"}, FIRST)
        else:
            event = e.DecisionMade(number, fitting(decision, card.state), FIRST, "forecast")
        self._push(self._after(word, str(number), at, card.batch_id), event)

    def _repack(self, at: float, batch_id: int, unit: str) -> None:
        args: dict[str, int | str] = {"batch_id": batch_id, "unit": unit}
        self._later(REPACK, str(batch_id), at, e.ActAsked(REPACK, args, FIRST))

    def _load(self, at: float, station: str) -> None:
        for kind in self._state.stock.used_up(station):
            units = self._estimates.supply_units.get(kind, 0)
            if units and (station, kind) not in self._on_the_way:
                self._on_the_way.add((station, kind))
                self._later(SUPPLY, f"{station} {kind}", at, e.SupplyEntered(station, kind, "forecast", units, FIRST))

    def supply_loaded(self, at: float, move: SupplyLoaded) -> None:
        """Know that a supply has come."""
        self._on_the_way.discard((move.station, move.kind))

    def _later(self, word: str, what: str, at: float, event: e.AnyEvent) -> None:
        """Push an event for when people come to it."""
        self._push(self._after(word, what, at), event)

    def _after(self, word: str, what: str, at: float, batch_id: int = 0) -> float:
        """Give when people come to something; what waited at the fork already waits no shorter than it has.

        Cards of a batch that wait since the same moment are often decided about in one visit.
        """
        number = self._numbers[word] = self._numbers.get(word, 0) + 1
        if batch_id:
            is_with_it = self._nature.draws.point(f"{word} visit {number}") < self._nature.together(word)
            number = self._visits.get((word, batch_id, at), number) if is_with_it else number
            self._visits[word, batch_id, at] = number
        since = self._estimates.open_since_floor_s.get(f"{word} {what}", at) if at <= self._began_floor_s else at
        waited_s = self._hours.between(since, at)
        takes_s = self._nature.wait(word).beyond(waited_s, self._nature.draws.point(f"{word} {number}"))
        return self._hours.after(at, max(0.0, takes_s - waited_s))


def fitting(decision: str, state: State) -> str:
    """Give a decision that a card's state allows: one that was seen of another state is taken for its like here."""
    if (state, decision) in MOVES:
        return decision
    if decision in GOES_ON:
        return Decision.RELEASE if state is State.HELD else Decision.RESUME
    return Decision.REFUSE if state is State.HELD else Decision.REFUSE_LATE


STAFF_SEES: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.ActProposed: LineStaff.proposed,
    m.PositionsMarked: LineStaff.marked,
    StationHeld: LineStaff.station_held,
    m.CardStopped: LineStaff.stopped,
    m.BatchOpened: LineStaff.opened,
    m.BundleStopped: LineStaff.bundle_stopped,
    m.JobEnded: LineStaff.ended,
    SupplyLoaded: LineStaff.supply_loaded,
}
