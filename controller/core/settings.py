"""The settings that decide: sections of config.toml that the core reads, with their units and ranges."""

from __future__ import annotations

from dataclasses import dataclass

from devices.defects import Step

ROUTES: dict[str, tuple[Step, ...]] = {  # the route is data, per card kind
    "second": (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE, Step.INSPECT, Step.PACK),
    "first": (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.INSPECT, Step.PACK),
}


class SettingError(Exception):
    """A setting is outside its range; says which, what it is and what it may be."""

    code = "config.range"

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} = {value!r}: allowed is {allowed}")
        self.name, self.value, self.allowed = name, value, allowed


def require_range(name: str, value: float, low: float, high: float) -> None:
    """Raises: SettingError when `value` is not a number from `low` to `high`."""
    if isinstance(value, bool) or not low <= value <= high:  # a NaN is outside too
        raise SettingError(name, value, f"{low:g} to {high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanConfig:
    """Section [plan]: when loads are given to stations."""

    encode_load: int = 32  # cards of one encode job
    encode_jobs: int = 4  # encode jobs at once
    sheet_wait_s: float = 600.0  # floor seconds a card waits at most for a full sheet
    press_wait_s: float = 600.0  # floor seconds a film waits at most for a full press
    films_max: int = 144  # films that may wait before the presses; then printing pauses
    bundle_max: int = 100  # cards of one bundle
    auto_dispatch: bool = True  # send a batch's bundles off when the last card that can be made is bundled

    def __post_init__(self) -> None:
        require_range("plan.encode_load", self.encode_load, 1, 200)
        require_range("plan.encode_jobs", self.encode_jobs, 1, 64)
        require_range("plan.sheet_wait_s", self.sheet_wait_s, 0, 86_400)
        require_range("plan.press_wait_s", self.press_wait_s, 0, 86_400)
        require_range("plan.films_max", self.films_max, 24, 10_000)
        require_range("plan.bundle_max", self.bundle_max, 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemakeConfig:
    """Section [remake]: when a spoiled card is made again."""

    attempts_max: int = 8  # attempts of one card, the first included; then a person decides
    discard_film_at: int = 3  # so many bad positions, and a film is thrown away whole before it costs blanks

    def __post_init__(self) -> None:
        require_range("remake.attempts_max", self.attempts_max, 1, 50)
        require_range("remake.discard_film_at", self.discard_film_at, 1, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActConfig:
    """Section [acts]: acts that take two people."""

    second_within_s: float = 28_800.0  # floor seconds in which the second person must agree

    def __post_init__(self) -> None:
        require_range("acts.second_within_s", self.second_within_s, 60, 604_800)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreConfig:
    """What the foreman is told once, at the start."""

    plan: PlanConfig = PlanConfig()
    remake: RemakeConfig = RemakeConfig()
    acts: ActConfig = ActConfig()
