"""The plan of a campaign: how many cards each county or township is to get in which months, from a CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from controller.checks.codes import CODES, Severity
from controller.checks.days import are_digits
from controller.config import CampaignConfig, ConfigError
from controller.core.campaign import OTHER_FAULT, PHOTO
from controller.table_file import read_table

COLUMNS = ("unit", "year", "from", "to", "cards")
COUNTY_DIGITS, TOWNSHIP_DIGITS = 6, 9
PILOT = "pilot"
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
MAX_CARDS = 100_000_000
MAX_TABLE_BYTES = 16 << 20
SHIPPED = "plan.csv"


class PlanError(ConfigError):
    """The plan cannot be used; the sentence names file and line."""

    code = "plan.malformed"


@dataclass(frozen=True, slots=True)
class Target:
    """What one unit is to reach: so many dispatched cards of people in scope, in months `YYYY-MM`, both included."""

    unit: str  # county (6 digits) or township (9): how the codes of its police stations begin
    year: str  # or `pilot`
    first_month: str
    last_month: str
    cards: int

    def overlaps(self, first_month: str, last_month: str) -> bool:
        """Say whether some of these months are its own."""
        return self.first_month <= last_month and first_month <= self.last_month


@dataclass(frozen=True, slots=True)
class Plan:
    """All targets, in the order of the table, and from which share of its cards on a unit is complete."""

    targets: tuple[Target, ...] = ()
    acceptance_percent: float = 98.0
    scope_age: int = 16

    def within(self, first_month: str, last_month: str) -> list[Target]:
        """Give the targets some of whose months lie in a period."""
        return [one for one in self.targets if one.overlaps(first_month, last_month)]


def load_plan(config: CampaignConfig) -> Plan:
    """Give the plan that a section names, or the shipped example.  Raises: PlanError."""
    if not config.plan:
        text = files("controller.campaign.plans").joinpath(SHIPPED).read_text("utf-8")
        return Plan(read_targets(text, SHIPPED), config.acceptance_percent, config.scope_age)
    path = Path(config.plan)
    text = read_table("campaign.plan", path, MAX_TABLE_BYTES, PlanError)
    return Plan(read_targets(text, str(path)), config.acceptance_percent, config.scope_age)


def read_targets(text: str, name: str) -> tuple[Target, ...]:
    """Give the targets of a CSV `unit,year,from,to,cards`.  Raises: PlanError, with the line and what belongs there."""
    reader = csv.reader(io.StringIO(text), strict=True)
    found: dict[str, list[Target]] = {}
    try:
        for number, row in enumerate(reader, 1):
            if number == 1 and tuple(row) != COLUMNS:
                raise _broken(name, 1, f"the columns {','.join(COLUMNS)}")
            if number == 1 or not row:
                continue
            one = _target(name, reader.line_num, [cell.strip() for cell in row])
            mine = found.setdefault(one.unit, [])
            if any(one.overlaps(other.first_month, other.last_month) for other in mine):
                raise _broken(name, reader.line_num, "months that no other row of this unit has: a card counts once")
            mine.append(one)
    except csv.Error:
        raise _broken(name, reader.line_num, "comma separated values") from None
    if not found:
        raise _broken(name, reader.line_num + 1, "at least one target")
    return tuple(one for unit in sorted(found) for one in found[unit])


def _target(name: str, line: int, cells: list[str]) -> Target:
    if len(cells) != len(COLUMNS):
        raise _broken(name, line, f"{len(COLUMNS)} cells")
    unit, year, first, last, cards = cells
    if not (are_digits(unit, COUNTY_DIGITS) or are_digits(unit, TOWNSHIP_DIGITS)):
        raise _broken(name, line, f"a unit of {COUNTY_DIGITS} digits (county) or {TOWNSHIP_DIGITS} (township)")
    if year != PILOT and not are_digits(year, 4):
        raise _broken(name, line, f"a year like 2026, or {PILOT}")
    if not (MONTH.fullmatch(first) and MONTH.fullmatch(last) and first <= last):
        raise _broken(name, line, "months like 2026-01, `from` not after `to`")
    if not (cards.isascii() and cards.isdigit() and len(cards) <= 9 and 1 <= int(cards) <= MAX_CARDS):
        raise _broken(name, line, f"cards from 1 to {MAX_CARDS:,}")
    return Target(unit, year, first, last, int(cards))


def _broken(name: str, line: int, expected: str) -> PlanError:
    return PlanError(f"campaign.plan: {name}, line {line}: expected {expected}")


def capture_faults() -> dict[str, str]:
    """Give for each code that refuses or holds what it says of the capture: a fault of the photo, or of other data.

    Duplicates say nothing of it: what was captured may be right.
    """
    return {
        code: PHOTO if row.group == "portrait" else OTHER_FAULT
        for code, row in CODES.items()
        if row.severity >= Severity.HOLD and row.group != "duplicate"
    }
