"""How figures are shown: numbers with separators, and spans of time as people say them."""

from __future__ import annotations

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def count(number: int) -> str:
    """Give a count with its thousands apart; identity, acceptance and batch numbers are texts and stay whole."""
    return f"{number:,}".replace(",", "\u202f")


def age(seconds: float) -> str:
    """Give a span of floor time: `45 s`, `12 min`, `3 h 05`, `4 d 07 h`."""
    whole = max(0, int(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < DAY_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S:02d}"
    return f"{whole // DAY_S} d {whole % DAY_S // HOUR_S:02d} h"
