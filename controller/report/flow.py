"""Work that waits before each step, and the stations that have a load meanwhile: what says where a floor is held up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.moves import AnyMove
from controller.core.settings import ROUTES
from devices.defects import Step
from devices.messages import Fate

CARDS_PER_BATCH = 10_000
USUAL = "second"
STEPS = tuple(step.value for step in Step)
_NEXT = {kind: {step.value: after.value for step, after in pairwise(route)} for kind, route in ROUTES.items()}


class _Sheet:
    """A sheet on the floor: the step it waits for or is in, and the positions that are to be worked on."""

    __slots__ = ("kind", "live", "step", "waits")

    def __init__(self, kind: str, step: str, live: int) -> None:
        self.kind, self.step, self.live, self.waits = kind, step, live, True


class Flow:
    """Folds moves; `take` gives for each step the station seconds with a load while work waited before it.

    A sheet waits for its first step from its imposition on, for each later one since it came out of the one before,
    until a station gets it or none of its positions is to be worked on any more; a tray in quarantine waits for
    inspection.  For packing good cards wait that lie in no bundle and at no packer: the account `good` less those.
    It remembers the sheets on the floor, and of batches those alone that are of another kind than the usual one.
    """

    def __init__(self, good: Callable[[], int]) -> None:
        """Begin empty; `good` gives the blanks of the account `good` after the last move."""
        self._good = good
        self._sheets: dict[int, _Sheet] = {}
        self._kinds: dict[int, str] = {}
        self._jobs: dict[int, str] = {}  # job -> step
        self._packing: dict[int, int] = {}  # job -> cards
        self._waiting = dict.fromkeys(STEPS, 0)
        self._loaded = dict.fromkeys(STEPS, 0)
        self._since = dict.fromkeys(STEPS, 0.0)
        self._sums = dict.fromkeys(STEPS, 0.0)

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move, after the account `good` took it."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, at_floor_s, move)

    def take(self, at_floor_s: float) -> dict[str, float]:
        """Give the sums up to a time and begin them again."""
        for step in STEPS:
            self._reach(step, at_floor_s)
        sums, self._sums = self._sums, dict.fromkeys(STEPS, 0.0)
        return sums

    def _reach(self, step: str, at: float) -> None:
        """Count the time since the last change at a step, as it was until now."""
        if self._waiting[step] > 0 and self._loaded[step]:
            self._sums[step] += self._loaded[step] * (at - self._since[step])
        self._since[step] = at

    def _wait(self, step: str, at: float, sheets: int) -> None:
        self._reach(step, at)
        self._waiting[step] += sheets

    def _load(self, step: str, at: float, jobs: int) -> None:
        self._reach(step, at)
        self._loaded[step] += jobs

    # ---- moves -------------------------------------------------------------------------------------------------

    def _batch(self, at: float, move: m.BatchOpened) -> None:
        if move.card_kind != USUAL:
            self._kinds[move.batch_id] = move.card_kind

    def _closed(self, at: float, move: m.BatchClosed) -> None:
        self._kinds.pop(move.batch_id, None)

    def _imposed(self, at: float, move: m.SheetImposed) -> None:
        live, kind = 0, USUAL
        for position, card in enumerate(move.cards):
            if card:
                live |= 1 << position
                kind = self._kinds.get(card // CARDS_PER_BATCH, USUAL)
        self._sheets[move.sheet_id] = _Sheet(kind, ROUTES[kind][0], live)
        self._wait(ROUTES[kind][0], at, 1)

    def _job(self, at: float, move: m.JobStarted) -> None:
        self._jobs[move.job_id] = move.step
        self._load(move.step, at, 1)
        for sheet_id in move.sheets:
            sheet = self._sheets.get(sheet_id)
            if sheet and sheet.waits:
                sheet.waits = False
                self._waiting[sheet.step] -= 1
        if move.cards:
            self._packing[move.job_id] = len(move.cards)
            self._piles(at)

    def _job_ended(self, at: float, move: m.JobEnded) -> None:
        step = self._jobs.pop(move.job_id, None)
        if step is None:
            return
        self._load(step, at, -1)
        if self._packing.pop(move.job_id, 0):
            self._piles(at)
        for end in move.sheets:
            sheet = self._sheets.get(end.sheet_id)
            if sheet is None:  # the marks before this move ended it
                continue
            if end.fate == Fate.DONE:
                sheet.step = _NEXT[sheet.kind].get(step, Step.INSPECT)
            sheet.waits = True
            self._wait(sheet.step, at, 1)

    def _marked(self, at: float, move: m.PositionsMarked) -> None:
        sheet = self._sheets.get(move.sheet_id)
        if sheet:
            sheet.live &= ~move.mask
            if not sheet.live:
                self._sheets.pop(move.sheet_id)
                if sheet.waits:
                    self._wait(sheet.step, at, -1)
        self._piles(at)

    def _quarantined(self, at: float, move: q.CardsQuarantined) -> None:
        back = sum(1 << position for position, card in enumerate(move.cards) if card)
        sheet = self._sheets.get(move.sheet_id)
        if sheet is None:
            self._sheets[move.sheet_id] = _Sheet(USUAL, Step.INSPECT, back)
            self._wait(Step.INSPECT, at, 1)
        else:
            sheet.live |= back
        self._piles(at)

    def _piles(self, at: float, move: object = None) -> None:
        """Count the good cards that wait for a packer anew."""
        self._reach(Step.PACK, at)
        self._waiting[Step.PACK] = self._good() - sum(self._packing.values())


FOLDS: dict[type, Callable[[Flow, float, Any], None]] = {
    m.BatchOpened: Flow._batch,
    m.BatchClosed: Flow._closed,
    m.SheetImposed: Flow._imposed,
    m.JobStarted: Flow._job,
    m.JobEnded: Flow._job_ended,
    m.PositionsMarked: Flow._marked,
    m.BundleMade: Flow._piles,
    m.CardMissing: Flow._piles,
    q.BundleOpened: Flow._piles,
    q.CardSetGood: Flow._piles,
    q.CardsQuarantined: Flow._quarantined,
}
