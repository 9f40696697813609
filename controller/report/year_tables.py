"""The tables of a year's report: what its page shows and its CSV holds, with the same names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from controller.report.flow import STEPS
from controller.report.span_tables import Table, fields_of, table_of, tables_of
from controller.report.year_report import COUNTED, DayRow, WeekRow, YearReport

SUMMED = (*COUNTED, "overtime_s", "overtime_cards")  # of days
DAY_COLUMNS = ("planned_s", *COUNTED, "open", "overtime_s", "overtime_cards")
LEAD_COLUMNS = ("due_class", "cards", "lead_p50_s", "lead_p95_s", "in_time")
WEEK_COLUMNS = ("week", *DAY_COLUMNS, "lead_p50_s", "lead_p95_s", "in_time", "bottleneck")
ORDER = (
    *("cards", "months", "days", "weeks", "flow", "leads", "week_leads", "steps", "oee", "causes", "stops"),
    *("overtime", "blank_sums", "blanks", "alarms", "late", "refused", "constants"),
)
BY_DAY = ("days", "week_leads")  # too long for a page: in the CSV alone


def year_tables(report: YearReport) -> list[Table]:
    """Give the tables of a report, in their order; those of `BY_DAY` are for a spreadsheet."""
    spans = {table.name: table for table in tables_of(report.whole)}
    year = [row for row in report.leads if not row.week]
    sums = [{"blank_sum": name, "count": count} for name, count in report.blanks.items()]
    constants = [{"constant": name, "value": value} for name, value in report.constants.items()]
    ours = {
        "months": Table("months", ("month", *DAY_COLUMNS), list(_months(report.days))),
        "days": table_of("days", ("begin_floor_s", "is_holiday", *DAY_COLUMNS), report.days),
        "weeks": table_of("weeks", WEEK_COLUMNS, report.weeks),
        "flow": Table("flow", ("week", "bottleneck", *STEPS), list(map(_shares, report.weeks))),
        "leads": table_of("leads", LEAD_COLUMNS, year),
        "week_leads": table_of("week_leads", ("week", *LEAD_COLUMNS), [row for row in report.leads if row.week]),
        "overtime": table_of("overtime", ("seconds", "station_s", "cards"), [report.overtime]),
        "stops": table_of("stops", ("station", "state", "reason", "times", "seconds", "longest_s"), report.stops),
        "blank_sums": Table("blank_sums", ("blank_sum", "count"), sums),
        "constants": Table("constants", ("constant", "value"), constants),
    }
    return [(spans | ours)[name] for name in ORDER if name != "constants" or report.simulated]


def _months(days: Iterable[DayRow]) -> Iterable[dict[str, Any]]:
    """Give the sums of each month's days, and what was open at its end."""
    for month, own in groupby(days, key=lambda day: datetime.fromtimestamp(day.begin_floor_s, UTC).strftime("%Y-%m")):
        rows = list(own)
        sums = {name: sum(getattr(row, name) for row in rows) for name in ("planned_s", *SUMMED)}
        yield {"month": month, "open": rows[-1].open, **sums}


def _shares(week: WeekRow) -> dict[str, Any]:
    return fields_of(week) | week.steps
