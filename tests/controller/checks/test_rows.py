"""The list of checks as a whole: good applications of every sort pass, and one changed field is found and named."""

from __future__ import annotations

import ast
import datetime
import inspect
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.application import Application
from controller.checks.codes import Severity
from controller.checks.days import age_years
from controller.checks.finding import Finding, verdict
from controller.checks.reason import FREE_FIRST_FROM, FREE_FIRST_REASONS, fitting_fees
from controller.checks.rows import CHECKS, check_application
from controller.checks.validity import valid_until
from tests.controller.checks.samples import TODAY, codes, context, good, number_of, portrait

COUNTIES = sorted(context().authorities)
OLD_COUNTIES = [code for code in COUNTIES if context().regions.by_code[code].first_year < 1985]
DIGIT_PLACES = st.integers(0, 16)


def day_between(first, last):
    return st.dates(first, last).map(lambda day: day.strftime("%Y%m%d"))


@st.composite
def people(draw):
    """Draw a good application: any age, sex, county, name, validity and a reason that fits."""
    birth = draw(day_between(datetime.date(1930, 1, 1), datetime.date(2024, 12, 31)))
    signed = draw(day_between(datetime.date(2025, 1, 1), datetime.date(2026, 1, 1)))
    county, lived = draw(st.sampled_from(OLD_COUNTIES)), draw(st.sampled_from(COUNTIES))
    sequence = draw(st.integers(1, 999))
    first = "12" if age_years(birth, signed) >= 16 else "11"
    reason = draw(st.sampled_from([first, "13", "14", "15", "16", "21", "22", "31", "41"]))
    station = f"{lived}{draw(st.integers(1, 999)):03d}"
    ideographs = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
    return Application(
        acceptance_number=f"{station}{signed}{draw(st.integers(1, 99_999)):05d}",
        card_kind=draw(st.sampled_from(["second", "first"])),
        identity_number=number_of(county, birth, f"{sequence:03d}"),
        name=draw(st.text(ideographs, min_size=2, max_size=15)),
        sex="1" if sequence % 2 else "2",
        ethnic=draw(st.sampled_from(sorted(context().ethnic))),
        birth=birth,
        address=draw(st.text(ideographs | st.sampled_from("019AZaz-#()/"), min_size=1, max_size=35)),
        address_county=lived,
        authority=context().authorities[lived],
        valid_from=signed,
        valid_until=valid_until(birth, signed),
        reason=reason,
        production_type=draw(st.sampled_from("12")),
        fee_class=draw(st.sampled_from(sorted(fitting_fees(reason, signed)))),
        unit=station,
        portrait=portrait(),
    )


@given(people())
def test_a_good_application_has_no_finding(application):
    assert codes(application) == []


@given(people(), DIGIT_PLACES, st.integers(1, 9))
def test_one_wrong_digit_of_a_number_is_always_found(application, at, step):
    number = application.identity_number
    wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    changed = codes(good(**fields(application) | {"identity_number": wrong}))
    assert "number.check_character" in changed


def fields(application):
    return {name: getattr(application, name) for name in Application.__struct_fields__}


@given(people(), st.sampled_from(["1", "2"]))
def test_another_sex_is_found_on_the_sex(application, sex):
    found = check_application(good(**fields(application) | {"sex": sex}), context())
    expected = [] if sex == application.sex else [("number.sex", "sex")]
    assert [(finding.code, finding.field) for finding in found] == expected


@given(people(), st.sampled_from(COUNTIES))
def test_another_county_is_found_on_the_authority(application, county):
    changed = codes(good(**fields(application) | {"address_county": county}))
    is_same = context().authorities[county] == application.authority
    assert changed == ([] if is_same else ["authority.other_name"])


@given(people(), st.integers(-4_000, 4_000).filter(bool))
def test_another_end_of_validity_is_found(application, days):
    if application.valid_until == "长期":
        moved = datetime.date(2046, 1, 1)
    else:
        moved = datetime.datetime.strptime(application.valid_until, "%Y%m%d").date()  # noqa: DTZ007 (a calendar day)
    until = (moved + datetime.timedelta(days=days)).strftime("%Y%m%d")
    assert codes(good(**fields(application) | {"valid_until": until})) == ["validity.until"]


@given(people(), st.sampled_from(Application.__struct_fields__))
def test_an_emptied_field_is_found_on_that_field(application, name):
    empty = b"" if name == "portrait" else ""
    found = check_application(good(**fields(application) | {name: empty}), context())
    assert name in [finding.field for finding in found]
    assert {finding.field for finding in found} == {name}


TEXTS = st.text(max_size=40) | st.text("0123456789Xx", max_size=25)


@given(
    st.fixed_dictionaries({name: TEXTS for name in Application.__struct_fields__ if name != "portrait"}),
    st.binary(max_size=200),
)
def test_any_application_is_answered_with_codes_of_the_table_each_once(texts, picture):
    found = check_application(Application(**texts, portrait=picture), context())
    assert len(found) == len(set(found))
    assert all(isinstance(finding, Finding) and finding.field in Application.__struct_fields__ for finding in found)


def test_a_free_first_application_is_free_from_its_day_on():
    assert FREE_FIRST_FROM < TODAY
    assert all("free_first" in fitting_fees(reason, TODAY) for reason in FREE_FIRST_REASONS)


def test_a_context_moves_to_another_day_with_everything_else():
    yesterday = context().on("20251231")
    assert yesterday.regions is context().regions
    assert codes(good(valid_from="20260101", valid_until="20460101"), yesterday) == ["validity.from_future"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_says_what_it_finds_and_is_pure(check):
    assert check.__doc__
    module = sys.modules[check.__module__]
    imported = {
        alias.name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not imported & {"time", "random", "datetime", "os", "pathlib"}
    assert list(check(good(), context())) == list(check(good(), context())) == []


def test_a_record_made_to_be_slow_is_answered_in_milliseconds():
    long = "\U00020000·" * 600_000
    tables = b"\xff\xc4\xff\xff" + (b"\x03" + b"\x01" + b"\0" * 16) * 3_640 + b"\0" * 13
    restarts = b"\xff\xdd\x00\x04\x00\x01" + portrait()[2:-2] + b"\xff\xd0" * 180_000 + b"\xff\xd9"
    texts = {name: long for name in Application.__struct_fields__ if name != "portrait"}
    for picture in (b"\xff\xd8" + tables * 6, b"\xff\xd8" + restarts, b"\xff\xd8" + b"\xff\xd0" * 1_700_000):
        begun_s = time.process_time()
        found = check_application(Application(**texts, portrait=picture), context())
        assert time.process_time() - begun_s < 0.1
        assert verdict(found) is Severity.REFUSE
