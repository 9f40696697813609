"""The report of a year as one HTML page and as CSV: nothing from outside, no script, to be read, printed and kept."""

from __future__ import annotations

from collections import Counter
from html import escape

from controller.report import span_page
from controller.report.charts import Bar, bars
from controller.report.span_page import Tile, document, footer, heading, late_count, section, tiles, until_text, verdict
from controller.report.span_tables import Table, heads_of, rows_for_sheet, title_of
from controller.report.span_words import MEANINGS, ZH, at_of, step_word
from controller.report.spreadsheet import sheet
from controller.report.year_charts import (
    CHART_STYLE,
    Axis,
    bottlenecks,
    day_lines,
    holidays_of,
    lines,
    shading_word,
    week_lines,
)
from controller.report.year_report import YearReport
from controller.report.year_tables import BY_DAY, year_tables
from controller.report.year_words import YEAR_MEANINGS

HOUR_S = 3_600.0
ROWS_SHOWN = 60  # of stops, alarms and late batches: all of them stand in the CSV
CUT = ("stops", "alarms", "late")
STYLE_SHEET = span_page.STYLE_SHEET + CHART_STYLE  # all there is on the page: a policy may allow just this


def html(report: YearReport, language: str = ZH, *, style: str = "", above: str = "") -> str:
    """Give the page in `zh` or `en`; `style` is markup in place of the style sheet, `above` stands over the title.

    Raises: ValueError: no such language.
    """
    at, whole = at_of(language), report.whole
    tables = [table for table in year_tables(report) if table.name not in BY_DAY]
    sections = "".join(_section(report, table, language) for table in tables)
    inner = (
        f"{_simulated(report, at)}{verdict(whole, at)}{tiles(headline(report, language), at)}\n"
        f"<main>\n{sections}</main>\n{footer((*YEAR_MEANINGS, *MEANINGS), language)}"
    )
    title, below = heading(whole, language), until_text(whole, language)
    return document(title, below, inner, language, style or f"<style>{STYLE_SHEET}</style>", above)


def csv(report: YearReport, language: str = ZH) -> bytes:
    """Give all tables of the report as one CSV for a spreadsheet: see `spreadsheet` and docs/reports.md."""
    top = (heading(report.whole, language), ("", ""), [[until_text(report.whole, language), ""]])
    tables = (
        (title_of(table.name, language), heads_of(table, language), rows_for_sheet(table, language))
        for table in year_tables(report)
    )
    return sheet([top, *tables])


def headline(report: YearReport, language: str) -> list[Tile]:
    """Give the figures that people ask for first: what each is, the figure, and the one below it."""
    whole, cards, at = report.whole, report.whole.cards, at_of(language)
    received, opened, per_day = cards["received"], cards["open_at_end"], _per_working_day(report)
    weeks = Counter(week.bottleneck for week in report.weeks if week.bottleneck).most_common(1)
    [(step, often)] = weeks or [("", 0)]
    in_time = next((row.in_time for row in report.leads if not row.week and row.due_class == "all"), 1.0)
    stops, hours = sum(row.times for row in report.stops), sum(row.seconds for row in report.stops) / HOUR_S
    over = report.overtime
    used, spoiled = (f"{report.blanks[name]:,}" for name in ("used", "spoiled"))
    overtime = f"{over.seconds / HOUR_S:,.1f} h" if over.is_known else ("无班次", "no shifts")[at]
    return [
        (("制成", "made", "每工作日", "a working day"), f"{cards['made']:,}", f"{per_day:,.0f}"),
        (("受理", "received", "期末未结", "open at the end"), f"{received:,}", f"{opened:,}"),
        (("发出", "dispatched", "逾期批次", "late batches"), f"{cards['dispatched']:,}", f"{late_count(whole):,}"),
        (("按时发出", "dispatched in time", "", ""), f"{in_time:.2%}", ""),
        (("制证时长 p95", "lead time p95", "p50", "p50"), _days(whole.lead_p95_s, at), _days(whole.lead_p50_s, at)),
        (("直通率", "rolled throughput yield", "重制", "remade"), whole.rty_text(), f"{cards['remade']:,}"),
        (("瓶颈", "bottleneck", "周数", "weeks"), step_word(step, language) or "-", f"{often} / {len(report.weeks)}"),
        (("投入空白卡", "blanks used", "作废", "spoiled"), used, spoiled),
        (("加班", "overtime", "制卡", "cards"), overtime, f"{over.cards:,}"),
        (("停机次数", "stops of stations", "小时", "hours"), f"{stops:,}", f"{hours:,.0f}"),
    ]


