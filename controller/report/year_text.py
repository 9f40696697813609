"""The report of a year for a screen of 80 columns: the figures people ask for first; all else stands in the page."""

from __future__ import annotations

from controller.report.span_text import span_lines
from controller.report.span_words import ZH
from controller.report.year_report import YearReport


def year_lines(report: YearReport, language: str = ZH) -> list[str]:
    """Give the report in short."""
    return span_lines(report.whole, language)
