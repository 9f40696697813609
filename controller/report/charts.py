"""Charts as inline SVG: bars, columns, dots and a stacked balance, coloured by the classes of the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH_PX = 560  # of every chart, in its own units; the page scales it
ROW_PX, BAR_PX = 21, 13
HAN_PX, LATIN_PX = 12.0, 7.2  # of one character of a label, about
LABEL_MAX_PX = 330.0
TICKS = 4  # about so many lines across a chart


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: `value` draws the bar, `text` stands at its end, `mark` is a tick on it, `note` shows on pointing."""

    label: str
    value: float
    text: str
    note: str = ""
    mark: float | None = None
    tone: str = "a"  # a to e: a colour of the page's style sheet


def bars(rows: Sequence[Bar], title: str, *, most: float = 0.0, desc: str = "") -> str:
    """Give horizontal bars from 0 to `most`, or to the largest value."""
    left = min(LABEL_MAX_PX, max((text_px(row.label) for row in rows), default=0.0)) + 8
    right = WIDTH_PX - max((text_px(row.text) for row in rows), default=0.0) - 14
    top = most or max((row.value for row in rows), default=0.0) or 1.0
    scale = (right - left) / top
    parts = [line(left, 0, left, len(rows) * ROW_PX, "axis")]
    for place, row in enumerate(rows):
        parts.append(_bar_row(row, place, left, scale))
    return drawn("".join(parts), len(rows) * ROW_PX + 2, title, desc)


def _bar_row(row: Bar, place: int, left: float, scale: float) -> str:
    y = place * ROW_PX + (ROW_PX - BAR_PX) / 2
    width = max(0.0, row.value * scale)
    base = y + BAR_PX - 2.5
    parts = [
        f"<g><title>{escape(row.note or f'{row.label}: {row.text}')}</title>",
        text_at(left - 6, base, shortened(row.label, LABEL_MAX_PX), "l"),
        f'<rect class="{escape(row.tone)}" x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR_PX}" rx="2"/>',
    ]
    end = width
    if row.mark is not None:
        x = left + row.mark * scale
        parts.append(line(x, y - 2, x, y + BAR_PX + 2, "mark"))
        if width + text_px(row.text) + 12 > row.mark * scale:  # no room between bar and tick
            end = max(width, row.mark * scale)
    parts.append(text_at(left + end + 6, base, row.text, "v"))
    return "".join(parts) + "</g>"


def columns(values: Sequence[float], title: str, *, target: float = 0.0, target_text: str = "") -> str:
    """Give upright columns, numbered from 1 below, with a dashed line at `target`."""
    height, left, bottom = 190.0, 46.0, 20.0
    ticks = nice_ticks(max([*values, target, 1.0]))
    scale = (height - bottom - 10) / ticks[-1]
    base = height - bottom
    parts = []
    for tick in ticks:
        y = base - tick * scale
        parts += [line(left, y, WIDTH_PX, y, "grid"), text_at(left - 6, y + 4, f"{tick:,.0f}", "l")]
    pitch = (WIDTH_PX - left) / max(1, len(values))
    every = ceil(len(values) / 24)
    for place, value in enumerate(values):
        x, width = left + place * pitch + pitch * 0.12, min(pitch * 0.76, 60.0)
        x += (pitch * 0.76 - width) / 2
        parts.append(
            f'<g><title>{place + 1}: {value:,.0f}</title><rect class="a" x="{x:.1f}" y="{base - value * scale:.1f}" '
            f'width="{width:.1f}" height="{value * scale:.1f}" rx="2"/></g>'
        )
        if place % every == 0:
            parts.append(text_at(x + width / 2, height - 5, str(place + 1), "m"))
    if target:
        y = base - target * scale
        parts += [line(left, y, WIDTH_PX, y, "target"), text_at(WIDTH_PX - 2, y - 5, target_text, "l")]
    return drawn("".join(parts), height, title)


def dots(rows: Sequence[Bar], title: str, *, desc: str = "") -> str:
    """Give shares (0 to 1) as dots on an axis that ends at 1 and begins at a whole percent below the least."""
    left = max((text_px(row.label) for row in rows), default=0.0) + 14
    right = WIDTH_PX - 62
    least = min((row.value for row in rows), default=0.99)
    start = max(0.0, floor(least * 100 - 0.5) / 100) if least < 1 else 0.99
    scale = (right - left) / (1.0 - start)
    height = len(rows) * ROW_PX
    parts = []
    for step in range(5):
        share = start + (1.0 - start) * step / 4
        x = left + (share - start) * scale
        parts += [line(x, 0, x, height, "grid"), text_at(x, height + 14, f"{share:.2%}", "m")]
    for place, row in enumerate(rows):
        y, x = (place + 0.5) * ROW_PX, left + (row.value - start) * scale
        parts += [
            f"<g><title>{escape(row.note or row.text)}</title>",
            line(x, y, right, y, "loss"),
            f'<circle class="a" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
            text_at(left - 10, y + 4, row.label, "l") + text_at(right + 10, y + 4, row.text, "v") + "</g>",
        ]
    return drawn("".join(parts), height + 20, title, desc)


def stack(rows: Sequence[Bar], title: str) -> str:
    """Give one bar cut into the rows' values, and below it what each part is."""
    total = sum(row.value for row in rows) or 1.0
    x, parts = 0.0, []
    for row in rows:
        width = WIDTH_PX * row.value / total
        parts.append(
            f"<g><title>{escape(row.label)}: {escape(row.text)}</title>"
            f'<rect class="{escape(row.tone)}" x="{x:.1f}" y="0" width="{width:.1f}" height="26"/></g>'
        )
        x += width
    x, y = 0.0, 44.0
    for row in rows:
        words = f"{row.label} {row.text}"
        if x and x + text_px(words) + 18 > WIDTH_PX:
            x, y = 0.0, y + 18
        parts.append(
            f'<rect class="{escape(row.tone)}" x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" rx="2"/>'
            + text_at(x + 15, y, words, "v")
        )
        x += text_px(words) + 32
    return drawn("".join(parts), y + 8, title)


def nice_ticks(most: float) -> list[float]:
    """Give round numbers from 0 to at least `most`, about TICKS steps."""
    rough = most / TICKS
    power = 10 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * number for number in range(ceil(most / step) + 1)]


def text_px(text: str) -> float:
    """Give about how wide a label is drawn."""
    return sum(HAN_PX if unicodedata.east_asian_width(char) in "WF" else LATIN_PX for char in text)


def shortened(text: str, most_px: float) -> str:
    """Give a label that is not wider than `most_px`: a longer one ends in three dots."""
    if text_px(text) <= most_px:
        return text
    while text and text_px(text) + HAN_PX > most_px:
        text = text[:-1]
    return text.rstrip() + "…"


def text_at(x: float, y: float, text: str, kind: str) -> str:
    """Give a text; `kind` l ends at x, m is centred on it, v begins there."""
    anchor = {"l": "end", "m": "middle", "v": "start"}[kind]
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Give a line of a kind that the page's style knows."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def drawn(inner: str, height: float, title: str, desc: str = "") -> str:
    """Give a chart of what is drawn in it; `title` names it and `desc` says what is to be seen, for who cannot see."""
    told = f"<desc>{escape(desc)}</desc>" if desc else ""
    return (
        f'<svg viewBox="0 0 {WIDTH_PX} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{told}{inner}</svg>"
    )
