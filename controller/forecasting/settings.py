"""The section [forecast] of config.toml."""

from __future__ import annotations

from dataclasses import dataclass

from controller.core.settings import SettingError, require_range

RUNS_MIN, RUNS_MAX = 50, 2_000  # of one forecast: fewer say little of a P90
PRIORITIES = ("idle", "low", "normal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastConfig:
    """Section [forecast]: the runs of the floor beside the service, and how much they may take."""

    every_s: float = 1_800.0  # real seconds between forecasts that nobody asks for; 0: none
    runs: int = 200  # of a forecast, unless somebody asks for another number
    processes: int = 2  # that do the runs, at idle priority
    within_s: float = 120.0  # real seconds for the runs of one question; then those that are done must do
    memory_mib: int = 2_048  # that each of these processes may take
    priority: str = "idle"  # of these processes: idle (when nothing else wants to work), low (nice 19) or normal

    def __post_init__(self) -> None:
        if self.every_s:
            require_range("forecast.every_s", self.every_s, 10, 86_400)
        require_range("forecast.runs", self.runs, RUNS_MIN, RUNS_MAX)
        require_range("forecast.processes", self.processes, 1, 2)
        require_range("forecast.within_s", self.within_s, 1, 3_600)
        require_range("forecast.memory_mib", self.memory_mib, 256, 65_536)
        if self.priority not in PRIORITIES:
            raise SettingError("forecast.priority", self.priority, ", ".join(PRIORITIES))
