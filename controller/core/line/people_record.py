"""What moves say of people: how long suspects, held stations and stopped cards wait for them, what they decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import hold_moves as h
from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.cards import Decision
from controller.core.fold import CARDS_PER_BATCH
from controller.core.line.bins import Bins
from controller.core.line.figures import Estimates
from controller.core.line.hours import PeopleHours
from controller.core.moves import Mark, RowVerdict, Verdict
from controller.core.record_moves import LedgerRestored, RestoreReconciled
from controller.core.review_folds import SHARED_NUMBER
from controller.core.review_moves import CardContested

SETTLE, RELEASE, STOPPED, HELD, HOLD, REPACK = "settle", "release", "stopped", "held", "hold", "repack"
OVERRIDE = "override"  # held or stopped because two people share a number: two people decide
RECONCILE = "reconcile"  # a restored ledger is compared with the floor
VISIT_S = 600.0  # floor seconds between two decisions of one visit at most
OPEN_KEPT = 50_000  # things that wait for a person; the oldest is forgotten first
FOUND = {Mark.FOUND_GOOD: "good", Mark.FOUND_SPOILED: "spoiled", Mark.FOUND_MISSING: "missing"}
DECIDED = frozenset(Decision)


class PeopleRecord:
    """Folds what waited for people into figures; how long is counted in people's hours."""

    def __init__(self, estimates: Estimates, hours: PeopleHours) -> None:
        self._hours = hours
        self._waits, self._findings = estimates.waits, estimates.findings
        self._together, self._apart = estimates.together, estimates.apart
        self._visits: dict[tuple[str, int], float] = {}  # word, batch -> the last decision about a card of it
        self._open = estimates.open_since_floor_s

    def opened(self, at: float, move: m.BatchOpened) -> None:
        """Let a batch's held rows wait."""
        for row in move.rows:
            if row.verdict == Verdict.HOLD:
                self._wait(held_word(row), move.batch_id * CARDS_PER_BATCH + row.index, at)

    def stopped(self, at: float, move: m.CardStopped) -> None:
        """Let a stopped card wait."""
        self._wait(STOPPED, move.card, at)

    def contested(self, at: float, move: CardContested) -> None:
        """Let a card wait for two people; one that waited before waits since then."""
        since = self._open.pop(f"{HELD} {move.card}", at)
        since = self._open.pop(f"{STOPPED} {move.card}", since)
        self._wait(OVERRIDE, move.card, since)

    def decided(self, at: float, move: m.CardDecided) -> None:
        """Count what a person decided of a card."""
        decision = move.decision if move.decision in DECIDED else ""
        for word in (HELD, STOPPED, OVERRIDE):
            since = self._came(word, move.card, at, decision)
            if since is not None:
                self._visited(word, move.card // CARDS_PER_BATCH, since, at)

    def marked(self, at: float, move: m.PositionsMarked) -> None:
        """Let a suspect wait, or count what was found."""
        if move.mark is Mark.SUSPECTED:
            self._wait(SETTLE, move.sheet_id, at)
        elif move.mark in FOUND:
            self._came(SETTLE, move.sheet_id, at, FOUND[move.mark])

    def station_held(self, at: float, move: q.StationHeld) -> None:
        """Let a held station wait."""
        self._wait(RELEASE, move.station, at)

    def station_released(self, at: float, move: q.StationReleased) -> None:
        """Count a release."""
        self._came(RELEASE, move.station, at)

    def card_held(self, at: float, move: h.CardHeld) -> None:
        """Let a card wait that a person holds."""
        self._wait(HOLD, move.card, at)

    def card_released(self, at: float, move: h.CardReleased) -> None:
        """Count a card's release."""
        self._came(HOLD, move.card, at)

    def batch_held(self, at: float, move: h.BatchHeld) -> None:
        """Let a batch wait that a person holds."""
        self._wait(HOLD, f"batch {move.batch_id}", at)

    def batch_released(self, at: float, move: h.BatchReleased) -> None:
        """Count a batch's release."""
        self._came(HOLD, f"batch {move.batch_id}", at)

    def bundle_stopped(self, at: float, move: m.BundleStopped) -> None:
        """Let the pile of a bundle wait that did not scan whole."""
        if move.waits and move.cards:
            self._wait(REPACK, move.cards[0] // CARDS_PER_BATCH, at)

    def repacked(self, at: float, move: m.PileRepacked) -> None:
        """Count a pile's release."""
        self._came(REPACK, move.batch_id, at)

    def restored(self, at: float, move: LedgerRestored) -> None:
        """Let a restored ledger wait to be compared with the floor."""
        self._wait(RECONCILE, "", at)

    def reconciled(self, at: float, move: RestoreReconciled) -> None:
        """Count a comparison that is done."""
        self._came(RECONCILE, "", at)

    def _wait(self, word: str, what: int | str, at: float) -> None:
        self._open.setdefault(f"{word} {what}", at)
        if len(self._open) > OPEN_KEPT:
            del self._open[next(iter(self._open))]

    def _came(self, word: str, what: int | str, at: float, finding: str = "") -> float | None:
        """Count what is done, and give since when it waited; None: nothing waited."""
        since = self._open.pop(f"{word} {what}", None)
        if since is None:
            return None
        self._waits.setdefault(word, Bins()).add(self._hours.between(since, at))
        if finding:
            counts = self._findings.setdefault(word, {})
            counts[finding] = counts.get(finding, 0) + 1
        return since

    def _visited(self, word: str, batch_id: int, since: float, at: float) -> None:
        """Count whether a card that waited already at the last decision of its batch had to wait for another visit."""
        last = self._visits.pop((word, batch_id), None)
        if last is not None and since <= last:
            counts = self._together if at - last <= VISIT_S else self._apart
            counts[word] = counts.get(word, 0) + 1
        self._visits[word, batch_id] = at
        if len(self._visits) > OPEN_KEPT:
            del self._visits[next(iter(self._visits))]


def held_word(row: RowVerdict) -> str:
    """Give what a held application waits for: one person, or two."""
    return OVERRIDE if SHARED_NUMBER in row.codes else HELD


PEOPLE_FOLDS: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.BatchOpened: PeopleRecord.opened,
    m.CardStopped: PeopleRecord.stopped,
    CardContested: PeopleRecord.contested,
    m.CardDecided: PeopleRecord.decided,
    m.PositionsMarked: PeopleRecord.marked,
    q.StationHeld: PeopleRecord.station_held,
    q.StationReleased: PeopleRecord.station_released,
    h.CardHeld: PeopleRecord.card_held,
    h.CardReleased: PeopleRecord.card_released,
    h.BatchHeld: PeopleRecord.batch_held,
    h.BatchReleased: PeopleRecord.batch_released,
    m.BundleStopped: PeopleRecord.bundle_stopped,
    m.PileRepacked: PeopleRecord.repacked,
    LedgerRestored: PeopleRecord.restored,
    RestoreReconciled: PeopleRecord.reconciled,
}
