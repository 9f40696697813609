"""The identity number: the standard's vectors, the guarantee of its check character, regions, ages, sex and birth."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.codes import Severity
from controller.checks.finding import verdict
from controller.checks.number import (
    check_character,
    check_number_date,
    check_number_form,
    check_number_region,
    long_form,
)
from controller.checks.policy import Policy
from tests.controller.checks.samples import born, codes, context, good, number_of

VECTORS = list(csv.DictReader((Path(__file__).parent / "tables" / "numbers.csv").open(encoding="utf-8")))
GIVEN = Path(__file__).resolve().parents[3].parent / "shared/reference/gb11643_vectors.csv"
AGELESS = dataclasses.replace(context(), policy=Policy(note_age_years=9_999, refuse_age_years=9_999))
EXPECTED = {"accept": Severity.OK, "accept_warn": Severity.NOTE, "normalise": Severity.NOTE}
DIGITS = st.text("0123456789", min_size=17, max_size=17)


def structure_of(number):
    application = good(identity_number=number)
    checks = (check_number_form, check_number_date, check_number_region)
    return [finding for check in checks for finding in check(application, AGELESS)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["why"])
def test_each_vector_gets_its_verdict(vector):
    assert verdict(structure_of(vector["number"])) is EXPECTED.get(vector["expect"], Severity.REFUSE)


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("convert", "number.short_form"),
        ("reject_check", "number.check_character"),
        ("reject_len", "number.short_form"),
        ("normalise", "number.lower_x"),
        ("reject_region_for_resident", "number.region_permit"),
    ],
)
def test_each_kind_of_vector_gets_the_code_that_says_why(expect, code):
    numbers = [vector["number"] for vector in VECTORS if vector["expect"] == expect]
    assert numbers
    assert all([finding.code for finding in structure_of(number)] == [code] for number in numbers)


def test_there_are_21_vectors():
    assert len(VECTORS) == 21


def test_the_printed_examples_have_their_check_characters():
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"


@given(DIGITS)
def test_the_check_character_is_that_of_the_recursive_form(digits):
    product = 0
    for digit in digits:
        product = (product + int(digit)) * 2 % 11
    assert check_character(digits) == "0123456789X"[(12 - product) % 11]


@given(DIGITS, st.integers(0, 17), st.integers(1, 10))
def test_every_single_wrong_character_is_found(digits, at, step):
    number = digits + check_character(digits)
    alphabet = "0123456789X" if at == 17 else "0123456789"
    wrong = alphabet[(alphabet.index(number[at]) + step) % len(alphabet)]
    changed = number[:at] + wrong + number[at + 1 :]
    is_found = "number.check_character" in [finding.code for finding in structure_of(changed)]
    assert is_found == (changed != number)


@given(DIGITS, st.integers(0, 15))
def test_every_swap_of_neighbours_is_found(digits, at):
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    codes_found = [finding.code for finding in structure_of(swapped + check_character(digits))]
    assert ("number.check_character" in codes_found) == (swapped != digits)


@pytest.mark.parametrize(
    "number",
    [
        "５20102199003071250",
        "52010219900307 250",
        " 2010219900307125X",
        "520102199003071２50"[:18],
        "52010219900307125Х",  # a Cyrillic letter
        "X20102199003071250",
        "52010219900307125\ud800",
    ],
)
def test_full_width_digits_spaces_and_other_letters_are_refused(number):
    assert codes(good(identity_number=number)) == ["number.alphabet"]


@pytest.mark.parametrize(
    ("short", "long"),
    [("110105491231002", "11010519491231002X"), ("110105491231996", number_of("110105", "18491231", "996"))],
)
def test_the_long_form_of_a_short_number_takes_its_century_from_the_sequence(short, long):
    assert long_form(short) == long


def test_a_first_generation_card_may_carry_a_short_number_whose_date_sex_and_region_still_count():
    short = {"card_kind": "first", "identity_number": "520102900307125"}
    assert codes(good(**short)) == []
    assert codes(good(**short, sex="2")) == ["number.sex"]
    assert codes(good(**short | {"identity_number": "520102901307125"})) == ["number.date", "number.birth"]
    assert codes(good(**short | {"identity_number": "999999900307125"})) == ["number.region_unknown"]


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        ("19150102", []),  # 110
        ("19150101", ["number.very_old"]),  # 111 today
        ("18950102", ["number.very_old"]),  # 130
        ("18950101", ["number.too_old"]),  # 131 today
    ],
)
def test_the_age_is_noted_over_110_and_refused_over_130(birth, expected):
    assert [code for code in codes(born(birth, valid_until="长期")) if code.startswith("number.")] == expected


def test_the_age_limits_are_the_centres_choice():
    strict = dataclasses.replace(context(), policy=Policy(note_age_years=20, refuse_age_years=30))
    assert codes(good(), strict) == ["number.too_old"]


def test_someone_born_on_the_day_of_receipt_is_no_fault():
    today = context().today
    assert codes(born(today, valid_from=today, valid_until="20310101")) == []


def test_a_short_number_of_a_second_generation_card_is_not_read_further():
    assert codes(good(identity_number="520102901307124")) == ["number.short_form"]


@pytest.mark.parametrize("code", ["441900", "442000", "460400", "620200"])
def test_cities_without_counties_have_numbers_of_their_own(code):
    number = number_of(code, "20160307", "125")
    assert codes(good(identity_number=number, birth="20160307", valid_until="20301220")) == []


@pytest.mark.parametrize("code", ["820000", "830000", "710000", "000000"])
def test_no_other_province_level_code_passes(code):
    assert codes(good(identity_number=number_of(code, "19900307", "125")))[0].startswith("number.region_")


def test_a_grouping_code_is_held():
    assert codes(good(identity_number=number_of("130101", "19900307", "125"))) == ["number.region_group"]


def test_where_the_sources_disagree_about_the_end_of_a_code_the_later_year_counts():
    # 371202: one source ends in 2017, the other lists it until 2019
    for birth, expected in (("20190307", []), ("20200307", ["number.region_early"])):
        application = good(identity_number=number_of("371202", birth, "125"), birth=birth, valid_until="20301220")
        assert codes(application) == expected


def test_a_code_may_begin_forty_years_after_the_birth_but_not_more():
    # 520115 began in 2011 or 2012
    for birth, expected in (("19710307", []), ("19700307", ["number.region_late"])):
        application = good(identity_number=number_of("520115", birth, "125"), birth=birth, valid_until="长期")
        assert codes(application) == expected


def test_all_faults_of_a_number_are_told_at_once():
    wrong = number_of("999999", "19901307", "000")[:17] + "?"
    assert codes(good(identity_number=wrong)) == ["number.alphabet"]
    digits = "99999919901307000"
    other = next(character for character in "0123456789" if character != check_character(digits))
    assert codes(good(identity_number=digits + other)) == [
        "number.check_character",
        "number.sequence_zero",
        "number.date",
        "number.region_unknown",
        "number.sex",
        "number.birth",
    ]


@pytest.mark.parametrize("code", ["441900", "442000", "460400", "620200"])
def test_the_four_cities_without_counties_are_taken_whatever_the_birth_year(code):
    # 460400 began in 2015
    for birth, until in (("19500307", "长期"), ("19900307", "20451220")):
        application = good(identity_number=number_of(code, birth, "125"), birth=birth, valid_until=until)
        assert codes(application) == []


@pytest.mark.skipif(not GIVEN.exists(), reason=f"the folder shared/ is not beside this checkout: {GIVEN.name}")
def test_the_vectors_are_those_that_the_project_was_given():
    assert list(csv.DictReader(GIVEN.read_text("utf-8").splitlines())) == VECTORS
