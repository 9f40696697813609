"""A strip of states as inline SVG: what a station did, hour by hour, coloured by the classes of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from html import escape

from controller.report.charts import line, text_at
from controller.trace.states import Stretch

WIDTH_PX, STRIP_PX, COLUMN_PX = 960, 34, 2
HOUR_S = 3_600.0
HOURS_MARKED = 3


def strip(stretches: Sequence[Stretch], title: str, word: Callable[[str], str], clock: Callable[[float], str]) -> str:
    """Give the strip; columns of 2 px show what was most of their time, so that it never has more than 480 parts.

    `word` gives what a state is called, `clock` the time of an hour.  The classes are `s-` and the state's name.
    """
    if not stretches:
        return ""
    begin, end = stretches[0].begin_floor_s, stretches[-1].end_floor_s
    shares: dict[str, float] = defaultdict(float)
    for one in stretches:
        shares[one.state] += (one.end_floor_s - one.begin_floor_s) / (end - begin)
    parts = [_part(begin, end, *run, word) for run in _runs(stretches, begin, end)]
    hour = (begin // HOUR_S + 1) * HOUR_S
    while hour < end:
        if hour % (HOURS_MARKED * HOUR_S) == 0:
            x = WIDTH_PX * (hour - begin) / (end - begin)
            parts += [line(x, STRIP_PX, x, STRIP_PX + 5, "axis"), text_at(x, STRIP_PX + 17, clock(hour), "m")]
        hour += HOUR_S
    told = ", ".join(f"{word(state)} {share:.0%}" for state, share in sorted(shares.items(), key=lambda one: -one[1]))
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH_PX} {STRIP_PX + 22}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc>{''.join(parts)}</svg>"
    )


def _runs(stretches: Sequence[Stretch], begin: float, end: float) -> list[tuple[str, int, int]]:
    """Give (state, first column, column after the last)."""
    count = WIDTH_PX // COLUMN_PX
    columns: list[dict[str, float]] = [defaultdict(float) for _ in range(count)]
    for one in stretches:
        left, right = (count * (at - begin) / (end - begin) for at in (one.begin_floor_s, one.end_floor_s))
        for column in range(int(left), min(count, int(right) + 1)):
            columns[column][one.state] += min(right, column + 1.0) - max(left, float(column))
    runs: list[tuple[str, int, int]] = []
    for place, shown in enumerate(columns):
        state = max(sorted(shown), key=shown.__getitem__) if shown else ""
        if runs and runs[-1][0] == state:
            runs[-1] = (state, runs[-1][1], place + 1)
        else:
            runs.append((state, place, place + 1))
    return runs


def _part(begin: float, end: float, state: str, first: int, after: int, word: Callable[[str], str]) -> str:
    x, width = first * COLUMN_PX, (after - first) * COLUMN_PX
    minutes = (end - begin) * (after - first) * COLUMN_PX / WIDTH_PX / 60
    return (
        f'<rect class="s-{escape(state or "unknown")}" x="{x}" y="0" width="{width}" height="{STRIP_PX}">'
        f"<title>{escape(word(state))} {minutes:.0f} min</title></rect>"
    )
