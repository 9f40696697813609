"""The lines of `bench drift`: cards judged as moves for the charts alone, and a real foreman over a small line."""

from collections.abc import Sequence
from itertools import count

import numpy as np

from controller.core import events as e
from controller.core import moves as m
from controller.core.drift import DriftWatch
from controller.core.foreman import Foreman
from controller.core.moves import Mark, RowVerdict, Verdict
from controller.core.settings import CoreConfig, PlanConfig
from controller.hosts.heap import HeapHost
from devices.defects import GOOD, Step, cause_of
from devices.messages import POSITIONS, Fate, StationState, blank_serial

CODES = {Step.PRINT: "P1", Step.LAMINATE: "L1", Step.PUNCH: "C1", Step.WRITE: "W2", Step.INSPECT: "I1"}
STATIONS = {  # two of each, so that one drifts beside one that does not
    f"{letter}{number}": step for letter, step in zip("plcwi", CODES, strict=True) for number in (1, 2)
}
PACKER = "k1"
CYCLE_S = 10.0  # of every station
SHEETS_A_BATCH = 250
WARM_UP_CARDS = 400  # of the station's own, in control, before it drifts: its chart stands anywhere then
FIRST_BODY, ISSUE_SHEETS = 1_000_000, 5_000
SHEETS_A_DRAW = 1_000
ALL_POSITIONS = (1 << POSITIONS) - 1


def false_holds(seed: int, chart_cards: int, share: float) -> tuple[int, int]:
    """Give (deciding signals, cards counted) of charts in control, pooled, after at least so many cards.

    Each position is struck by each step with this chance, and by one at most, so that every chart sees all of its own.
    """
    dice, watch, signals, counted = np.random.default_rng(seed), DriftWatch(), 0, 0
    sheets, jobs = count(1), count(1)
    while counted < chart_cards:
        for struck in (dice.random((SHEETS_A_DRAW, POSITIONS)) / share).astype(int):
            signals += _judge(watch, next(sheets), jobs, struck)
        counted = sum(chart.cards for chart in watch.charts.values())
    return signals, counted


def _judge(watch: DriftWatch, sheet_id: int, jobs: "count[int]", struck: np.ndarray) -> int:
    """Take a sheet through the first station of each step; give the deciding signals.

    `struck`: shape (8,), whole numbers, the step that strikes each position; from 5 on none does.
    """
    fold, at = watch.fold, float(sheet_id)
    fold(at, m.SheetImposed(sheet_id, list(range(1, POSITIONS + 1))))
    job_id = 0
    for name in list(STATIONS)[::2]:
        job_id = next(jobs)
        fold(at, m.JobStarted(job_id, name, STATIONS[name], [sheet_id]))
    bad: dict[str, int] = {}  # code -> positions
    for place in np.flatnonzero(struck < len(CODES)).tolist():
        code = list(CODES.values())[struck[place]]
        bad[code] = bad.get(code, 0) | 1 << place
    for code, mask in bad.items():
        fold(at, _mark(sheet_id, mask, Mark.SPOILED, code))
    fold(at, _mark(sheet_id, ALL_POSITIONS & ~sum(bad.values()), Mark.PASSED, GOOD))
    end = m.JobEnded(job_id, "i1", Step.INSPECT, "done", at, at, [m.SheetEnd(sheet_id, Fate.DONE, GOOD, ALL_POSITIONS)])
    return sum(signal.deciding for signal in fold(at, end))


def _mark(sheet_id: int, mask: int, mark: Mark, code: str) -> m.PositionsMarked:
    return m.PositionsMarked(sheet_id, mask, mark, code, "i1", cause_of(code, Step.INSPECT), Step.INSPECT)


def cards_to_hold(seed: int, station: str, share: float, drifted_share: float) -> int:
    """Give a station's cards inspected from its drift to its hold, those of the sheet that decides all counted.

    A foreman drives the whole line; every station strikes positions with `share`, one with `drifted_share` once it
    has warmed up.  A false hold before is released.
    """
    line = DriftLine(seed, dict.fromkeys(STATIONS, share), station)
    while line.inspected < WARM_UP_CARDS:
        line.step()
    line.shares[station], line.inspected, line.drifts_from = drifted_share, 0, line.last_job_id
    while station not in line.foreman.state.station_holds or not line.inspected:
        line.step()
    return line.inspected


