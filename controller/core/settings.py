"""The settings that decide: sections of config.toml that the core reads, with their units and ranges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import log

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
        raise SettingError(name, value, f"{low:,.12g} to {high:,.12g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanConfig:
    """Section [plan]: when loads are given to stations."""

    encode_load: int = 32  # cards of one encode job
    encode_jobs: int = 4  # encode jobs at once
    sheet_wait_s: float = 600.0  # floor seconds a card waits at most for a full sheet
    press_wait_s: float = 600.0  # floor seconds a film waits at most for a full press
    films_max: int = 144  # films that may wait before the presses; then printing pauses
    sheets_max: int = 2_000  # sheets on the floor, from print to inspection; then printing pauses
    kind_wait_s: float = 1_800.0  # floor seconds a sheet waits at most for a station that is set up for another kind
    bundle_max: int = 100  # cards of one bundle
    box_max: int = 10  # bundles of one box
    auto_dispatch: bool = True  # send a batch's bundles off when the last card that can be made is bundled
    single_bodies: bool = True  # remakes that fill no sheet go on single bodies, as far as magazines hold them
    exit_scan: bool = False  # nothing leaves unless its bundles were scanned at the door

    def __post_init__(self) -> None:
        require_range("plan.encode_load", self.encode_load, 1, 200)
        require_range("plan.encode_jobs", self.encode_jobs, 1, 64)
        require_range("plan.sheet_wait_s", self.sheet_wait_s, 0, 86_400)
        require_range("plan.press_wait_s", self.press_wait_s, 0, 86_400)
        require_range("plan.films_max", self.films_max, 24, 10_000)
        require_range("plan.sheets_max", self.sheets_max, 24, 100_000)
        require_range("plan.kind_wait_s", self.kind_wait_s, 0, 86_400)
        require_range("plan.bundle_max", self.bundle_max, 1, 200)
        require_range("plan.box_max", self.box_max, 1, 200)
        if self.exit_scan and self.auto_dispatch:
            raise SettingError("plan.exit_scan", self.exit_scan, "false, unless plan.auto_dispatch is false")


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
class VaultConfig:
    """Section [vault]: how long personal data stays."""

    retention_days: int = 180  # after its batch is closed; a purge takes what is older

    def __post_init__(self) -> None:
        require_range("vault.retention_days", self.retention_days, 1, 3_650)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftConfig:
    """Section [drift] of config.toml: when a station's defects are more than chance."""

    defect_share: float = 0.01  # of a station's cards, when it is in control
    drifted_share: float = 0.03  # the share to be found fast
    threshold: float = 6.73  # log-likelihood ratio at which a station is held
    warn_threshold: float = 3.7  # the same for one defect code, which only warns

    def __post_init__(self) -> None:
        require_range("drift.defect_share", self.defect_share, 0.0001, 0.05)
        require_range("drift.drifted_share", self.drifted_share, 0.0002, 0.2)
        if self.drifted_share < 1.5 * self.defect_share:
            raise SettingError("drift.drifted_share", self.drifted_share, "at least 1.5 times drift.defect_share")
        require_range("drift.threshold", self.threshold, 1, 20)
        require_range("drift.warn_threshold", self.warn_threshold, 0.5, self.threshold)

    def defect_points(self) -> int:
        """Give what a defect adds to a chart, in points; a good card takes one away."""
        return round(log(self.drifted_share / self.defect_share) / self._good_ratio())

    def points(self, log_ratio: float) -> int:
        """Give a log-likelihood ratio in points."""
        return round(log_ratio / self._good_ratio())

    def _good_ratio(self) -> float:
        return log((1 - self.defect_share) / (1 - self.drifted_share))


