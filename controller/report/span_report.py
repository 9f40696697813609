"""The report of a span as values: what its page, its CSV and its JSON are made of; pure, and read back from JSON."""

from __future__ import annotations

import msgspec

from controller.report.span import Span


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step's yields: counts in positions (pack: cards), shares 0 to 1."""

    step: str
    worked: int
    scrap: int
    rework: int
    fpy: float
    fty: float
    scrap_ratio: float
    rework_ratio: float


class StationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A station's OEE with its factors (0 to 1), and the floor seconds they come from."""

    station: str
    step: str
    planned_s: float
    busy_s: float
    down_s: float
    loads: int
    worked: int
    bad: int
    rework: int
    ideal_unit_s: float
    availability: float
    effectiveness: float
    quality: float
    oee: float


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """Cards made in a part of the span; `planned_s` of it the floor was to work."""

    begin_floor_s: float
    seconds: float
    planned_s: float
    cards: int
    per_hour: float


class CauseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the Pareto; `share` and `cumulated` of all that was spoiled, 0 to 1."""

    code: str
    caused_at: str
    found_at: str
    count: int
    share: float
    cumulated: float


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account of blanks: end = begin + came - went."""

    account: str
    begin: int
    came: int
    went: int
    end: int


class Blanks(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts, and what was folded to know them: since a closed shift, or (0) since the ledger began.

    `faults` are sentences; without one the identity is closed.
    """

    accounts: list[AccountRow]
    received: int
    since_shift: int
    since_floor_s: float
    faults: list[str]


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    """A blind count: of the vault and magazines in body sheets, of the spoiled in blanks."""

    at_floor_s: float
    place: str
    counted: int
    expected: int
    by: str


class ShiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A shift that two people closed; `lost` are the serials they declared missing."""

    shift: int
    opened_floor_s: float
    closed_floor_s: float
    by: str
    second: str
    lost: list[str]


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """A two-person act that came to its end in the span; not `done`: withdrawn, or its time passed."""

    at_floor_s: float
    verb: str
    about: str
    by: str
    second: str
    done: bool


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was to be looked at, once for each cause and thing."""

    alarm: str
    about: str
    times: int
    first_floor_s: float
    last_floor_s: float


class LateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that was late in the span; `closed_floor_s` is 0, and `open` above, where it was open at its end."""

    batch_number: str
    upstream: str
    received_floor_s: float
    due_floor_s: float
    closed_floor_s: float
    late_s: float
    open: int


class SpanReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a span, up to `until_floor_s`: the span's end, or the time it was asked for in the midst of it.

    Counts are integers, times floor seconds, shares 0 to 1.  `broken` names sums that do not hold; `left_out` says
    how many rows of a list are not here.
    """

    span: Span
    until_floor_s: float
    cards: dict[str, int]
    refused_by_code: dict[str, int]
    steps: list[StepRow]
    rty: float
    stations: list[StationRow]
    planned_s: float
    cards_per_hour: float
    lead_p50_s: float
    lead_p95_s: float
    curve: list[CurvePoint]
    causes: list[CauseRow]
    blanks: Blanks
    counts: list[CountRow]
    shifts: list[ShiftRow]
    acts: list[ActRow]
    alarms: list[AlarmRow]
    late: list[LateRow]
    left_out: dict[str, int]
    broken: list[str]
    moves: int

    def rty_text(self) -> str:
        """Give the rolled throughput yield as people read it: nothing of a span in which no step worked."""
        return f"{self.rty:.2%}" if any(one.worked for one in self.steps) else "-"
