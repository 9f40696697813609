"""The place of an intake: its clock, and what keeps new work out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller.clock import FloorClock

RESTORED = "this centre's ledger was restored from a backup and is being compared with what was made: send it later"


@dataclass(frozen=True, slots=True)
class Place:
    """Where this intake is: what the greeting says, and what keeps new work out.

    `is_full`: the disk has too little room; `is_restored`: the ledger came out of a backup and was not compared yet.
    """

    clock: FloorClock
    simulated: bool
    is_full: Callable[[], bool] = bool
    is_restored: Callable[[], bool] = bool