@dataclass(frozen=True, slots=True, kw_only=True)
class AndonConfig:
    """Section [andon]: how long something may wait before it is an alarm, in floor seconds."""

    silent_s: float = 60.0  # a station is not heard
    suspect_s: float = 3_600.0  # a sheet is suspect
    pile_s: float = 3_600.0  # a pile that did not scan whole waits for two people
    stopped_s: float = 14_400.0  # a stopped card waits for a person
    held_s: float = 86_400.0  # a held application, card or batch waits for a person
    destroy_s: float = 259_200.0  # a spoiled or returned blank waits for its destruction
    consignment_s: float = 604_800.0  # a consignment is not counted where it went
    ahead_s: float = 259_200.0  # an input runs out within this time by the forecast
    frames_min: int = 100  # frames and connections refused in five real minutes

    def __post_init__(self) -> None:
        for name in ("silent", "suspect", "pile", "stopped", "held", "destroy", "consignment", "ahead"):
            require_range(f"andon.{name}_s", getattr(self, f"{name}_s"), 1, 31_536_000)
        require_range("andon.frames_min", self.frames_min, 1, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarConfig:
    """Section [calendar]: the hours in which the floor works; read by `core.calendar`."""

    shifts_per_day: int = 2  # these three give the hours of a year, for reports alone
    shift_hours: float = 8.0  # of one shift
    working_days: int = 250  # of a year
    shifts: str = ""  # when loads may be started, like `08:00-16:00, 16:00-24:00`; empty: always
    weekdays: str = "12345"  # the working ones, 1 is Monday
    holidays: str = ""  # when nothing is started, like `2026-10-01, 2026-10-02`
    maintenance: str = ""  # planned: the station gets no load, like `press-1 2026-03-02T10:00/2026-03-02T12:00, …`

    def __post_init__(self) -> None:
        require_range("calendar.shifts_per_day", self.shifts_per_day, 1, 3)
        require_range("calendar.shift_hours", self.shift_hours, 1, 24 / self.shifts_per_day)
        require_range("calendar.working_days", self.working_days, 1, 366)
        for name, read, wanted in (
            ("shifts", read_shifts, "times of a day like `08:00-16:00, 16:00-24:00`, in order"),
            ("weekdays", read_weekdays, "digits 1 (Monday) to 7, each once"),
            ("holidays", read_dates, "dates like `2026-10-01, 2026-10-02`"),
            ("maintenance", read_maintenance, "`STATION FROM/TO, …` with times like 2026-03-02T10:00"),
        ):
            try:
                read(getattr(self, name))
            except ValueError:
                raise SettingError(f"calendar.{name}", getattr(self, name), wanted) from None

    def yearly_hours(self) -> float:
        """Give the working hours of a year."""
        return self.shifts_per_day * self.shift_hours * self.working_days


def read_shifts(text: str) -> list[tuple[int, int]]:
    """Give shifts as (first, last) minute of the day.  Raises: ValueError."""
    shifts: list[tuple[int, int]] = []
    for one in _items(text):
        begin, end = (_minute(part) for part in one.split("-"))
        if not (shifts[-1][1] if shifts else 0) <= begin < end:
            raise ValueError(one)
        shifts.append((begin, end))
    return shifts


def read_weekdays(text: str) -> frozenset[int]:
    """Give weekdays, 1 is Monday.  Raises: ValueError."""
    days = frozenset(map(int, text))
    if not days or len(days) < len(text) or not days <= set(range(1, 8)):
        raise ValueError(text)
    return days


def read_dates(text: str) -> frozenset[date]:
    """Give dates.  Raises: ValueError."""
    return frozenset(map(date.fromisoformat, _items(text)))


def read_maintenance(text: str) -> list[tuple[str, float, float]]:
    """Give (station, from, to) in floor seconds.  Raises: ValueError."""
    windows = []
    for one in _items(text):
        station, times = one.split()
        begin, end = (datetime.fromisoformat(part).replace(tzinfo=UTC).timestamp() for part in times.split("/"))
        if begin >= end:
            raise ValueError(one)
        windows.append((station, begin, end))
    return windows


def _items(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _minute(text: str) -> int:
    hours, minutes = text.strip().split(":")
    minute = int(hours) * 60 + int(minutes)
    if not (0 <= int(minutes) < 60 and 0 <= minute <= 24 * 60):
        raise ValueError(text)
    return minute


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreConfig:
    """What the foreman is told once, at the start."""

    plan: PlanConfig = PlanConfig()
    remake: RemakeConfig = RemakeConfig()
    acts: ActConfig = ActConfig()
    drift: DriftConfig = DriftConfig()
    calendar: CalendarConfig = CalendarConfig()
    vault: VaultConfig = VaultConfig()
    andon: AndonConfig = AndonConfig()