class DriftLine:
    """A foreman and ten stations that answer at once; every defect is found at inspection."""

    def __init__(self, seed: int, shares: dict[str, float], watched: str) -> None:
        self.shares, self.watched = shares, watched
        self.inspected = 0  # cards that the watched station worked on since it drifts, inspected
        self.drifts_from = 0  # job number
        self.last_job_id = 0
        self._dice = np.random.default_rng(seed)
        self._codes: dict[int, list[str]] = {}  # sheet -> first defect by position
        self._watched: set[int] = set()  # sheets the watched station worked on
        self._bodies: dict[int, int] = {}
        self._next_body = {"l1": FIRST_BODY, "l2": FIRST_BODY + ISSUE_SHEETS}
        self._batches = count(1)
        self.foreman = Foreman(CoreConfig(plan=PlanConfig(press_wait_s=60)))
        self._host = HeapHost(self.foreman, self._perform, lambda at, event, moves: None)
        self._host.handle(e.ServiceBegan(), 0.0)
        for name, step in {**STATIONS, PACKER: Step.PACK}.items():
            load_max = 100 if step is Step.PACK else 1
            self._host.handle(e.StationSeen(name, step, "bench", load_max, StationState.IDLE, ""), 0.0)
        self._both("receive", {"first_body": FIRST_BODY, "sheets": 2 * ISSUE_SHEETS, "lot": "bench"})
        for press, first in self._next_body.items():
            self._both("issue", {"station": press, "first_body": first, "sheets": ISSUE_SHEETS})

    def step(self) -> None:
        """Go on by one cycle; a new batch comes when the last one is all on sheets."""
        state, now = self.foreman.state, self._host.now_floor_s + CYCLE_S
        if not any(state.ready.values()) and not state.unencoded and not state.encode_jobs:
            self._submit(now)
        for name in [one for one in state.station_holds if one != self.watched or not self.drifts_from]:
            self._host.handle(e.ReleaseAsked(name, "bench"), now)
        self._host.run(now)
        self._host.now_floor_s = now

    # ---- inside ------------------------------------------------------------------------------------------------

    def _submit(self, at: float) -> None:
        batch_id = next(self._batches)
        rows = [
            RowVerdict(index, f"{index:022d}", "520102001", Verdict.OK) for index in range(SHEETS_A_BATCH * POSITIONS)
        ]
        batch = e.BatchChecked(batch_id, f"{batch_id:025d}", "north", "second", at, at + 1e6, rows)
        self._host.handle(batch, at)

    def _both(self, verb: str, args: dict[str, int | str]) -> None:
        act = self._host.handle(e.ActAsked(verb, args, "first"), self._host.now_floor_s)
        self._host.handle(e.ActSeconded(act.answer, "second"), self._host.now_floor_s)

    def _perform(self, at: float, action: e.AnyAction) -> None:
        if isinstance(action, e.Encode):
            self._host.push(at, e.CardsEncoded(action.job_id))
        elif isinstance(action, e.StartJob):
            end = at + CYCLE_S
            if action.bundle_id:
                self._host.push(end, e.BundlePacked(action.station, action.job_id, at, end, action.blanks))
                return
            self.last_job_id = max(self.last_job_id, action.job_id)
            sheets = [self._work(action, sheet_id, cards) for sheet_id, cards in action.sheets]
            self._host.push(end, e.StepDone(action.station, action.job_id, at, end, sheets))

    def _work(self, job: e.StartJob, sheet_id: int, cards: Sequence[int]) -> e.SheetOutcome:
        step, codes = Step(job.step), self._codes.setdefault(sheet_id, [GOOD] * POSITIONS)
        if not self._is_second_look(sheet_id):
            for place in np.flatnonzero(self._dice.random(POSITIONS) < self.shares[job.station]):
                codes[place] = codes[place] if codes[place] != GOOD else CODES[step]
        if job.station == self.watched and job.job_id > self.drifts_from:
            self._watched.add(sheet_id)
        body = 0
        if step is Step.LAMINATE:
            body = self._bodies[sheet_id] = self._next_body[job.station]
            self._next_body[job.station] += 1
        if step is not Step.INSPECT:
            return e.SheetOutcome(sheet_id, Fate.DONE, GOOD, body, [GOOD] * POSITIONS, self._serials(step, sheet_id))
        if sheet_id in self._watched:
            self._watched.discard(sheet_id)
            self.inspected += sum(map(bool, cards))
        seen, self._codes[sheet_id] = list(codes), [GOOD] * POSITIONS
        return e.SheetOutcome(sheet_id, Fate.DONE, GOOD, 0, seen, self._serials(step, sheet_id))

    def _is_second_look(self, sheet_id: int) -> bool:
        """Say whether a tray comes to inspection again: what it had was found."""
        sheet = self.foreman.state.sheets.get(sheet_id)
        return sheet is not None and sheet.quarantined

    def _serials(self, step: Step, sheet_id: int) -> list[int]:
        if step not in (Step.WRITE, Step.INSPECT):
            return []
        return [blank_serial(self._bodies[sheet_id], place) for place in range(POSITIONS)]
