"""The report of a span as one HTML page and as CSV: nothing from outside, no script, to be read, printed and kept."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from controller.clock import floor_text
from controller.report.charts import Bar, bars, dots
from controller.report.curve import curve
from controller.report.page import STYLE
from controller.report.span_report import SpanReport
from controller.report.span_tables import Table, heads_of, is_number, rows_for_sheet, shown, tables_of, title_of
from controller.report.span_words import EN, MEANINGS, ZH, at_of, defect_word, step_word
from controller.report.spreadsheet import sheet
from controller.report.year_words import Pair

Tile = tuple[tuple[str, str, str, str], str, str]  # words as in TILES, the figure, the one below

LANGUAGE_TAGS = {ZH: "zh-CN", EN: "en"}
CAUSES_SHOWN = 30
TILES = (  # what the figure is, and the one below it, each in Chinese and English
    ("制成", "made", "发出", "dispatched"),
    ("每小时制卡", "cards per hour", "计划小时", "planned hours"),
    ("直通率", "rolled throughput yield", "重制", "remade"),
    ("受理", "received", "未结", "open"),
    ("制证时长 p50", "lead time p50", "p95", "p95"),
    ("报警", "alarms", "逾期数据包", "late batches"),
)


def html(report: SpanReport, language: str = ZH, *, style: str = "", above: str = "") -> str:
    """Give the page in `zh` or `en`; `style` is markup in place of the style sheet, `above` stands over the title.

    Raises: ValueError: no such language.
    """
    at = at_of(language)
    title = heading(report, language)
    sections = "".join(section(report, table, language) for table in tables_of(report))
    inner = (
        f"{verdict(report, at)}{tiles(_figures(report), at)}\n<main>\n{sections}</main>\n{footer(MEANINGS, language)}"
    )
    return document(
        title, until_text(report, language), inner, language, style or f"<style>{STYLE_SHEET}</style>", above
    )


def document(title: str, below: str, inner: str, language: str, style: str, above: str = "") -> str:
    """Give a whole page: its title, what stands below it, and what is in it."""
    return (
        f'<!DOCTYPE html>\n<html lang="{LANGUAGE_TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Cardmill {escape(title)}</title>\n{style}\n</head>\n<body>\n{above}"
        f"<header><h1>{escape(title)}</h1><p>{escape(below)}</p></header>\n{inner}</body>\n</html>\n"
    )


def footer(meanings: Iterable[Pair], language: str) -> str:
    """Give what the figures mean."""
    foot = "".join(f"<li>{escape(one[at_of(language)])}</li>" for one in meanings)
    return f"<footer><h2>{escape(title_of('meaning', language))}</h2><ul>{foot}</ul></footer>\n"


def csv(report: SpanReport, language: str = ZH) -> bytes:
    """Give all tables of the report as one CSV for a spreadsheet: see `spreadsheet` and docs/reports.md."""
    top = (heading(report, language), ("", ""), [[until_text(report, language), ""]])
    tables = (
        (title_of(table.name, language), heads_of(table, language), rows_for_sheet(table, language))
        for table in tables_of(report)
    )
    return sheet([top, *tables])


def heading(report: SpanReport, language: str) -> str:
    """Give the report's title, like `Production report: shift 2026-03-02/1`."""
    words = title_of("title", language), title_of(report.span.kind, language)
    return f"{words[0]}{('：', ': ')[at_of(language)]}{words[1]} {report.span.name}"


def until_text(report: SpanReport, language: str) -> str:
    """Give from when to when a report is, and whether its span is over."""
    begin, end = floor_text(report.span.begin_floor_s), floor_text(report.until_floor_s)
    is_part = report.until_floor_s < report.span.end_floor_s
    unfinished = (("，尚未结束", ", not over yet") if is_part else ("", ""))[at_of(language)]
    return f"{begin} … {end}{unfinished}"


def verdict(report: SpanReport, at: int) -> str:
    """Give whether every sum holds, and which do not."""
    if not report.broken:
        said = ("各项平衡关系全部成立。", "Every sum holds: cases, blanks, what was spoiled.")[at]
        return f'<p class="good">✓ {said}</p>\n'
    items = "".join(f"<li>{escape(one)}</li>" for one in report.broken)
    return f'<div class="bad" role="alert">✗ {("不成立的平衡关系：", "These do not hold:")[at]}<ul>{items}</ul></div>\n'


