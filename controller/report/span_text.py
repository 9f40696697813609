"""The report of a span for a screen of 80 columns: what happened in a few lines; the details stand in the page."""

from __future__ import annotations

from controller.report.span_page import heading
from controller.report.span_report import SpanReport
from controller.report.span_words import ACCOUNTS, ALARM_WORDS, CARDS, ZH, at_of, defect_word, step_word, word
from controller.report.text import wrapped

ALL_OF_IT = ("全部内容：--out FILE, --csv FILE, --json FILE", "everything: --out FILE, --csv FILE, --json FILE")
CAUSES_SHOWN, ALARMS_SHOWN, LATE_SHOWN = 5, 8, 5


def span_lines(report: SpanReport, language: str = ZH) -> list[str]:
    """Give the report in sections: cases, yields, stations, causes, blanks, what to look at."""
    cards, both = report.cards, at_of(language)
    named = ", ".join(f"{word(CARDS, name, language)} {count:,}" for name, count in cards.items() if count)
    lines = [heading(report, language), *wrapped(f"  {named}")]
    speed = ("每小时 {:,.0f} 张，计划 {:,.1f} 小时", "{:,.0f} cards an hour in {:,.1f} planned hours")[both]
    lines.append("  " + speed.format(report.cards_per_hour, report.planned_s / 3_600))
    yields = ", ".join(f"{step_word(one.step, language)} {one.fpy:.2%}" for one in report.steps if one.worked)
    lines += wrapped(f"  FPY {yields or '-'}; RTY {report.rty_text()}")
    oee = ", ".join(f"{one.station} {one.oee:.0%}" for one in report.stations if one.worked)
    lines += wrapped(f"  OEE {oee or '-'}")
    for one in report.causes[:CAUSES_SHOWN]:
        about = f"{step_word(one.caused_at, language)} {defect_word(one.code, language)}"
        lines.append(f"  {one.code} {one.count:>6,} {one.share:>5.0%}  {about}")
    blanks = ", ".join(
        f"{word(ACCOUNTS, one.account, language)} {one.begin:,} → {one.end:,}"
        for one in report.blanks.accounts
        if one.begin or one.end
    )
    lines += wrapped(f"  {('空白卡', 'blanks')[both]}: {blanks or '-'}")
    for alarm in report.alarms[:ALARMS_SHOWN]:
        lines.append(f"  ! {word(ALARM_WORDS, alarm.alarm, language)} {alarm.about} ×{alarm.times:,}")
    for late in report.late[:LATE_SHOWN]:
        said = (f"逾期 {late.late_s / 3_600:,.1f} h", f"late by {late.late_s / 3_600:,.1f} h")[both]
        lines.append(f"  ! {late.batch_number} {said}")
    lines += [f"  ! {one}" for one in report.broken]
    lines.append(ALL_OF_IT[both])
    return lines
