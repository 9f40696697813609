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
from controller.core.moves import Mark, Verdict

SETTLE, RELEASE, STOPPED, HELD, HOLD, REPACK = "settle", "release", "stopped", "held", "hold", "repack"
OPEN_KEPT = 50_000  # things that wait for a person; the oldest is forgotten first
FOUND = {Mark.FOUND_GOOD: "good", Mark.FOUND_SPOILED: "spoiled", Mark.FOUND_MISSING: "missing"}
DECIDED = frozenset(Decision)


class PeopleRecord:
    """Folds what waited for people into figures."""

    def __init__(self, estimates: Estimates) -> None:
        self._waits, self._findings = estimates.waits, estimates.findings
        self._open = estimates.open_since_floor_s

    def opened(self, at: float, move: m.BatchOpened) -> None:
        """Let a batch's held rows wait."""
        for row in move.rows:
            if row.verdict == Verdict.HOLD:
                self._wait(HELD, move.batch_id * CARDS_PER_BATCH + row.index, at)

    def stopped(self, at: float, move: m.CardStopped) -> None:
        """Let a stopped card wait."""
        self._wait(STOPPED, move.card, at)

    def decided(self, at: float, move: m.CardDecided) -> None:
        """Count what a person decided of a card."""
        decision = move.decision if move.decision in DECIDED else ""
        self._came(HELD, move.card, at, decision)
        self._came(STOPPED, move.card, at, decision)

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

    def _wait(self, word: str, what: int | str, at: float) -> None:
        self._open.setdefault(f"{word} {what}", at)
        if len(self._open) > OPEN_KEPT:
            del self._open[next(iter(self._open))]

    def _came(self, word: str, what: int | str, at: float, finding: str = "") -> None:
        since = self._open.pop(f"{word} {what}", None)
        if since is None:
            return
        self._waits.setdefault(word, Bins()).add(at - since)
        if finding:
            counts = self._findings.setdefault(word, {})
            counts[finding] = counts.get(finding, 0) + 1


PEOPLE_FOLDS: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.BatchOpened: PeopleRecord.opened,
    m.CardStopped: PeopleRecord.stopped,
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
}
