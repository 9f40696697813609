"""What a year says no to."""

from __future__ import annotations


class YearError(Exception):
    """A year that cannot be run as it is asked for, or that came to an end before its time."""

    code = "year.impossible"
