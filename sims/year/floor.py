"""The floor of a year: the foreman, its stations and its people, day after day until nothing is open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any, cast

from controller.config import Config
from controller.core import events as e
from controller.core.calendar import DAY_S, calendar_of
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, RowVerdict, SheetImposed, Verdict
from controller.core.quality_moves import StationReleased
from controller.core.remakes import RETURN_S
from devices.defects import Step
from sims.faults import USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_floor import HeapFloor
from sims.heap_machine import HeapMachine
from sims.heap_matter import Matter
from sims.heap_staff import FIRST
from sims.year.agenda import Agenda
from sims.year.days import SHIFT_ENDS_S, Days, days_of, floor_s
from sims.year.demand import UPSTREAM, Demand
from sims.year.errors import YearError
from sims.year.rates import USUAL_RATES, Rates
from sims.year.staff import Bad, YearStaff
from sims.year.wear import WornMatter

SINGLES = 24  # single bodies that a press gets at once
COUNT_AFTER_S = 120.0  # floor seconds from the end of a shift to its counts
DRAIN_DAYS = 60  # after the last batch came; a year that is not over by then hangs
QUIET_DAYS = 4  # without an open batch: by then the police stations have counted what came
DESTROY_ON = 5  # Friday: what was spoiled in the week is destroyed
FORGET_S = 14 * DAY_S  # from printing on: by then most batches are closed, and nobody looks at their cards again
EVENING_S = 20 * 3_600.0

Keep = Callable[[float, e.AnyEvent, list[AnyMove]], None]


class YearFloor(HeapFloor):
    """Runs a share of the year.  `keep` hears each event with its moves, in order."""

    def __init__(self, seed: int, cards: int, keep: Keep, *, config: Config, rates: Rates = USUAL_RATES) -> None:
        """`cards`: so many are accepted, from the first day of the year on."""
        self._rates, self._heard = rates, keep
        self.days: Days = days_of(DEFAULT_FLOOR)
        self.demand = Demand(seed, self.days, cards, rates)
        self.agenda = Agenda()
        self.config = _with_calendar(config, self.days)
        self._returns: list[tuple[float, Bad]] = []
        self._printers: dict[str, WornMatter] = {}
        self._printed: deque[tuple[float, int]] = deque()  # sheets that the matter remembers, and since when

        def hire(presses: Any, push: Any, singles: int) -> YearStaff:
            staff = YearStaff(presses, push, singles, seed, rates)
            staff.floor, staff.came_back = self, self._note_return
            staff.answers |= {SheetImposed: self._imposed, StationReleased: self._looked_after}
            self._answers = staff.answers
            return staff

        super().__init__(
            seed,
            faults=USUAL_FAULTS,
            foreman=Foreman(self.config.core()),
            singles=SINGLES,
            begin_floor_s=self.days.begin_floor_s(),
            encode_card_s=config.encoding.card_s,
            hire=hire,
        )

    def run_days(self) -> Iterator[date]:
        """Run day after day and give each one that is over, until every batch is closed.  Raises: YearError."""
        day, drained, quiet = self.days.first, 0, 0
        while drained < DRAIN_DAYS:
            self._plan(day)
            midnight_s = floor_s(day) + DAY_S
            while self.agenda.next_floor_s() < midnight_s:
                self.run(self.agenda.next_floor_s())
                self.agenda.go()
            self.run(midnight_s - 0.001)
            yield day
            if self.demand.is_over:
                drained += 1
                quiet = 0 if self.foreman.state.batches else quiet + 1
                if quiet == QUIET_DAYS:
                    return
            day += timedelta(days=1)
        opened = len(self.foreman.state.batches)
        raise YearError(f"{opened} batches are open {DRAIN_DAYS} days after the last one came: the floor stands")

    # ---- a day -------------------------------------------------------------------------------------------------

    def _plan(self, day: date) -> None:
        """Number what comes on a day in the order of its times, and note the counts of its shifts."""
        begin, end = floor_s(day), floor_s(day) + DAY_S
        self._forget(begin - FORGET_S)
        coming: list[tuple[float, Callable[[int], e.AnyEvent]]] = [
            (package.at_floor_s, package.checked) for package in self.demand.on(day)
        ]
        due = [one for one in self._returns if one[0] < end]
        self._returns = [one for one in self._returns if one[0] >= end]
        coming += [(max(at, begin), partial(self._came_back, bad, max(at, begin))) for at, bad in due]
        for at, event in sorted(coming, key=lambda one: one[0]):
            self._batches += 1
            self.host.push(at, event(self._batches))
        if calendar_of(self.config.calendar).is_working_day(day):
            staff = cast(YearStaff, self.staff)
            for end_s in SHIFT_ENDS_S:
                last = end_s > EVENING_S and day.isoweekday() == DESTROY_ON
                self.agenda.note(begin + end_s + COUNT_AFTER_S, partial(staff.close_shift, destroy=last))

    def _forget(self, before_floor_s: float) -> None:
        """Forget what was printed before a time, unless cards of an open batch lie there: they may be seen anew."""
        kept = {card.sheet_id for card in self.foreman.state.cards.values()}
        staying: list[tuple[float, int]] = []
        while self._printed and self._printed[0][0] < before_floor_s:
            printed = self._printed.popleft()
            if printed[1] in kept:
                staying.append(printed)
            else:
                self.matter.forget(printed[1])
        self._printed.extendleft(reversed(staying))

    def _note_return(self, at_floor_s: float, bad: Bad) -> None:
        self._returns.append((round(at_floor_s, 3), bad))

    def _came_back(self, bad: Bad, at_floor_s: float, batch_id: int) -> e.CardCameBack:
        number = f"{bad.batch_number}-R1-{bad.row.index}"
        row = RowVerdict(0, bad.row.acceptance_number, bad.row.unit, Verdict.OK, express=True, case_no=1)
        opened = e.BatchChecked(batch_id, number, UPSTREAM, "second", at_floor_s, at_floor_s + RETURN_S, [row])
        return e.CardCameBack(bad.card, bad.blank, "print_fault", FIRST, opened)

    # ---- what the world does -----------------------------------------------------------------------------------

    def _machine(self, spec: StationSpec) -> HeapMachine:
        if spec.step is not Step.PRINT:
            return super()._machine(spec)
        worn = self._printers[spec.name] = WornMatter(self.matter, self._rates.wear_loads)
        return HeapMachine(spec, cast(Matter, worn))

    def _keep(self, at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        self._heard(at_floor_s, event, moves)
        answers = self._answers
        for move in moves:
            answer = answers.get(type(move))
            if answer is not None:
                answer(at_floor_s, move)

    def _imposed(self, at_floor_s: float, move: SheetImposed) -> None:
        self._printed.append((at_floor_s, move.sheet_id))

    def _looked_after(self, at_floor_s: float, move: StationReleased) -> None:
        if move.station in self._printers:
            self._printers[move.station].renew()


def _with_calendar(config: Config, days: Days) -> Config:
    """Give the settings with the calendar of the year."""
    return replace(config, calendar=days.calendar)
