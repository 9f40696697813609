"""A station's chart of defects as inline SVG: its points over time, the limit that holds it, signals and releases."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from controller.report.charts import line, text_at
from controller.trace.drift import DriftCurve

WIDTH_PX, HEIGHT_PX, LEFT_PX, BOTTOM_PX, TOP_PX = 960, 240, 46, 22, 16
COLUMNS = 450
HOUR_S = 3_600.0
HOURS_MARKED = 3


def drift_chart(
    curve: DriftCurve, warn: int, title: str, limit_word: str, warn_word: str, clock: Callable[[float], str]
) -> str:
    """Give the chart: of each 2 px column its highest point, so that no peak is lost; `clock` gives an hour's words."""
    most = curve.limit * 1.08
    base = HEIGHT_PX - BOTTOM_PX

    def y(points: float) -> float:
        return base - (base - TOP_PX) * min(points, most) / most

    def x(at_floor_s: float) -> float:
        share = (at_floor_s - curve.from_floor_s) / (curve.to_floor_s - curve.from_floor_s)
        return LEFT_PX + (WIDTH_PX - LEFT_PX) * share

    parts = [line(LEFT_PX, base, WIDTH_PX, base, "axis"), text_at(LEFT_PX - 6, base + 4, "0", "l")]
    for points, kind, word in ((curve.limit, "target", limit_word), (warn, "warn", warn_word)):
        parts += [line(LEFT_PX, y(points), WIDTH_PX, y(points), kind), text_at(LEFT_PX + 4, y(points) - 4, word, "v")]
        parts.append(text_at(LEFT_PX - 6, y(points) + 4, f"{points}", "l"))
    hour = (curve.from_floor_s // HOUR_S + 1) * HOUR_S
    while hour < curve.to_floor_s:
        if hour % (HOURS_MARKED * HOUR_S) == 0:
            parts += [line(x(hour), base, x(hour), base + 5, "axis"), text_at(x(hour), base + 18, clock(hour), "m")]
        hour += HOUR_S
    shown = " ".join(f"{x(at):.1f},{y(score):.1f}" for at, score in _peaks(curve))
    parts.append(f'<polyline class="drift" points="{shown}"/>')
    for at in curve.signals:
        parts.append(
            f'<circle class="c" cx="{x(at):.1f}" cy="{y(curve.limit):.1f}" r="5"><title>{clock(at)}</title></circle>'
        )
    parts += [line(x(at), TOP_PX, x(at), base, "release") for at in curve.releases]
    top = max((one.score for one in curve.points), default=0)
    told = f"{limit_word} {curve.limit}; max {top}; {len(curve.signals)} × ●"
    return (
        f'<svg class="drift-chart" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc>{''.join(parts)}</svg>"
    )


def _peaks(curve: DriftCurve) -> list[tuple[float, int]]:
    """Give the highest point of each column with its time, in order, and the last one as it is."""
    found: dict[int, tuple[float, int]] = {}
    span = curve.to_floor_s - curve.from_floor_s
    for one in curve.points:
        column = int(COLUMNS * (one.at_floor_s - curve.from_floor_s) / span)
        if column not in found or found[column][1] < one.score:
            found[column] = (one.at_floor_s, one.score)
    last = [(one.at_floor_s, one.score) for one in curve.points[-1:]]
    return [*found.values(), *last]
