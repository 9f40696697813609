"""The people of a year: stock, counts and shift closes, destruction, decisions, and what comes back from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from controller.core import events as e
from controller.core import moves as m
from controller.core import stock_moves as s
from controller.core.cards import Decision
from controller.core.foreman import Foreman
from controller.core.moves import Mark, Verdict
from controller.core.quality_moves import BundleOpened, CardReturned
from controller.core.stock import SPOILED, VAULT
from controller.core.turn import Turn
from controller.hosts.heap import HeapHost
from devices.messages import SINGLE
from sims.demo.staff import FIRST_SINGLE
from sims.heap_machine import HeapMachine
from sims.heap_staff import ERRAND_S, FIRST, HeapStaff, Push
from sims.year.agenda import Agenda
from sims.year.rates import Rates

DELIVERY_S = 10 * 86_400.0  # floor seconds from an order to the maker's delivery
ORDER_SHEETS, REORDER_SHEETS = 60_000, 70_000  # ordered at once; ordered when fewer are left
ORDER_SINGLES, LOW_SINGLES = 2_000, 8  # single bodies of one delivery; a press with fewer gets new ones
RETRY_S, TRIES = 300.0, 3  # floor seconds until a count is tried again, and how often
DRAWER = (Mark.UNUSED, Mark.SPOILED, Mark.FOUND_SPOILED)  # the blank goes to the drawer of the spoiled
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Bad:
    """A card that will come back."""

    card: int
    row: m.RowVerdict
    batch_number: str
    blank: int = 0


class Floor(Protocol):
    """Where these people work."""

    foreman: Foreman
    host: HeapHost
    machines: dict[str, HeapMachine]
    agenda: Agenda


class YearStaff(HeapStaff):
    """Does what a year asks of people; `floor` is set before the floor begins."""

    floor: Floor

    def __init__(self, presses: Sequence[str], push: Push, singles: int, seed: int, rates: Rates) -> None:
        super().__init__(presses, push, singles)
        self._seed, self._rates = seed, rates
        self.refusals: Counter[str] = Counter()  # what the foreman said no to, by code
        self.came_back: Callable[[float, Bad], None] = lambda at, bad: None
        self._vault: Counter[bool] = Counter()  # is single -> sheets that lie there
        self._drawer = 0
        self._singles_of: Counter[str] = Counter()
        self._next_single = self._singles_to = FIRST_SINGLE
        self._back: set[int] = set()  # blanks that came back and are not destroyed
        self._bad: dict[int, Bad] = {}
        self._bundles: dict[int, tuple[str, list[int]]] = {}
        self.answers |= {
            m.BatchOpened: self._opened,
            m.JobStarted: self._started,
            m.BundleMade: self._bundled,
            BundleOpened: self._unbundled,
            m.ConsignmentSent: self._sent,
            CardReturned: self._returned,
            s.MagazineIssued: self._issued,
            s.BlanksDestroyed: self._destroyed,
        }

    # ---- stock -------------------------------------------------------------------------------------------------

    def begin(self, at_floor_s: float) -> None:
        """Receive the first body sheets and fill every magazine, before the floor begins."""
        self._deliver(at_floor_s)
        self._deliver_singles(at_floor_s)

    def _order(self, at_floor_s: float) -> None:
        """Order more, unless it is on its way: what lay there did not last."""
        if self._ordered_to == self._received_to:
            self._deliver(at_floor_s + DELIVERY_S)

    def _deliver(self, at_floor_s: float) -> None:
        args: dict[str, int | str] = {"first_body": self._ordered_to, "sheets": ORDER_SHEETS, "lot": "maker"}
        self._ordered_to += ORDER_SHEETS
        self._push(at_floor_s, e.ActAsked("receive", args, FIRST))

    def _deliver_singles(self, at_floor_s: float) -> None:
        args: dict[str, int | str] = {"first_body": self._singles_to, "sheets": ORDER_SINGLES, "lot": "singles"}
        self._singles_to += ORDER_SINGLES
        self._push(at_floor_s, e.ActAsked("receive", {**args, "places": SINGLE}, FIRST))

    def _received(self, at_floor_s: float, move: s.StockReceived) -> None:
        is_single = move.places == SINGLE
        self._vault[is_single] += move.sheets
        if not is_single:
            super()._received(at_floor_s, move)
        elif move.first_body == FIRST_SINGLE:
            for press in self._presses:
                self._issue_single(press, at_floor_s)

    def _issue_single(self, press: str, at_floor_s: float) -> None:
        """Give a press its single bodies; more are ordered before the last ones go."""
        args: dict[str, int | str] = {"station": press, "first_body": self._next_single, "sheets": self._singles}
        self._singles_of[press] += self._singles
        self._next_single += self._singles
        self._push(at_floor_s, e.ActAsked("issue", args, FIRST))
        if self._singles_to - self._next_single < ORDER_SINGLES // 2:
            self._deliver_singles(at_floor_s + DELIVERY_S)

    def _issued(self, at_floor_s: float, move: s.MagazineIssued) -> None:
        is_single = move.places == SINGLE
        self._vault[is_single] -= move.sheets
        if not is_single and self._ordered_to - self._next_body < REORDER_SHEETS:
            self._deliver(at_floor_s + DELIVERY_S)

    def _bound(self, at_floor_s: float, move: m.SheetBound) -> None:
        if move.body < FIRST_SINGLE:
            super()._bound(at_floor_s, move)
            return
        self._singles_of[move.station] -= 1
        if self._singles_of[move.station] < LOW_SINGLES:
            self._issue_single(move.station, at_floor_s + ERRAND_S)

    def _marked(self, at_floor_s: float, move: m.PositionsMarked) -> None:
        if move.mark in DRAWER:
            self._drawer += move.mask.bit_count()
        else:
            super()._marked(at_floor_s, move)

    def _destroyed(self, at_floor_s: float, move: s.BlanksDestroyed) -> None:
        returned = self._back.intersection(move.blanks)
        self._back -= returned
        self._drawer -= len(move.blanks) - len(returned)

    # ---- the end of a shift ------------------------------------------------------------------------------------

    def close_shift(self, at_floor_s: float, *, destroy: bool = False, tries: int = TRIES) -> None:
        """Count everything and close; what a station that works forbids is tried again a little later."""
        floor = self.floor
        places = {VAULT: self._vault.total(), SPOILED: self._drawer}
        places |= {press: floor.machines[press].bodies_left for press in self._presses}
        done = [self._ask(at_floor_s, e.CountTaken(place, count, FIRST)) for place, count in places.items()]
        if all(done):
            self._ask(at_floor_s, e.ActAsked("close_shift", {}, FIRST))
            if destroy and self._drawer:
                self._ask(at_floor_s, e.ActAsked("destroy", {"count": self._drawer}, FIRST))
        elif tries > 1:
            floor.agenda.note(at_floor_s + RETRY_S, lambda at: self.close_shift(at, destroy=destroy, tries=tries - 1))

    def _ask(self, at_floor_s: float, event: e.AnyEvent) -> bool:
        """Ask the foreman for something now; say whether it is not refused."""
        turn: Turn = self.floor.host.handle(event, at_floor_s)
        if turn.refused:
            self.refusals[turn.refused.code] += 1
        return turn.refused is None

    # ---- cards -------------------------------------------------------------------------------------------------

    def _opened(self, at_floor_s: float, move: m.BatchOpened) -> None:
        """Decide what is held, and draw which cards will be cancelled, refused late or come back."""
        random, rates = Random(f"year {self._seed} batch {move.batch_id}"), self._rates
        first, decide, hold = move.batch_id * 10_000, self._decide, Verdict.HOLD
        for row in move.rows:
            if row.verdict is hold:
                refuses = random.random() < rates.held_refused
                decision = Decision.REFUSE if refuses else Decision.RELEASE
                decide(at_floor_s + random.uniform(0.5, 8.0) * HOUR_S, first + row.index, decision, "looked at")
        rows = [row for row in move.rows if row.verdict < hold]
        shares = (rates.cancelled, rates.refused_late, rates.came_back)
        counts = [int(len(rows) * share + random.random()) for share in shares]
        for turn, row in enumerate(random.sample(rows, min(sum(counts), len(rows)))):
            card, at = first + row.index, at_floor_s + random.uniform(0.01, 2.0) * HOUR_S
            if turn < counts[0]:
                decide(at, card, Decision.CANCEL, "its upstream takes it back")
            elif turn < counts[0] + counts[1]:
                decide(at, card, Decision.REFUSE_LATE, "the register has changed")
            else:
                self._bad[card] = Bad(card, row, move.batch_number)

    def _decide(self, at_floor_s: float, card: int, decision: Decision, why: str) -> None:
        self._push(round(at_floor_s, 3), e.DecisionMade(card, decision, FIRST, why))

    def _started(self, at_floor_s: float, move: m.JobStarted) -> None:
        """Note the blank of a card that will come back, while it is packed."""
        if not move.cards:
            return
        for card in sorted(self._bad.keys() & move.cards):
            bad = self._bad[card]
            self._bad[card] = Bad(card, bad.row, bad.batch_number, self.floor.foreman.state.cards[card].blank)

    def _bundled(self, at_floor_s: float, move: m.BundleMade) -> None:
        self._bundles[move.bundle_id] = (move.unit, move.cards)

    def _unbundled(self, at_floor_s: float, move: BundleOpened) -> None:
        del self._bundles[move.bundle_id]

    def _sent(self, at_floor_s: float, move: m.ConsignmentSent) -> None:
        """Let each police station count what comes, and some of it come back."""
        random, units = Random(f"year {self._seed} consignment {move.consignment_id}"), Counter[str]()
        for bundle_id in move.bundles:
            unit, cards = self._bundles.pop(bundle_id)
            units[unit] += len(cards)
            for card in cards:
                bad = self._bad.pop(card, None)
                if bad is not None:
                    self.came_back(at_floor_s + random.uniform(1.0, 20.0) * 24 * HOUR_S, bad)
        for unit, sent in units.items():
            counted = sent - (random.random() < self._rates.miscounted)
            at = round(at_floor_s + random.uniform(20.0, 72.0) * HOUR_S, 3)
            self._push(at, e.ArrivalReported(move.consignment_id, unit, sent, counted, FIRST))

    def _returned(self, at_floor_s: float, move: CardReturned) -> None:
        self._back.add(move.blank)
        args: dict[str, int | str] = {"blank": move.blank}
        self._push(at_floor_s + 24 * HOUR_S, e.ActAsked("destroy_returned", args, FIRST))
