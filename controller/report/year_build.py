"""The report of a year, folded from one reading of its moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isclose

import msgspec
from sqlalchemy import Engine

from controller.config import Config
from controller.core.calendar import calendar_of
from controller.core.settings import CalendarConfig
from controller.core.stock import Account
from controller.report.span import Span
from controller.report.span_build import SpanBuild
from controller.report.span_report import Blanks, SpanReport
from controller.report.year_fold import YearFold
from controller.report.year_report import Overtime, YearReport

LEAST_S = 1.0  # by which sums of floor seconds may differ


def _go_on() -> None:
    """Let the work go on."""


def build_year_report(
    reading: Engine,
    span: Span,
    normal: CalendarConfig,
    now_floor_s: float | None = None,
    *,
    simulated: bool = False,
    constants: Mapping[str, str] | None = None,
    look: Callable[[], object] = _go_on,
) -> YearReport:
    """Give the report of a year, of what is durable; for a worker thread.

    Args:
        reading: an engine of the ledger's readers, see `Ledger.reading`.
        normal: the calendar of normal work: planned time is within it, overtime outside.
        now_floor_s: the year ends there at the latest; without it, it is over.
        constants: simulated values that the figures rest on, by name, each with its unit.
        look: called now and then; what it raises ends the work.
    Cost: see docs/reports.md; memory is that of the floor, not of the cards.  Raises: LedgerDamaged.
    """
    calendar = calendar_of(normal)
    build = SpanBuild(reading, span, calendar, now_floor_s)
    fold = YearFold(build, calendar, normal)
    build.fold(fold, look)
    fold.finish()
    whole = build.report()
    report = YearReport(
        whole=whole,
        days=fold.days,
        weeks=fold.weeks,
        leads=[*fold.lead_times.whole(), *fold.leads],
        stops=fold.stops.rows(build.until),
        overtime=Overtime(
            is_known=bool(normal.shifts),
            seconds=sum(day.overtime_s for day in fold.days),
            station_s=fold.station_s,
            cards=sum(day.overtime_cards for day in fold.days),
        ),
        blanks=blank_sums(whole.blanks),
        shifts=normal.shifts,
        simulated=simulated,
        constants=dict(constants or {}),
    )
    broken = [*whole.broken, *_broken(report)]
    return msgspec.structs.replace(report, whole=msgspec.structs.replace(whole, broken=broken))


def blank_sums(blanks: Blanks) -> dict[str, int]:
    """Give what came of the blanks: begin + received = end + what left for good, by where it went."""
    rows = {row.account: row for row in blanks.accounts}
    gone = (Account.DISPATCHED, Account.DESTROYED, Account.SAMPLE, Account.MISSING)
    stock = (Account.VAULT, Account.MAGAZINE)
    return {
        "begin": sum(rows[account].begin for account in stock),
        "received": blanks.received,
        "used": rows[Account.SHEET].came,
        "spoiled": rows[Account.SPOILED].came,
        "destroyed": rows[Account.DESTROYED].came,
        "sampled": rows[Account.SAMPLE].came,
        "missing": rows[Account.MISSING].came,
        "returned": rows[Account.RETURNED].came,
        "dispatched": rows[Account.DISPATCHED].came,
        "end": sum(rows[account].end for account in stock),
        "on_floor": sum(row.end for row in blanks.accounts if row.account not in (*stock, *gone)),
    }


def constants_of(config: Config) -> dict[str, str]:
    """Give the simulated values that stand in the settings of a centre that runs, by the setting's name."""
    return {"clock.scale": f"{config.clock.scale:g} floor seconds per real second"}


def _broken(report: YearReport) -> list[str]:
    """Name the sums of days, weeks and due classes that are not those of the year."""
    whole: SpanReport = report.whole
    faults = []
    for name in ("received", "made", "dispatched", "remade"):
        days = sum(getattr(day, name) for day in report.days)
        weeks = sum(getattr(week, name) for week in report.weeks)
        if not days == weeks == whole.cards[name]:
            faults.append(f"{name}: {days} by day, {weeks} by week, {whole.cards[name]} in all")
    if report.days and report.days[-1].open != whole.cards["open_at_end"]:
        faults.append(f"open: {report.days[-1].open} by day, {whole.cards['open_at_end']} in all")
    by_class = sum(row.cards for row in report.leads if not row.week and row.due_class != "all")
    if by_class != whole.cards["dispatched"]:
        faults.append(f"dispatched: {by_class} by due class, {whole.cards['dispatched']} in all")
    stopped, down = sum(row.seconds for row in report.stops), sum(one.down_s for one in whole.stations)
    if not isclose(stopped, down, rel_tol=1e-9, abs_tol=LEAST_S):
        faults.append(f"stops: {stopped:.0f} s by reason, {down:.0f} s by station")
    return faults
