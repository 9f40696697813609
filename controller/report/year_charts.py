"""Charts of a year as inline SVG: lines over its days and weeks, and the steps that held it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from controller.core.calendar import DAY_S
from controller.report.charts import WIDTH_PX, drawn, line, nice_ticks, text_at, text_px
from controller.report.flow import STEPS
from controller.report.span_words import at_of, step_word
from controller.report.year_report import DayRow, WeekRow

HEIGHT_PX, LEFT_PX, BOTTOM_PX, KEY_PX = 230.0, 52.0, 20.0, 22.0
ROW_PX, GAP_PX = 20.0, 1.0
MEAN_DAYS = 7
SHOWN_LEAST = 0.04  # of a cell that is not empty, so that it is seen


class Line(NamedTuple):
    """A row of points (floor time, value); `tone` is a colour of the page, `thin` leaves it out of the key."""

    label: str
    points: Sequence[tuple[float, float]]
    tone: str
    thin: bool = False


class Axis(NamedTuple):
    """From when to when a chart goes, and how its values are written."""

    begin_floor_s: float
    end_floor_s: float
    unit: str = ""

    def x(self, at_floor_s: float) -> float:
        """Give where a time lies."""
        whole = max(1.0, self.end_floor_s - self.begin_floor_s)
        return LEFT_PX + (WIDTH_PX - LEFT_PX) * (at_floor_s - self.begin_floor_s) / whole


def lines(axis: Axis, rows: Sequence[Line], title: str, desc: str, shaded: Sequence[tuple[float, float]] = ()) -> str:
    """Give lines over time, months below, a key above; `shaded` stretches lie behind them."""
    base = HEIGHT_PX - BOTTOM_PX
    ticks = nice_ticks(max([1.0, *(value for row in rows for _, value in row.points)]))
    scale = (base - KEY_PX) / ticks[-1]
    parts = [_shade(axis, stretch, base) for stretch in shaded]
    for tick in ticks:
        y = base - tick * scale
        parts += [line(LEFT_PX, y, WIDTH_PX, y, "grid"), text_at(LEFT_PX - 6, y + 4, f"{tick:,.0f}{axis.unit}", "l")]
    parts += _months(axis, base)
    for row in rows:
        shown = " ".join(f"{axis.x(at):.1f},{base - max(0.0, value) * scale:.1f}" for at, value in row.points)
        parts.append(f'<polyline class="line {"thin " if row.thin else ""}l{row.tone}" points="{shown}"/>')
    return drawn("".join(parts) + _key([row for row in rows if not row.thin]), HEIGHT_PX, title, desc)


def day_lines(days: Sequence[DayRow], names: Mapping[str, tuple[str, str]]) -> list[Line]:
    """Give for each count of days (name -> label, tone) its thin line, and the thick one of its mean of seven days."""
    found = []
    for name, (label, tone) in names.items():
        values = [float(getattr(day, name)) for day in days]
        times = [day.begin_floor_s + DAY_S / 2 for day in days]
        found.append(Line(label, list(zip(times, values, strict=True)), tone, thin=True))
        found.append(Line(label, list(zip(times, _means(values), strict=True)), tone))
    return found


def holidays_of(days: Sequence[DayRow]) -> list[tuple[float, float]]:
    """Give the holidays as stretches of time, those that follow each other as one."""
    found: list[tuple[float, float]] = []
    for day in days:
        if day.is_holiday:
            begin = day.begin_floor_s
            if found and found[-1][1] == begin:
                begin = found.pop()[0]
            found.append((begin, day.begin_floor_s + DAY_S))
    return found


def bottlenecks(weeks: Sequence[WeekRow], title: str, desc: str, language: str) -> str:
    """Give a row for each step and a cell for each week: the darker, the larger its share; the largest is framed."""
    left = max(text_px(step_word(step, language)) for step in STEPS) + 10
    width = (WIDTH_PX - left) / max(1, len(weeks))
    parts = []
    for row, step in enumerate(STEPS):
        parts.append(text_at(left - 6, row * ROW_PX + 14, step_word(step, language), "l"))
        for place, week in enumerate(weeks):
            share = week.steps.get(step, 0.0)
            if not share:
                continue
            is_first = week.bottleneck == step
            kind = ' class="c framed"' if is_first else ' class="a"'
            parts.append(
                f"<g><title>{escape(week.week)} {escape(step_word(step, language))} {share:.0%}</title>"
                f'<rect{kind} x="{left + place * width:.1f}" y="{row * ROW_PX:.1f}" '
                f'width="{max(0.5, width - GAP_PX):.1f}" height="{ROW_PX - GAP_PX:.1f}" '
                f'fill-opacity="{min(1.0, max(SHOWN_LEAST, share)):.2f}"/></g>'
            )
    bottom = len(STEPS) * ROW_PX
    every = max(1, round(50 / max(1.0, width)))
    for place, week in enumerate(weeks[::every]):
        parts.append(text_at(left + (place * every + 0.5) * width, bottom + 14, week.week[-3:], "m"))
    return drawn("".join(parts), bottom + 20, title, desc)


def week_lines(weeks: Sequence[WeekRow], names: Mapping[str, tuple[str, str]], per: float) -> list[Line]:
    """Give a line for each value of weeks (name -> label, tone), divided by `per`; weeks that sent nothing are left."""
    return [
        Line(label, [(week.begin_floor_s, getattr(week, name) / per) for week in weeks if week.dispatched], tone)
        for name, (label, tone) in names.items()
    ]


def shading_word(language: str) -> str:
    """Give what the shaded stretches are."""
    return ("灰底：节假日。", "Shaded: holidays.")[at_of(language)]


def _means(values: Sequence[float]) -> list[float]:
    """Give the mean of each value and the six before it."""
    found = []
    for place in range(len(values)):
        last = values[max(0, place - MEAN_DAYS + 1) : place + 1]
        found.append(sum(last) / len(last))
    return found


def _shade(axis: Axis, stretch: tuple[float, float], base: float) -> str:
    x, end = axis.x(stretch[0]), axis.x(stretch[1])
    return f'<rect class="shade" x="{x:.1f}" y="{KEY_PX:.1f}" width="{end - x:.1f}" height="{base - KEY_PX:.1f}"/>'


def _months(axis: Axis, base: float) -> list[str]:
    """Give a mark where each month begins, and its number in its midst."""
    parts, at = [], datetime.fromtimestamp(axis.begin_floor_s, UTC).replace(day=1, hour=0, minute=0, second=0)
    while at.timestamp() < axis.end_floor_s:
        after = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
        x, end = axis.x(max(at.timestamp(), axis.begin_floor_s)), axis.x(min(after.timestamp(), axis.end_floor_s))
        parts += [line(x, base, x, base + 5, "axis"), text_at((x + end) / 2, base + 15, str(at.month), "m")]
        at = after
    return [line(LEFT_PX, base, WIDTH_PX, base, "axis"), *parts]


def _key(rows: Sequence[Line]) -> str:
    x, parts = LEFT_PX, []
    for row in rows:
        parts.append(f'<rect class="{escape(row.tone)}" x="{x:.1f}" y="3" width="10" height="10" rx="2"/>')
        parts.append(text_at(x + 15, 12, row.label, "v"))
        x += text_px(row.label) + 34
    return "".join(parts)


CHART_STYLE = """
svg .line{fill:none;stroke-width:2}svg .thin{stroke-width:1;opacity:.35}svg .shade{fill:var(--e);opacity:.22}
svg .la{stroke:var(--a)}svg .lb{stroke:var(--b)}svg .lc{stroke:var(--c)}svg .ld{stroke:var(--d)}
svg .le{stroke:var(--e)}svg .framed{stroke:var(--ink);stroke-width:1}tbody th{white-space:nowrap}
"""
