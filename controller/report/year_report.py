"""The report of a year as values: a span's report, and what a year is asked for besides; pure, and read from JSON."""

from __future__ import annotations

import msgspec

from controller.report.span_report import SpanReport

ALL = "all"  # every due class together
COUNTED = ("received", "accepted", "made", "dispatched", "remade")  # of the tally, in a day or a week


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """One day: cases and cards of that day, `open` cases at its end; floor seconds that the calendar left open."""

    begin_floor_s: float
    planned_s: float
    is_holiday: bool
    received: int
    accepted: int
    made: int
    dispatched: int
    remade: int
    open: int
    overtime_s: float
    overtime_cards: int


class WeekRow(msgspec.Struct, frozen=True, kw_only=True):
    """One week from Monday, as far as it lies in the year: sums of its days, lead times, and what held it up.

    `steps` has for each step the share of its stations' planned time in which they had a load while work waited before
    the step; `bottleneck` is the step with the largest, empty where there was none.
    """

    week: str
    begin_floor_s: float
    planned_s: float
    received: int
    accepted: int
    made: int
    dispatched: int
    remade: int
    open: int
    lead_p50_s: float
    lead_p95_s: float
    in_time: float
    overtime_s: float
    overtime_cards: int
    bottleneck: str
    steps: dict[str, float]


class LeadRow(msgspec.Struct, frozen=True, kw_only=True):
    """Lead times of the cards of a due class dispatched in a week; `week` is empty for the whole year."""

    week: str
    due_class: str
    cards: int
    lead_p50_s: float
    lead_p95_s: float
    in_time: float


class StopRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a station was in one state in which it does not work, for one reason it gave."""

    station: str
    state: str
    reason: str
    times: int
    seconds: float
    longest_s: float


class Overtime(msgspec.Struct, frozen=True, kw_only=True):
    """Work outside the calendar's working days and shifts.

    `seconds` in which at least one station that could work had a load, `station_s` the same added over stations;
    not `is_known`: the calendar has no shifts, so nothing is outside them.
    """

    is_known: bool
    seconds: float
    station_s: float
    cards: int


class YearReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a year: `whole` is what a report of any span has.

    Counts are integers, times floor seconds, shares 0 to 1.  `blanks` sums up the accounts of `whole.blanks`;
    `constants` are simulated values that the figures rest on, each with its unit.
    """

    whole: SpanReport
    days: list[DayRow]
    weeks: list[WeekRow]
    leads: list[LeadRow]
    stops: list[StopRow]
    overtime: Overtime
    blanks: dict[str, int]
    shifts: str
    simulated: bool
    constants: dict[str, str]
