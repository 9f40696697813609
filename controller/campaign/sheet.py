"""The campaign's report as CSV for a spreadsheet: totals, units of the plan, units without a target, fee classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controller.campaign.report import FLOWS
from controller.report.spreadsheet import Cell, sheet

Row = Mapping[str, Any]
UNITS = (
    *("unit", "name", "rank", "year", "from", "to", "target", "completed", "completed_percent", "complete"),
    *("completed_in_period", "received", "photo_faults", "data_faults", "capture_accuracy_percent"),
)
UNPLANNED = ("unit", "name", "completed_in_period", "received", "photo_faults", "data_faults")


def campaign_csv(report: Row) -> bytes:
    """Give the CSV for the JSON of `controller.campaign.report`.  Raises: KeyError when a key of it is missing."""
    period = f"campaign {report['from']} to {report['to']}"
    total = [[name, value] for name, value in report["total"].items()]
    return sheet(
        [
            (period, ("what", "count"), total),
            ("units of the plan", UNITS, _rows(UNITS, report["units"])),
            ("units without a target", UNPLANNED, _rows(UNPLANNED, report["unplanned"])),
            ("fee classes", ("fee_class", "group", *FLOWS), _rows(("fee_class", "group", *FLOWS), report["fees"])),
        ]
    )


def _rows(names: Sequence[str], rows: Sequence[Row]) -> list[list[Cell]]:
    return [[row[name] for name in names] for row in rows]
