"""What a verification says: how much was looked at, the head as computed, and what is wrong, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.ledger.chain import GENESIS, Head

FAULTS_MAX = 100  # then the rest is of no more use

Tell = Callable[[str, int, int], None]


def tell_nobody(what: str, done: int, whole: int) -> None:
    """Say nothing of how far a verification is."""


@dataclass(slots=True)
class Verified:
    """What was found: the head as computed, how much was read, and what is wrong, one sentence each."""

    head: Head = GENESIS
    moves: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # what was looked at besides -> how much of it
    notes: list[str] = field(default_factory=list)  # what was not looked at, and why
    last_day: str = ""  # of the last daily head, YYYYMMDD; empty: there is none
    last_day_seq: int = 0  # its move
    tell: Tell = tell_nobody

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.faults

    def add(self, fault: str) -> None:
        """Note something that is wrong."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)
