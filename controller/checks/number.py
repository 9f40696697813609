"""The citizen identity number (GB 11643-1999): its form, date, age and region, and the sex and birth beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import mul

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.days import age_years, are_digits, is_day
from controller.checks.finding import FINDINGS, Finding
from controller.checks.regions import CITIES_WITHOUT_COUNTIES, PERMIT_CODES

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # ISO 7064 MOD 11-2
CHECK_CHARACTERS = "10X98765432"  # by the weighted sum modulo 11
_ZEROS = ord("0") * sum(WEIGHTS)
_FORM = re.compile("[0-9]{17}[0-9Xx]").fullmatch
MALE, FEMALE = "1", "2"  # GB/T 2261.1


def check_character(digits: str) -> str:
    """Give the 18th character for the first 17 ASCII digits of a number.  Source: GB 11643-1999, ISO 7064."""
    return CHECK_CHARACTERS[(sum(map(mul, WEIGHTS, digits.encode())) - _ZEROS) % 11]


def long_form(short: str) -> str:
    """Give the 18-character form of a 15-digit number, as a hint for the desk.

    Sequences 996 to 999 were kept for people born before 1900.  Source: DOMAIN.md 1.3.
    """
    century = "18" if short[12:] >= "996" else "19"
    digits = f"{short[:6]}{century}{short[6:]}"
    return digits + check_character(digits)


def readable_number(app: Application) -> str:
    """Give the number as 18 characters with a capital X, or "" when its form allows no reading.

    Only the first-generation channel may carry a 15-digit number (DOMAIN.md 1.3).
    """
    number = app.identity_number
    if _FORM(number):
        return number.upper()
    return long_form(number) if app.card_kind == "first" and are_digits(number, 15) else ""


def check_number_form(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a wrong length, alphabet, check character or sequence."""
    number = app.identity_number
    if not number:
        return
    if len(number) != 18:
        if not are_digits(number, 15):
            yield FINDINGS["number.length"]
        elif app.card_kind != "first":
            yield FINDINGS["number.short_form"]
        return
    if not _FORM(number):
        yield FINDINGS["number.alphabet"]
        return
    if number[17] == "x":
        yield FINDINGS["number.lower_x"]
    if number[17].upper() != check_character(number[:17]):
        yield FINDINGS["number.check_character"]
    if number[14:17] == "000":
        yield FINDINGS["number.sequence_zero"]


def check_number_date(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a birth date in the number that is none, lies ahead, or makes the holder too old (DOMAIN.md 11.1)."""
    number = readable_number(app)
    if not number:
        return
    birth = number[6:14]
    if not is_day(birth):
        yield FINDINGS["number.date"]
    elif birth > context.today:
        yield FINDINGS["number.future"]
    elif (age := age_years(birth, context.today)) > context.policy.refuse_age_years:
        yield FINDINGS["number.too_old"]
    elif age > context.policy.note_age_years:
        yield FINDINGS["number.very_old"]


def check_number_region(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a region that never was a county's, or was none in the birth year (DOMAIN.md 1.4, 11.3)."""
    number = readable_number(app)
    if not number:
        return
    code = number[:6]
    region = context.regions.by_code.get(code)
    if code in PERMIT_CODES:
        yield FINDINGS["number.region_permit"]
    elif region is None:
        yield FINDINGS["number.region_unknown"]
    elif region.level == "province":
        yield FINDINGS["number.region_province"]
    elif code in CITIES_WITHOUT_COUNTIES:
        return  # accepted as they are: the notes below are about counties
    elif region.level != "county":
        yield FINDINGS["number.region_group"]
    elif is_day(number[6:14]):
        birth_year = int(number[6:10])
        if region.first_year - birth_year > context.policy.late_region_years:
            yield FINDINGS["number.region_late"]
        if region.last_year < birth_year:
            yield FINDINGS["number.region_early"]


def check_sex(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a sex that is no code for a card, or not that of the number's 17th place (odd is male)."""
    if not app.sex:
        return
    if app.sex not in (MALE, FEMALE):
        yield FINDINGS["sex.unknown"]
        return
    number = readable_number(app)
    if number and (int(number[16]) % 2 == 1) != (app.sex == MALE):
        yield FINDINGS["number.sex"]


def check_birth(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a birth date that is none, or not that of the number."""
    if not app.birth:
        return
    number = readable_number(app)
    if not is_day(app.birth):
        yield FINDINGS["birth.date"]
    if number and number[6:14] != app.birth:
        yield FINDINGS["number.birth"]
