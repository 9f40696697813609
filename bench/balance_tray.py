"""One tray of the peer's line, and what the steps do to the eight places of it: flaws, slips, dead chips, rejects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from devices.defects import Step
from sims.faults import Faults, draw, pick

PLACES = range(8)
DEAD_CHIP = "W1"  # a flaw that cannot go unseen

Turn = tuple[Any, ...]


@dataclass(slots=True)
class Person:
    """One card to be made, and its turn among those that are ready."""

    batch: int
    unit: str
    turn: Turn
    ready_s: float = 0.0


@dataclass(slots=True)
class Tray:
    """Eight places that travel together."""

    number: int
    people: list[Person | None]  # those who can yet get a good card
    faces: list[bool]
    rank: Turn  # of its foremost person
    turn: Turn = ()  # in the queue it is in
    flawed: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)  # chips written wrong, and nobody saw it
    moved: bool = False  # the film slipped by one place on its body
    turned: bool = False  # the cards slipped by one place in their tray: the writer notices
    since_s: float = 0.0


class Yields:
    """What goes wrong, by the seed and the table of faults; the draws are those of the stations."""

    def __init__(self, seed: int, faults: Faults, discard_at: int) -> None:
        self.faults = faults
        self._seed, self._discard_at = seed, discard_at
        self._ruined: Counter[int] = Counter()

    def draw(self, *about: object) -> float:
        """Give the common random number of a matter."""
        return draw(self._seed, *about)

    def ruin(self, tray: Tray) -> None:
        """Spoil a tray whole."""
        self._ruined[tray.number] += 1

    def treat(self, step: Step, tray: Tray) -> set[int]:
        """Do a step to a tray that came through; gives the places that are seen to be lost."""
        if step is Step.LAMINATE and self.happens(self.faults.film_shifted, "film shifted", tray.number):
            tray.moved, tray.faces = True, [False, *tray.faces[:-1]]
            tray.flawed = {place + 1 for place in tray.flawed}
        if step is Step.PUNCH and self.happens(self.faults.tray_shifted, "tray shifted", tray.number):
            tray.turned = True
        if step is Step.INSPECT:
            return self._inspect(tray)
        lost = self._flaws(step, tray)
        return set(PLACES) if step is Step.PRINT and len(lost) >= self._discard_at else lost

    def happens(self, rate: float, what: str, number: int, place: int = -1) -> bool:
        """Say whether something of a rate strikes a tray, or a place of it."""
        return rate > 0 and self.draw(what, number, self._ruined[number], place) < rate

    def _flaws(self, step: Step, tray: Tray) -> set[int]:
        """Make a step's flaws; gives the places where the station says so."""
        faults, told = self.faults.of(step), set()
        occupied = [person is not None for person in tray.people] if step is Step.WRITE else tray.faces
        for place in PLACES:
            if not occupied[place] or not self.happens(faults.position, f"{step} flaw", tray.number, place):
                continue
            code = pick(faults.codes, self.draw(step, "code", tray.number, place))
            if code == DEAD_CHIP or self.happens(faults.reported, f"{step} reports", tray.number, place):
                told.add(place)
            elif step is Step.WRITE:
                tray.wrong.add(place)
            if step is not Step.WRITE:
                tray.flawed.add(place)
        return told

    def _inspect(self, tray: Tray) -> set[int]:
        """Give the places that inspection rejects."""
        rejected = set(tray.wrong)
        for place in PLACES:
            if place in tray.flawed:
                if not self.happens(self.faults.missed, "missed 1", tray.number, place):
                    rejected.add(place)
            elif tray.faces[place] and self.happens(self.faults.false_reject, "rejected 1", tray.number, place):
                rejected.add(place)
        return set(PLACES) if tray.moved else rejected
