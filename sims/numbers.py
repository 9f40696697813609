"""Citizen identity numbers, composed; the centre's checks take them apart by another formula."""

from __future__ import annotations

_SERIES = 1_000


def compose_number(region: str, birth: str, sequence: int) -> str:
    """Give the 18 characters for a region code, a birth date `YYYYMMDD` and a sequence of 0 to 999."""
    if not 0 <= sequence < _SERIES:
        raise ValueError(f"sequence {sequence}: 0 to {_SERIES - 1}")
    digits = f"{region}{birth}{sequence:03d}"
    return digits + check_character(digits)


def check_character(digits: str) -> str:
    """Give `0` to `9` or `X` for the first seventeen digits.  Source: ISO 7064 MOD 11-2, the recursive form."""
    rest = 0
    for digit in digits:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]
