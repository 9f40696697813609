"""Many pretend runs added up: when things are finished, what runs out first, what a change brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from controller.core.line.outcome import Difference, Forecast, LineRun, Sensitivity
from devices.defects import Step


def summarise(runs: Sequence[LineRun]) -> Forecast:
    """Give P50 and P90 of every finish, what runs out first and how often, and the pace; at least one run."""
    raise NotImplementedError


def compare(base: Sequence[LineRun], changed: Sequence[LineRun]) -> Difference:
    """Give what a change brings; the runs are paired by their seeds, of which they share at least two."""
    raise NotImplementedError


def sensitivity(base: Sequence[LineRun], more: Mapping[Step, Sequence[LineRun]]) -> list[Sensitivity]:
    """Give what one station more of each step brings, the largest gain first; paired by seeds."""
    raise NotImplementedError
