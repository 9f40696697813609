"""Calendar days as the wire writes them, `YYYYMMDD`: real ones, ages, and the same day years later."""

from __future__ import annotations

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def are_digits(text: str, count: int) -> bool:
    """Say whether `text` is exactly `count` ASCII digits."""
    return len(text) == count and text.isascii() and text.isdigit()


def is_leap(year: int) -> bool:
    """Say whether a Gregorian year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def is_day(text: str) -> bool:
    """Say whether `text` is a real Gregorian day `YYYYMMDD` of a year from 1 on."""
    if not are_digits(text, 8):
        return False
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    if year == 0 or not 1 <= month <= 12 or day == 0:
        return False
    return day <= _LENGTHS[month - 1] or (month == 2 and day == 29 and is_leap(year))


def age_years(birth: str, day: str) -> int:
    """Give the full years between two real days; negative when `day` lies before `birth`.

    Someone born on 29 February reaches an age on 1 March of a common year.
    Source: GA 214.8-2004 (DOMAIN.md 4.1).
    """
    return int(day[:4]) - int(birth[:4]) - (day[4:] < birth[4:])


def years_later(day: str, years: int) -> str:
    """Give the same month and day `years` later; 29 February becomes 1 March in a common year.

    Source: GA 214.8-2004 (DOMAIN.md 4.1).
    """
    year = int(day[:4]) + years
    tail = "0301" if day[4:] == "0229" and not is_leap(year) else day[4:]
    return f"{year:04d}{tail}"
