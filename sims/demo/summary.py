"""The demo's report as a terminal shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from controller.report.page import YEARLY_TARGET, cause_words, hours_text
from devices.defects import Step

CODES_SHOWN = 8


def summary(report: Mapping[str, Any]) -> RenderableType:
    """Give counts, losses, speed, blanks and receipts as a few tables."""
    parts = (_counts, _floor, _speed, _losses, _refused)
    return Group(*(piece for part in parts for piece in (part(report), Text())))


def _counts(report: Mapping[str, Any]) -> Table:
    table = _table("Applications and cards", "", "", "")
    caught = f"{report['planted_bad_caught']:,} of {report['planted_bad']:,} planted faults caught"
    blanks, receipts = report["blanks"], report["receipts"]
    rows = [
        ("submitted", report["submitted"], f"batches closed {report['batches_closed']:,} of {report['batches']:,}"),
        ("refused", report["refused"], f"{caught}, {report['good_refused']:,} good ones refused"),
        ("held", report["held_released"] + report["held_refused"], _held(report)),
        ("accepted", report["accepted"], f"{report['cancelled']:,} cancelled, {report['refused_late']:,} refused late"),
        ("made", report["made"], f"{report['remade']:,} remade"),
        ("dispatched", report["dispatched"], f"{report['open']:,} open"),
        ("final receipts", receipts["final"], f"{receipts['missing']:,} missing, {receipts['double']:,} double"),
        ("blanks", blanks["received"], _blanks(blanks)),
        ("shift closed", report["shift"]["closed"], _shift(report["shift"], blanks["received"])),
    ]
    for name, count, told in rows:
        table.add_row(name, f"{count:,}", told)
    return table


def _held(report: Mapping[str, Any]) -> str:
    return f"{report['held_released']:,} released, {report['held_refused']:,} refused by supervisors"


def _blanks(blanks: Mapping[str, int]) -> str:
    parts = ", ".join(f"{blanks[name]:,} {name}" for name in ("good", "spoiled", "suspect", "remaining"))
    return f"received: {parts}; difference {blanks['difference']:,}"


def _shift(shift: Mapping[str, int], received: int) -> str:
    word = "balances" if shift["closed"] and shift["accounted"] == received else "does not balance"
    return f"{word}: {shift['accounted']:,} of {received:,} blanks, {shift['missing']:,} missing"


def _floor(report: Mapping[str, Any]) -> Table:
    table = _table("The floor", "step", "first-pass yield", "OEE of stations", "")
    oee = report["oee_by_station"]
    for step in Step:
        shares = [oee[name] for name, one in report["stations"].items() if one["step"] == step.value]
        spread = f"{min(shares):.0%} to {max(shares):.0%} of {len(shares)}" if shares else ""
        limiting = "limits the year" if step.value == report["limiting_step"] else ""
        table.add_row(step.value, f"{report['fpy_by_step'][step.value]:.2%}", spread, limiting)
    return table


def _speed(report: Mapping[str, Any]) -> Table:
    lead, table = report["lead_time_s"], _table("Speed", "", "")
    rows = [
        ("cards per floor hour", f"{report['cards_per_hour']:,.0f}"),
        ("rolled throughput yield", f"{report['rty']:.2%}"),
        ("lead time p50, p95", f"{hours_text(lead['p50'])}, {hours_text(lead['p95'])}"),
        (f"yearly capacity (wanted {YEARLY_TARGET:,})", f"{report['yearly_capacity']:,}"),
        ("kills of the service", f"{report['kills']:,}"),
        ("real time", f"{report['wall_s']:,.0f} s"),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _losses(report: Mapping[str, Any]) -> Table:
    table = _table("Spoiled, by step and cause", "", "")
    causes = [
        (count, step, code) for step, codes in report["spoiled_by_cause"].items() for code, count in codes.items()
    ]
    for count, step, code in sorted(causes, reverse=True):
        table.add_row(f"{step} · {cause_words(step, code)}", f"{count:,}")
    return table


def _refused(report: Mapping[str, Any]) -> Table:
    table = _table("Refused, by code", "", "")
    codes = sorted(report["refused_by_code"].items(), key=lambda one: (-one[1], one[0]))
    for code, count in codes[:CODES_SHOWN]:
        table.add_row(code, f"{count:,}")
    if len(codes) > CODES_SHOWN:
        table.add_row(f"and {len(codes) - CODES_SHOWN} codes more", f"{sum(n for _, n in codes[CODES_SHOWN:]):,}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=any(columns))
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place == 1 else "left")
    return table
