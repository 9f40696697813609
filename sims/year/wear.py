"""Printers that slowly get worse, until somebody looks after them: what drift is found by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from controller.core.events import SheetOutcome
from devices.defects import Step
from devices.messages import POSITIONS
from sims.faults import Faults
from sims.heap_matter import Matter

STAGES = 32  # of wear, one doubling apart is eight of them
STAGES_A_DOUBLING = 8


class WornMatter:
    """The matter as one printer meets it: its defects grow with its loads since it was looked after."""

    def __init__(self, matter: Matter, loads: float) -> None:
        """`loads`: of wear until it spoils twice as much."""
        self._matter, self._loads = matter, loads
        self._stages = [_worse(matter.faults, 2 ** (stage / STAGES_A_DOUBLING)) for stage in range(STAGES)]
        self.worn = 0  # loads since it was new

    def __getattr__(self, name: str) -> object:
        return getattr(self._matter, name)

    def renew(self) -> None:
        """Make it as new."""
        self.worn = 0

    def work(
        self, step: Step, sheet_id: int, cards: Sequence[int], body: int = 0, places: int = POSITIONS
    ) -> SheetOutcome:
        """Print a sheet with the faults of the printer's wear."""
        matter = self._matter
        self.worn += 1
        stage = min(int(self.worn / self._loads * STAGES_A_DOUBLING), STAGES - 1)
        usual, matter.faults = matter.faults, self._stages[stage]
        try:
            return matter.work(step, sheet_id, cards, body, places)
        finally:
            matter.faults = usual


def _worse(faults: Faults, factor: float) -> Faults:
    printing = faults.of(Step.PRINT)
    worse = replace(printing, position=min(1.0, printing.position * factor))
    return replace(faults, steps={**faults.steps, Step.PRINT: worse})
