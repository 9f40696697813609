"""A rough floor on which one printer drifts, and signals that tests give by hand."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core import events as e
from controller.core.cards import State
from controller.core.drift import Signal
from controller.core.moves import AnyMove, JobStarted
from controller.core.settings import CoreConfig, PlanConfig
from controller.core.turn import Turn
from devices.defects import GOOD, Step
from tests.controller.core.rough_floor import RoughFloor

DRIFTS = "p1"


class DriftingFloor(RoughFloor):
    """From a sheet on, what `p1` prints has a smear at two positions that only inspection sees, once for each sheet."""

    def __init__(
        self, seed: int = 1, *, from_sheet: int = 1, to_sheet: int = 10**9, bundle_max: int = 6, trouble: float = 0.0
    ) -> None:
        self.drifting = range(from_sheet, to_sheet)
        self.printed_by: dict[int, str] = {}
        self.inspected: set[int] = set()
        self.mute: dict[str, e.StartJob | None] = {}  # stations that say nothing of their loads, with the last one
        super().__init__(seed, CoreConfig(plan=PlanConfig(bundle_max=bundle_max)), trouble)

    def keep(self, at: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        for move in moves:
            if isinstance(move, JobStarted) and move.step == Step.PRINT:
                self.printed_by.update(dict.fromkeys(move.sheets, move.station))
        super().keep(at, event, moves)

    def start(self, at: float, job: e.StartJob) -> None:
        if job.station in self.mute:
            self.mute[job.station] = job
        else:
            super().start(at, job)

    def answer(self, station: str) -> Turn:
        """Let a mute station say that its load went well."""
        job, now = self.mute[station], self.host.now_floor_s
        assert job is not None
        if job.bundle_id:
            return self.host.handle(e.BundlePacked(station, job.job_id, now, now, job.blanks), now)
        sheets = [self.outcome(job, sheet, cards) for sheet, cards in job.sheets]
        return self.host.handle(e.StepDone(station, job.job_id, now, now, sheets), now)

    def outcome(self, job: e.StartJob, sheet: int, cards: list[int]) -> e.SheetOutcome:
        said = super().outcome(job, sheet, cards)
        is_new = job.step == Step.INSPECT and sheet not in self.inspected
        if is_new and said.codes and sheet in self.drifting and self.printed_by[sheet] == DRIFTS:
            self.inspected.add(sheet)
            for place in [place for place, card in enumerate(cards) if card][:2]:
                said.codes[place] = "P1"
        return said

    def moves(self, kind: type) -> list:
        return [move for _, move in self.log if isinstance(move, kind)]

    def signal(self, sheets: Sequence[int], station: str = DRIFTS, code: str = "") -> Turn:
        """Let a chart signal now, though no defects led to it."""
        given = Signal(station, not code, code, 8 * len(sheets), tuple(sheets), (), 1, 0.0)
        self.state.drift.signals.append(given)
        return self.host.handle(e.TimerFired(), self.host.now_floor_s)

    def until_good(self, cards: int) -> list[int]:
        """Go on until so many cards are good and wait for a packer, in steps of a second; give the sheets of them."""
        return self.until(lambda: sum(card.state is State.GOOD for card in self.state.cards.values()) >= cards)

    def until(self, wanted) -> list[int]:
        for _ in range(20_000):
            if wanted():
                cards = [card for card in self.state.cards.values() if card.state in (State.GOOD, State.MADE)]
                return sorted({card.sheet_id for card in cards})
            self.host.run(self.host.now_floor_s + 1.0)
            self.host.now_floor_s += 1.0
        raise AssertionError("it never came to that")

    def settle(self, sheet_id: int, mask: int, finding: str) -> None:
        self.two_people("settle", {"sheet_id": sheet_id, "mask": mask, "finding": finding})


__all__ = ["DRIFTS", "GOOD", "DriftingFloor"]