def _per_working_day(report: YearReport) -> float:
    working = sum(day.planned_s > 0 for day in report.days)
    return report.whole.cards["made"] / working if working else 0.0


def _days(seconds: float, at: int) -> str:
    return f"{seconds / 86_400:,.1f} {('天', 'days')[at]}"


def _simulated(report: YearReport, at: int) -> str:
    if not report.simulated:
        return ""
    said = (
        "模拟数据：设备、人员与上级系统均为模拟，数字只说明所设条件下的情形；所依据的常数列于文末。",
        (
            "Simulated: stations, staff and upstream are pretend, and the figures hold for what was assumed; the "
            "constants that they rest on stand at the end."
        ),
    )
    return f'<p class="bad">⚠ {escape(said[at])}</p>\n'


def _section(report: YearReport, table: Table, language: str) -> str:
    more = 0
    if table.name in CUT:
        more = max(0, len(table.rows) - ROWS_SHOWN)
        table = table._replace(rows=table.rows[:ROWS_SHOWN])
    return section(report.whole, table, language, _chart(report, table.name, language), more)


def _chart(report: YearReport, name: str, language: str) -> str:
    if name == "months":
        return _days_chart(report, language)
    if name == "weeks":
        return _open_chart(report, language)
    if name == "flow" and report.weeks:
        weeks = Counter(week.bottleneck for week in report.weeks if week.bottleneck).most_common()
        desc = "; ".join(f"{step_word(step, language)} {count}" for step, count in weeks)
        return bottlenecks(report.weeks, title_of(name, language), desc, language)
    if name == "leads":
        return _leads_chart(report, language)
    if name == "stops" and report.stops:
        hours: Counter[str] = Counter()
        for row in report.stops:
            hours[row.station] += round(row.seconds)
        rows = [Bar(station, down, f"{down / HOUR_S:,.1f} h", tone="d") for station, down in sorted(hours.items())]
        return bars(rows, title_of(name, language), desc="; ".join(f"{row.label} {row.text}" for row in rows))
    return ""


def _axis(report: YearReport, unit: str = "") -> Axis:
    return Axis(report.whole.span.begin_floor_s, report.whole.span.end_floor_s, unit)


def _days_chart(report: YearReport, language: str) -> str:
    at, cards = at_of(language), report.whole.cards
    accepted = sum(day.accepted for day in report.days)
    names = {"accepted": (("需求", "demand")[at], "c"), "made": (("制成", "made")[at], "a")}
    said = ("需求 {:,}，制成 {:,}。", "{:,} demanded, {:,} made.")[at].format(accepted, cards["made"])
    desc = f"{said} {shading_word(language)}"
    shaded = holidays_of(report.days)
    return lines(_axis(report), day_lines(report.days, names), title_of("months", language), desc, shaded)


def _open_chart(report: YearReport, language: str) -> str:
    at = at_of(language)
    rows = day_lines(report.days, {"open": (title_of("open", language), "d")})[:1]
    most = max((day.open for day in report.days), default=0)
    desc = ("最多 {:,}。", "At most {:,}.")[at].format(most)
    bold = [row._replace(thin=False) for row in rows]
    return lines(_axis(report), bold, title_of("open", language), desc, holidays_of(report.days))


def _leads_chart(report: YearReport, language: str) -> str:
    names = {"lead_p50_s": ("p50", "a"), "lead_p95_s": ("p95", "c")}
    whole = report.whole
    desc = f"p50 {_days(whole.lead_p50_s, at_of(language))}, p95 {_days(whole.lead_p95_s, at_of(language))}"
    rows = week_lines(report.weeks, names, 86_400.0)
    return lines(_axis(report, " d"), rows, title_of("leads", language), desc, holidays_of(report.days))
