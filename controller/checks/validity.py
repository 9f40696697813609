"""Validity (law of 2003, article 5; GA 214.8-2004): the start as signed, the end recomputed from it and the birth."""

from __future__ import annotations

from collections.abc import Iterator

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.days import age_years, is_day, years_later
from controller.checks.finding import FINDINGS, Finding
from controller.checks.number import check_character, readable_number

LONG_TERM = "长期"
# (age on the signing day below which it holds, years valid); from 46 on a card is long-term.
TERMS = ((16, 5), (26, 10), (46, 20))


def valid_until(birth: str, signed: str) -> str:
    """Give the end of validity, `YYYYMMDD` or `长期`, of a card signed on `signed` for someone born on `birth`.

    Args: two real days, `birth` not after `signed`.
    Source: GA 214.8-2004; both 29 February rules (DOMAIN.md 4.1).
    """
    age = age_years(birth, signed)
    for below, years in TERMS:
        if age < below:
            return years_later(signed, years)
    return LONG_TERM


def birth_of(app: Application) -> str:
    """Give the birth date the other fields are judged by, "" when none can be read.

    A number whose check character fits is the better witness; otherwise the birth field.
    """
    number = readable_number(app)
    if number and is_day(number[6:14]) and number[17] == check_character(number[:17]):
        return number[6:14]
    return app.birth if is_day(app.birth) else ""


def check_valid_from(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a start that is no date, lies after the receipt, before the birth, or long ago (DOMAIN.md 11.10)."""
    start = app.valid_from
    if not start:
        return
    if not is_day(start):
        yield FINDINGS["validity.from_date"]
        return
    if start > context.today:
        yield FINDINGS["validity.from_future"]
    elif context.today > years_later(start, 1):
        yield FINDINGS["validity.from_old"]
    if start < birth_of(app):
        yield FINDINGS["validity.from_before_birth"]


def check_valid_until(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an end that is no date, or not the one that start and birth give."""
    end, start = app.valid_until, app.valid_from
    if not end:
        return
    if end != LONG_TERM and not is_day(end):
        yield FINDINGS["validity.until_date"]
        return
    birth = birth_of(app)
    if birth and is_day(start) and birth <= start and end != valid_until(birth, start):
        yield FINDINGS["validity.until"]
