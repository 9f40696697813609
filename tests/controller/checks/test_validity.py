"""Validity: the standard's examples, both 29 February rules, and the start against receipt and birth."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.days import age_years, is_day, years_later
from controller.checks.validity import valid_until
from tests.controller.checks.samples import born, codes, good, number_of

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))


@pytest.mark.parametrize(
    ("birth", "until"),
    [("19931212", "20090327"), ("19811212", "20140327"), ("19731212", "20240327"), ("19531212", "长期")],
)
def test_the_examples_of_the_standard_hold(birth, until):
    assert valid_until(birth, "20040327") == until


@pytest.mark.parametrize(("birth", "until"), [("19900307", "20200307"), ("19530612", "长期")])
def test_the_two_records_of_the_notes_hold(birth, until):
    assert valid_until(birth, "20100307" if until != "长期" else "20040329") == until


def test_born_on_29_february_an_age_is_reached_on_1_march_of_a_common_year():
    assert age_years("19920229", "20180228") == 25
    assert age_years("19920229", "20180301") == 26
    assert age_years("19920229", "20200229") == 28
    assert valid_until("19920229", "20180228") == "20280228"
    assert valid_until("19920229", "20180301") == "20380301"


def test_issued_on_29_february_it_ends_on_1_march_of_a_common_year():
    assert valid_until("19811212", "20040229") == "20140301"
    assert valid_until("19731212", "20040229") == "20240229"


@pytest.mark.parametrize(
    ("age", "years"), [(0, 5), (15, 5), (16, 10), (25, 10), (26, 20), (45, 20), (46, None), (80, None)]
)
def test_each_age_has_its_term(age, years):
    signed = "20250620"
    birthday = years_later(signed, -age)
    day_before_next = years_later("20250621", -age - 1)
    for birth in (birthday, day_before_next):
        assert valid_until(birth, signed) == ("长期" if years is None else years_later(signed, years))


@given(DAYS, DAYS)
def test_ages_agree_with_the_calendar(birth, day):
    age = age_years(birth, day)
    if birth <= day:
        assert years_later(birth, age) <= day < years_later(birth, age + 1)


@given(st.text("0123456789", min_size=8, max_size=8))
def test_a_day_is_one_that_the_calendar_has(text):
    try:
        datetime.datetime.strptime(text, "%Y%m%d").replace(tzinfo=datetime.UTC)
        is_real = True
    except ValueError:
        is_real = False
    assert is_day(text) == is_real


@pytest.mark.parametrize(
    ("text", "is_real"),
    [
        ("20000229", True),
        ("20240229", True),
        ("19000229", False),
        ("21000229", False),
        ("20230229", False),
        ("20240230", False),
        ("20240329", True),
        ("20240331", True),
        ("20240332", False),
        ("20240431", False),
        ("20241231", True),
        ("20241301", False),
        ("20240001", False),
        ("20240100", False),
        ("20240110", True),
        ("00010101", True),
    ],
)
def test_the_edges_of_months_and_leap_years_hold(text, is_real):
    assert is_day(text) is is_real


@pytest.mark.parametrize("text", ["", "2025010", "202501011", "2025-1-1", "２0250101", "2025010²", "00000101"])
def test_anything_else_is_no_day(text):
    assert not is_day(text)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("20260101", []),
        ("20260102", ["validity.from_future"]),
        ("20250101", []),
        ("20241231", ["validity.from_old"]),
        ("20251301", ["validity.from_date"]),
        ("长期", ["validity.from_date"]),
    ],
)
def test_the_start_lies_within_the_year_before_receipt(start, expected):
    until = years_later(start, 20) if is_day(start) else "20451220"
    assert codes(good(valid_from=start, valid_until=until)) == expected


def test_a_card_may_be_signed_on_the_day_of_birth_but_not_before():
    newborn = born("20251220", valid_until="20301220")
    assert codes(newborn) == []
    assert codes(born("20251220", valid_until="20351220")) == ["validity.until"]
    early = born("20251221", valid_until="20301220")
    assert codes(early) == ["validity.from_before_birth"]


@pytest.mark.parametrize("until", ["20451219", "20351220", "长期"])
def test_an_end_that_is_not_the_recomputed_one_is_refused(until):
    assert codes(good(valid_until=until)) == ["validity.until"]


@pytest.mark.parametrize("until", ["2045.12.20", "长久", "20450229", "长期 "])
def test_an_end_that_is_no_date_is_refused_as_such(until):
    assert codes(good(valid_until=until)) == ["validity.until_date"]


def test_the_number_witnesses_the_birth_while_its_check_character_fits():
    # the birth field would make the holder 46, the number says 35
    assert codes(good(birth="19790307")) == ["number.birth"]
    broken = good(identity_number="520102197903071251", birth="19900307")
    assert codes(broken) == ["number.check_character", "number.birth"]
    unreadable = good(identity_number="?", birth="19790307", valid_until="长期")
    assert codes(unreadable) == ["number.length"]


def test_without_any_birth_the_end_is_not_judged():
    nothing = good(identity_number=number_of("520102", "19901307", "125"), birth="?", valid_until="20991220")
    assert codes(nothing) == ["number.date", "birth.date", "number.birth"]
