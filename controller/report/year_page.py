"""The report of a year as one HTML page and as CSV: nothing from outside, no script, to be read, printed and kept."""

from __future__ import annotations

from controller.report import span_page
from controller.report.span_words import ZH
from controller.report.year_report import YearReport


def html(report: YearReport, language: str = ZH, *, style: str = "", above: str = "") -> str:
    """Give the page in `zh` or `en`; `style` is markup in place of the style sheet, `above` stands over the title.

    Raises: ValueError: no such language.
    """
    return span_page.html(report.whole, language, style=style, above=above)


def csv(report: YearReport, language: str = ZH) -> bytes:
    """Give all tables of the report as one CSV for a spreadsheet: see `spreadsheet` and docs/reports.md."""
    return span_page.csv(report.whole, language)


STYLE_SHEET = span_page.STYLE_SHEET
