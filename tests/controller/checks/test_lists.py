"""Code lists and their fellows: authority, ethnic group, reason and fee, acceptance number, unit, required fields."""

from __future__ import annotations

import dataclasses

import pytest

from controller.application import Application
from controller.checks.named_codes import NAME_UNITS
from controller.checks.reason import FEE_CLASSES, REASONS, fitting_fees
from controller.checks.record import type_findings
from controller.checks.rows import normalised
from tests.controller.checks.samples import born, codes, context, good, number_of


def test_the_authority_is_that_of_the_address_not_of_the_number():
    moved = good(identity_number=number_of("110105", "19900307", "125"))
    assert codes(moved) == []


@pytest.mark.parametrize(
    ("county", "authority", "expected"),
    [
        ("520121", "开阳县公安局", []),
        ("520121", "贵阳市公安局南明分局", ["authority.other_name"]),
        ("520121", "开阳县公安局 ", ["authority.other_name"]),
        ("520199", "开阳县公安局", ["authority.county_unknown"]),
        ("52012", "开阳县公安局", ["authority.county_unknown"]),
        ("520121", "开阳县公安局\u200b", ["authority.character", "authority.other_name"]),
        ("520121", "开" * 15, ["authority.other_name"]),
        ("520121", "开" * 16, ["authority.too_long", "authority.other_name"]),
        ("520199", "开" * 16, ["authority.county_unknown", "authority.too_long"]),
    ],
)
def test_an_authority_is_compared_with_its_countys_entry(county, authority, expected):
    assert codes(good(address_county=county, authority=authority)) == expected


@pytest.mark.parametrize("name", ["样" * 16, "样" * 14 + "\U00020000"])
def test_an_authority_over_fifteen_places_is_refused_though_the_table_has_it(name):
    long = dataclasses.replace(context(), authorities={"520121": name})
    assert codes(good(address_county="520121", authority=name), long) == ["authority.too_long"]


def test_a_centre_brings_its_own_authorities():
    own = dataclasses.replace(context(), authorities={"110101": "北京市公安局东城分局"})
    application = good(address_county="110101", authority="北京市公安局东城分局")
    assert codes(application, own) == []
    assert codes(good(), own) == ["authority.county_unknown"]


@pytest.mark.parametrize("code", [f"{number:02d}" for number in range(1, 57)] + ["97", "98"])
def test_each_ethnic_code_of_the_standard_is_taken(code):
    assert codes(good(ethnic=code)) == []


@pytest.mark.parametrize("code", ["00", "59", "96", "99", "1", "汉", "０１"])
def test_any_other_ethnic_code_is_refused(code):
    assert codes(good(ethnic=code)) == ["ethnic.unknown"]


def test_what_is_noted_for_its_form_is_made_in_the_standard_form():
    sent = good(ethnic="58", identity_number=good().identity_number[:17] + "x")
    made = normalised(sent)
    assert (made.ethnic, made.identity_number[17]) == ("98", "X")
    assert normalised(good(ethnic="57")).ethnic == "97"
    assert normalised(good(identity_number=sent.identity_number)).identity_number == made.identity_number
    assert (sent.ethnic, sent.identity_number[17]) == ("58", "x")
    assert normalised(made) == made


@pytest.mark.parametrize("sex", ["0", "9", "3", "M", "男", "１"])
def test_a_sex_that_is_not_for_a_card_is_refused(sex):
    assert codes(good(sex=sex)) == ["sex.unknown"]


def test_first_applications_fit_the_age_on_the_signing_day():
    sixteen_tomorrow = born("20091221", reason="11", fee_class="free_first", valid_until="20301220")
    sixteen_today = born("20091220", reason="12", fee_class="free_first", valid_until="20351220")
    assert codes(sixteen_tomorrow) == []
    assert codes(sixteen_today) == []
    swapped = born("20091221", reason="12", fee_class="free_first", valid_until="20301220")
    assert codes(swapped) == ["reason.age"]


@pytest.mark.parametrize(
    ("reason", "signed", "fees"),
    [
        ("12", "20180331", {"standard", "reduced", "exempt"}),
        ("12", "20180401", {"free_first", "reduced", "exempt"}),
        ("16", "20180401", {"free_first", "standard", "reduced", "exempt"}),
        ("21", "20250101", {"standard", "reduced", "exempt"}),
        ("22", "20250101", {"standard", "reduced", "exempt"}),
        ("31", "20250101", {"loss"}),
        ("41", "20040101", {"loss"}),
    ],
)
def test_the_fee_fits_the_reason_and_the_day(reason, signed, fees):
    assert fitting_fees(reason, signed) == fees


@pytest.mark.parametrize("reason", [code for code in REASONS if code not in ("11", "12")])
@pytest.mark.parametrize("fee", sorted(FEE_CLASSES))
def test_a_fee_that_does_not_fit_is_only_noted(reason, fee):
    expected = [] if fee in fitting_fees(reason, "20251220") else ["reason.fee_mismatch"]
    assert codes(good(reason=reason, fee_class=fee)) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("5201020012026010100001", []),
        ("5201020012026010200001", ["acceptance.date"]),
        ("5201020012025022900001", ["acceptance.date"]),
        ("5201020012025122000000", ["acceptance.sequence"]),
        ("5201020012025133200000", ["acceptance.date", "acceptance.sequence"]),
        ("520102001202512200000", ["acceptance.form"]),
        ("52010200120251220000012", ["acceptance.form"]),
        ("5201020012025122000００1", ["acceptance.form"]),
        ("520102001 025122000001", ["acceptance.form"]),
    ],
)
def test_an_acceptance_number_is_region_station_date_and_sequence(number, expected):
    assert codes(good(acceptance_number=number)) == expected


def test_a_county_newer_than_the_region_table_may_accept_when_the_authorities_name_it():
    number = {"acceptance_number": "5299990012025122000001", "unit": "529999001"}
    assert codes(good(**number)) == ["acceptance.region"]
    newer = dataclasses.replace(context(), authorities={**context().authorities, "529999": "新县公安局"})
    assert codes(good(**number), newer) == []


@pytest.mark.parametrize("unit", ["52010200", "5201020011", "52010200a", "５20102001"])
def test_a_unit_is_nine_digits(unit):
    assert codes(good(unit=unit)) == ["unit.form"]


def test_an_empty_application_names_every_field_and_nothing_else():
    found = codes(Application())
    assert len(found) == len(Application.__struct_fields__)
    assert all(code.startswith("missing.") or code == "portrait.missing" for code in found)


def test_all_wrong_types_of_a_record_are_named():
    record = {"name": 3, "sex": None, "portrait": "text", "unknown": 1, "unit": "520102001"}
    assert [finding.field for finding in type_findings(record)] == ["name", "sex", "portrait"]
    assert type_findings({}) == []


@pytest.mark.parametrize("record", [None, 1, "text", b"bytes", [], [{}]])
def test_what_is_no_map_cannot_be_read(record):
    assert [finding.code for finding in type_findings(record)] == ["record.unreadable"]


def test_the_shipped_authorities_fit_the_chip_record():
    assert len(context().authorities) == 60
    assert max(map(len, context().authorities.values())) <= NAME_UNITS
    assert all(context().regions.by_code[county].level == "county" for county in context().authorities)