def _figures(report: SpanReport) -> list[Tile]:
    cards, lead = report.cards, (report.lead_p50_s / 3_600, report.lead_p95_s / 3_600)
    made, speed, rty, received, hours, alarms = TILES
    return [
        (made, f"{cards['made']:,}", f"{cards['dispatched']:,}"),
        (speed, f"{report.cards_per_hour:,.0f}", f"{report.planned_s / 3_600:,.1f}"),
        (rty, report.rty_text(), f"{cards['remade']:,}"),
        (received, f"{cards['received']:,}", f"{cards['open_at_end']:,}"),
        (hours, f"{lead[0]:,.1f} h", f"{lead[1]:,.1f} h"),
        (alarms, f"{sum(one.times for one in report.alarms):,}", f"{late_count(report):,}"),
    ]


def tiles(figures: Iterable[Tile], at: int) -> str:
    """Give the box of figures that people ask for first."""
    cells = "".join(
        f"<div><small>{escape(words[at])}</small><b>{escape(figure)}</b>"
        f"<small>{escape(words[2 + at])} {escape(other)}</small></div>"
        for words, figure, other in figures
    )
    return f'<div class="tiles">{cells}</div>'


def late_count(report: SpanReport) -> int:
    """Give how many batches were late."""
    return len(report.late) + report.left_out.get("late", 0)


def section(report: SpanReport, table: Table, language: str, chart: str = "", more: int = 0) -> str:
    """Give a table with its title, its chart, and how many rows of it are not here: `more`, and those left out."""
    title = title_of(table.name, language)
    more += report.left_out.get(table.name, 0)
    note = f"<p>+ {more:,} {('行未列', 'rows more')[at_of(language)]}</p>" if more else ""
    return (
        f"<section><h2>{escape(title)}</h2>{chart or _chart(report, table.name, title, language)}"
        f"{_table(table, title, language)}{note}</section>\n"
    )


def _chart(report: SpanReport, name: str, title: str, language: str) -> str:
    if name == "curve":
        points = report.curve
        most = max((point.per_hour for point in points), default=0.0)
        said = ("最高每小时 {:,.0f} 张，共 {:,} 张。", "At most {:,.0f} an hour, {:,} cards in all.")[at_of(language)]
        return curve(points, title, said.format(most, sum(point.cards for point in points)))
    if name == "steps":
        rows = [Bar(step_word(one.step, language), one.fpy, f"{one.fpy:.2%}") for one in report.steps if one.worked]
        return dots(rows, title, desc="; ".join(f"{row.label} {row.text}" for row in rows))
    if name == "causes" and report.causes:
        causes = [_cause(one, language) for one in report.causes[:CAUSES_SHOWN]]
        return bars(causes, title, desc="; ".join(f"{row.label} {row.text}" for row in causes[:5]))
    if name == "oee" and report.stations:
        oee = [Bar(one.station, one.oee, f"{one.oee:.0%}", tone="b") for one in report.stations]
        return bars(oee, title, most=1.0, desc="; ".join(f"{row.label} {row.text}" for row in oee))
    return ""


def _cause(one: Any, language: str) -> Bar:
    named = f"{step_word(one.caused_at, language)} {one.code} {defect_word(one.code, language)}".rstrip()
    return Bar(named, one.count, f"{one.count:,} · {one.share:.0%} · {one.cumulated:.0%}", tone="c")


def _table(table: Table, title: str, language: str) -> str:
    if not table.rows:
        return f"<p>{('无', 'none')[at_of(language)]}</p>"
    named = zip(table.columns, heads_of(table, language), strict=True)
    heads = "".join(
        f'<th scope="col"{_side(column, table.rows[0][column])}>{escape(head)}</th>' for column, head in named
    )
    body = "".join(_row(table, row, language) for row in table.rows)
    return (
        f'<div class="wide"><table><caption>{escape(title)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(table: Table, row: dict[str, Any], language: str) -> str:
    first, *others = table.columns
    cells = "".join(
        f"<td{_side(column, row[column])}>{escape(shown(column, row[column], language))}</td>" for column in others
    )
    return f'<tr><th scope="row">{escape(shown(first, row[first], language))}</th>{cells}</tr>'


def _side(column: str, value: Any) -> str:
    return ' class="n"' if is_number(column, value) else ""


SPAN_STYLE = """
header p{color:var(--soft);margin:0 0 12px}main{columns:auto}section{break-inside:auto}section h2{break-after:avoid}
svg{max-width:760px;margin:0 0 10px}svg .under{opacity:.3}svg .outline{fill:none;stroke:var(--a);stroke-width:2}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th,td{padding:3px 8px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
tbody th{font-weight:500}thead th{color:var(--soft);font-weight:500}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}
footer h2{font-size:14px}footer ul{margin:0;padding-left:1.2em}
@media print{@page{margin:14mm}.wide{overflow:visible}thead{display:table-header-group}tr,svg{break-inside:avoid}
.tiles{grid-template-columns:repeat(3,1fr)}footer{break-inside:avoid}}
"""
STYLE_SHEET = STYLE + SPAN_STYLE  # all there is on the page: a policy may allow just this by its digest
