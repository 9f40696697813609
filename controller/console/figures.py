"""How figures are shown: numbers with separators, and spans of time as people say them."""

from __future__ import annotations

from collections.abc import Mapping

from controller.core.moves import positions_in

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def count(number: int) -> str:
    """Give a count with its thousands apart; identity, acceptance and batch numbers are texts and stay whole."""
    return f"{number:,}".replace(",", "\u202f")


def told(args: Mapping[str, object]) -> dict[str, object]:
    """Give an action's arguments as people read them: positions by their numbers, 1 to 8, where the wire has a mask."""
    mask = args.get("mask")
    if not isinstance(mask, int):
        return dict(args)
    return {**args, "mask": ", ".join(str(one + 1) for one in positions_in(mask))}


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
