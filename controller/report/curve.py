"""The curve of cards per hour as inline SVG: a step for each part of a span, with the time below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from math import ceil

from controller.report.charts import WIDTH_PX, drawn, line, nice_ticks, text_at
from controller.report.span import DAY_S
from controller.report.span_report import CurvePoint

HEIGHT_PX, LEFT_PX, BOTTOM_PX = 190.0, 46.0, 20.0
LABELS_MAX = 12


def curve(points: Sequence[CurvePoint], title: str, desc: str) -> str:
    """Give the curve; what the calendar leaves no time for is drawn pale."""
    ticks = nice_ticks(max([1.0, *(point.per_hour for point in points)]))
    base = HEIGHT_PX - BOTTOM_PX
    scale = (base - 10) / ticks[-1]
    parts = []
    for tick in ticks:
        y = base - tick * scale
        parts += [line(LEFT_PX, y, WIDTH_PX, y, "grid"), text_at(LEFT_PX - 6, y + 4, f"{tick:,.0f}", "l")]
    begin = points[0].begin_floor_s if points else 0.0
    whole = sum(point.seconds for point in points) or 1.0
    across = (WIDTH_PX - LEFT_PX) / whole
    path: list[str] = []
    every = ceil(len(points) / LABELS_MAX)
    for place, point in enumerate(points):
        x, width = LEFT_PX + (point.begin_floor_s - begin) * across, point.seconds * across
        y = base - max(0.0, point.per_hour) * scale
        tone = "a" if point.planned_s else "e"
        parts.append(
            f"<g><title>{escape(label(point))}: {point.cards:,} ({point.per_hour:,.0f}/h)</title>"
            f'<rect class="{tone} under" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{base - y:.1f}"/></g>'
        )
        path.append(f"{'L' if path else 'M'}{x:.1f} {y:.1f}H{x + width:.1f}")
        if place % every == 0:
            parts.append(text_at(x + min(width, 40.0) / 2, HEIGHT_PX - 5, label(point), "m"))
    parts.append(f'<path class="outline" d="{"".join(path)}"/>' if path else "")
    return drawn("".join(parts), HEIGHT_PX, title, desc)


def label(point: CurvePoint) -> str:
    """Give when a part of the span began: the hour and minute, of whole days the month and day."""
    at = datetime.fromtimestamp(point.begin_floor_s, UTC)
    by_day = at.hour == at.minute == 0 and point.seconds > DAY_S / 2
    return at.strftime("%m-%d" if by_day else "%H:%M")
