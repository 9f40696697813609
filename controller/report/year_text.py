"""The report of a year for a screen of 80 columns: the figures people ask for first; all else stands in the page."""

from __future__ import annotations

from controller.report.span_page import heading
from controller.report.span_text import ALL_OF_IT
from controller.report.span_words import ZH, at_of, step_word
from controller.report.text import wrapped
from controller.report.year_page import headline
from controller.report.year_report import YearReport
from controller.report.year_words import DUE_WORDS


def year_lines(report: YearReport, language: str = ZH) -> list[str]:
    """Give the report in sections: the headline, lead times by due class, yields, what does not hold."""
    whole, at = report.whole, at_of(language)
    lines = [heading(whole, language)]
    for words, figure, other in headline(report, language):
        lines += wrapped(f" {words[at]} {figure}{f'; {words[2 + at]} {other}' if other else ''}")
    for row in report.leads:
        if not row.week:
            said = f"p50 {row.lead_p50_s / 3_600:,.1f} h, p95 {row.lead_p95_s / 3_600:,.1f} h, {row.in_time:.2%}"
            lines += wrapped(f" {DUE_WORDS[row.due_class][at]}: {row.cards:,}; {said}")
    yields = ", ".join(f"{step_word(one.step, language)} {one.fpy:.2%}" for one in whole.steps if one.worked)
    lines += wrapped(f" FPY {yields or '-'}")
    oee = ", ".join(f"{one.station} {one.oee:.0%}" for one in whole.stations if one.worked)
    lines += wrapped(f" OEE {oee or '-'}")
    lines += [f"  ! {one}" for one in whole.broken]
    return [*lines, ALL_OF_IT[at]]
