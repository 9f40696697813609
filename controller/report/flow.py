"""Work that waits before each step, and the stations that have a load meanwhile: what says where a floor is held up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.moves import AnyMove, Mark
from controller.core.review_moves import CardContested
from controller.core.settings import ROUTES
from controller.core.tally import SPOILING
from devices.defects import Step
from devices.messages import Fate

CARDS_PER_BATCH = 10_000
USUAL = "second"
STEPS = tuple(step.value for step in Step)
_NEXT = {kind: {step.value: after.value for step, after in pairwise(route)} for kind, route in ROUTES.items()}


class _Sheet:
    """A sheet on the floor: the step it waits for or is in, its cards, and the positions that are to be worked on."""

    __slots__ = ("cards", "kind", "live", "step", "suspect", "waits")

    def __init__(self, kind: str, step: str, cards: list[int]) -> None:
        self.kind, self.step, self.cards, self.waits = kind, step, list(cards), True
        self.live, self.suspect = mask_of(cards), 0


class Flow:
    """Folds moves; `take` gives for each step the station seconds with a load while work waited before it.

    A sheet waits for its first step from its imposition on, for each later one since it came out of the one before,
    until a station gets it or none of its positions is to be worked on any more; a tray in quarantine waits for
    inspection.  For printing wait besides, because sheets are imposed for a printer that is free: encoded cards that
    lie on no sheet and do not wait for a person who decides; those on hold are among them.  For packing wait good
    cards that lie in no bundle and at no packer: the account `good` less those.
    It remembers the sheets on the floor and the numbers of cards that are ready, and of batches those alone that are
    of another kind than the usual one; of cards that were ready before the first move it knows nothing.
    """

    def __init__(self, good: Callable[[], int]) -> None:
        """Begin empty; `good` gives the blanks of the account `good` after the last move."""
        self._good = good
        self._sheets: dict[int, _Sheet] = {}
        self._kinds: dict[int, str] = {}
        self._ready: set[int] = set()
        self._encoding: dict[int, set[int]] = {}  # job -> cards
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

    def _ready_are(self, at: float, come: Iterable[int] = (), go: Iterable[int] = ()) -> None:
        """Let cards be ready, or not be ready any more."""
        before = len(self._ready)
        self._ready.update(come)
        self._ready.difference_update(go)
        if len(self._ready) != before:
            self._wait(Step.PRINT, at, len(self._ready) - before)

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

    def _encode(self, at: float, move: m.EncodeStarted) -> None:
        self._encoding[move.job_id] = set(move.cards)

    def _encoded(self, at: float, move: m.EncodeEnded) -> None:
        cards = self._encoding.pop(move.job_id, set())
        self._ready_are(at, cards.difference(card for card, _ in move.failed))

    def _leaves(self, at: float, move: m.CardStopped | m.CardDecided | CardContested | q.CardSetGood) -> None:
        """Take a card that a person decides about, or decided, from those that are ready or will be."""
        if isinstance(move, CardContested) and not move.stops:
            return
        for cards in self._encoding.values():
            cards.discard(move.card)
        self._ready_are(at, go=(move.card,))
        if isinstance(move, q.CardSetGood):
            self._piles(at)

    def _missing(self, at: float, move: m.CardMissing) -> None:
        self._ready_are(at, (move.card,))
        self._piles(at)

    def _imposed(self, at: float, move: m.SheetImposed) -> None:
        kind = self._kinds.get(max(move.cards) // CARDS_PER_BATCH, USUAL)
        first = ROUTES[kind][0]
        self._sheets[move.sheet_id] = _Sheet(kind, first, move.cards)
        self._wait(first, at, 1)
        self._ready_are(at, go=move.cards)

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
            if sheet is None or not sheet.live:  # the marks before this move ended it
                continue
            if end.fate == Fate.DONE:
                sheet.step = _NEXT[sheet.kind].get(step, Step.INSPECT)
            sheet.waits = True
            self._wait(sheet.step, at, 1)

    def _marked(self, at: float, move: m.PositionsMarked) -> None:
        sheet = self._sheets.get(move.sheet_id)
        if sheet is None:
            return
        if move.mark in SPOILING:
            self._ready_are(at, [sheet.cards[position] for position in m.positions_in(move.mask)])
        sheet.live &= ~move.mask
        sheet.suspect = sheet.suspect | move.mask if move.mark is Mark.SUSPECTED else sheet.suspect & ~move.mask
        if sheet.waits and not sheet.live:
            sheet.waits = False
            self._wait(sheet.step, at, -1)
        if not sheet.live and not sheet.suspect:
            del self._sheets[move.sheet_id]
        self._piles(at)

    def _quarantined(self, at: float, move: q.CardsQuarantined) -> None:
        sheet = self._sheets.get(move.sheet_id)
        if sheet is None:
            self._sheets[move.sheet_id] = _Sheet(USUAL, Step.INSPECT, move.cards)
            self._wait(Step.INSPECT, at, 1)
        else:
            sheet.cards = [back or there for back, there in zip(move.cards, sheet.cards, strict=True)]
            sheet.live |= mask_of(move.cards)
            if not sheet.waits:
                sheet.step, sheet.waits = Step.INSPECT, True
                self._wait(Step.INSPECT, at, 1)
        self._piles(at)

    def _piles(self, at: float, move: object = None) -> None:
        """Count the good cards that wait for a packer anew."""
        self._reach(Step.PACK, at)
        self._waiting[Step.PACK] = self._good() - sum(self._packing.values())


def mask_of(cards: Iterable[int]) -> int:
    """Give the mask of the positions that hold a card."""
    return sum(1 << position for position, card in enumerate(cards) if card)


FOLDS: dict[type, Callable[[Flow, float, Any], None]] = {
    m.BatchOpened: Flow._batch,
    m.BatchClosed: Flow._closed,
    m.EncodeStarted: Flow._encode,
    m.EncodeEnded: Flow._encoded,
    m.CardStopped: Flow._leaves,
    m.CardDecided: Flow._leaves,
    CardContested: Flow._leaves,
    m.SheetImposed: Flow._imposed,
    m.JobStarted: Flow._job,
    m.JobEnded: Flow._job_ended,
    m.PositionsMarked: Flow._marked,
    m.BundleMade: Flow._piles,
    m.CardMissing: Flow._missing,
    q.BundleOpened: Flow._piles,
    q.CardSetGood: Flow._leaves,
    q.CardsQuarantined: Flow._quarantined,
}
