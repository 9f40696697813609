"""How well inspectors judge: a fold of moves, by operator, and by station where nobody was signed on.

The truth about a judgement is known only where somebody looked again, so found false rejects and misses are lower
bounds of the true ones; planted cards of known state would be needed for more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core.moves import Mark, positions_in
from controller.core.quality_moves import CardReturned, CardSetGood, CardsQuarantined, OperatorSignedOn
from devices.defects import Step
from devices.messages import blank_serial

BLANKS_KEPT = 400_000  # judged blanks whose judge is remembered, the oldest are forgotten: ten peak days
SHEETS_KEPT = 20_000  # sheets whose body is remembered


@dataclass(slots=True)
class Inspector:
    """One inspector's judgements, in cards; an inspection again counts again."""

    inspected: int = 0
    rejected: int = 0  # of them; what the controller read back from chip and face is rejected through the inspector
    false_rejects: int = 0  # of those rejected, that two people found good
    misses: int = 0  # of those passed, that were bad at another inspection, or came back from outside

    def reject_rate(self) -> float:
        """Give rejected / inspected, 0 to 1."""
        return self.rejected / self.inspected if self.inspected else 0.0

    def false_reject_rate(self) -> float:
        """Give false rejects found / inspected, 0 to 1: what share of all cards was thrown back for nothing."""
        return self.false_rejects / self.inspected if self.inspected else 0.0

    def miss_rate(self) -> float:
        """Give misses found / passed, 0 to 1: what share of those let through was bad."""
        passed = self.inspected - self.rejected
        return self.misses / passed if passed else 0.0


@dataclass(slots=True)
class Inspectors:
    """All inspectors, by name; a station's own name stands for whoever was there unnamed."""

    by_name: dict[str, Inspector] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)  # station -> who is signed on
    bodies: dict[int, int] = field(default_factory=dict)  # sheet -> body
    passed: dict[int, str] = field(default_factory=dict)  # blank -> who passed it last
    rejected: dict[int, tuple[str, str]] = field(default_factory=dict)  # blank -> who rejected it, who had passed it

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Count one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, move)

    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each inspector, by name: counts, and rates from 0 to 1."""
        return [
            {
                "inspector": name,
                "inspected": one.inspected,
                "rejected": one.rejected,
                "false_rejects_found": one.false_rejects,
                "misses_found": one.misses,
                "reject_rate": one.reject_rate(),
                "false_reject_rate": one.false_reject_rate(),
                "miss_rate": one.miss_rate(),
            }
            for name, one in sorted(self.by_name.items())
        ]

    def _of(self, name: str) -> Inspector:
        return self.by_name.setdefault(name, Inspector())

    def _blanks(self, sheet_id: int, mask: int) -> list[int]:
        body = self.bodies.get(sheet_id)
        return [blank_serial(body, position) for position in positions_in(mask)] if body else []


def _signed_on(book: Inspectors, move: OperatorSignedOn) -> None:
    book.operators[move.station] = move.operator


def _bound(book: Inspectors, move: m.SheetBound) -> None:
    _keep(book.bodies, move.sheet_id, move.body, SHEETS_KEPT)


def _quarantined(book: Inspectors, move: CardsQuarantined) -> None:
    _keep(book.bodies, move.sheet_id, move.body, SHEETS_KEPT)


def _marked(book: Inspectors, move: m.PositionsMarked) -> None:
    """Count what an inspection passed or rejected; a settled suspect has no inspector, for two people settled it."""
    if move.found_at != Step.INSPECT or move.mark not in (Mark.PASSED, Mark.SPOILED) or move.by:
        return
    name = book.operators.get(move.station) or move.station
    inspector, is_bad = book._of(name), move.mark is Mark.SPOILED
    inspector.inspected += move.mask.bit_count()
    inspector.rejected += move.mask.bit_count() * is_bad
    for blank in book._blanks(move.sheet_id, move.mask):
        before = book.passed.pop(blank, "")
        if not is_bad:
            _keep(book.passed, blank, name, BLANKS_KEPT)
            continue
        _keep(book.rejected, blank, (name, before), BLANKS_KEPT)
        if before:
            book._of(before).misses += 1


def _set_good(book: Inspectors, move: CardSetGood) -> None:
    """Charge a false reject, and take the miss back that it was of the one who had passed the card before."""
    name, before = book.rejected.pop(move.blank, ("", ""))
    if name:
        book._of(name).false_rejects += 1
    if before:
        book._of(before).misses -= 1
        _keep(book.passed, move.blank, before, BLANKS_KEPT)


def _came_back(book: Inspectors, move: CardReturned) -> None:
    name = book.passed.pop(move.blank, "")
    if name:
        book._of(name).misses += 1


def _keep(rows: dict[int, Any], key: int, value: Any, most: int) -> None:
    """Remember a row as the newest; forget the oldest beyond `most`."""
    rows.pop(key, None)
    rows[key] = value
    if len(rows) > most:
        del rows[next(iter(rows))]


FOLDS: dict[type, Callable[[Inspectors, Any], None]] = {
    OperatorSignedOn: _signed_on,
    m.SheetBound: _bound,
    CardsQuarantined: _quarantined,
    m.PositionsMarked: _marked,
    CardSetGood: _set_good,
    CardReturned: _came_back,
}
