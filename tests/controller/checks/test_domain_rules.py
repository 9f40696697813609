"""A reader's table of the domain notes, sections 1 to 6 and 11: each rule, an application that breaks it, the verdict.

Verdict, field and group are read off the notes, never off the table of codes.
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from controller.checks.finding import verdict
from controller.checks.rows import check_application
from controller.intake.examination import pixel_findings
from tests.controller.checks.pictures import WRONG_FILES
from tests.controller.checks.samples import born, context, good, number_of, with_x

OK, NOTE, HOLD, REFUSE = "ok", "note", "hold", "refuse"
NUMBER, NAMES, VALIDITY, REASON, STRUCTURE, PORTRAIT = "number", "names", "validity", "reason", "structure", "portrait"
ID = "identity_number"


def of(region="520102", birth="19900307", sequence="125", **changes):
    return {ID: number_of(region, birth, sequence), "birth": birth} | changes


def aged(birth, **changes):
    return of(birth=birth, valid_until="长期", reason="41", fee_class="loss", **changes)


def child(birth, region="520102"):
    return of(region, birth, valid_until="20301220", reason="41", fee_class="loss")


RULES = [
    # 1.1, 1.2, 1.5, 11.1, 11.2: form, date, age of the number
    ("1.1 17 characters", {ID: "52010219900307125"}, REFUSE, ID, NUMBER),
    ("1.1 19 characters", {ID: number_of("520102", "19900307", "125") + "0"}, REFUSE, ID, NUMBER),
    ("1.1 a real date", of(birth="20010229"), REFUSE, ID, NUMBER),
    ("1.1 a leap day", of(birth="20000229", valid_until="20351220"), None, ID, NUMBER),
    ("1.1 1900 was no leap year", of(birth="19000229"), REFUSE, ID, NUMBER),
    ("1.1 the sex of the number", {"sex": "2"}, REFUSE, "sex", NUMBER),
    ("1.1 sequence 000", of(sequence="000", sex="2"), NOTE, ID, NUMBER),
    ("1.2 the check character", {ID: "520102199003071251"}, REFUSE, ID, NUMBER),
    ("1.3 15 digits", {ID: "520102900307125"}, REFUSE, ID, NUMBER),
    ("1.5 another birth than the number", {"birth": "19900308"}, REFUSE, "birth", NUMBER),
    ("11.1 born after the receipt", of(birth="20260102"), REFUSE, ID, NUMBER),
    ("11.1 131 years", aged("18941231"), REFUSE, ID, NUMBER),
    ("11.1 130 years", aged("18960101"), NOTE, ID, NUMBER),
    ("11.1 111 years", aged("19150101"), NOTE, ID, NUMBER),
    ("11.1 110 years", aged("19150102"), OK, ID, NUMBER),
    ("11.2 lower-case x", {ID: with_x("520102", "19900307").lower()}, NOTE, ID, NUMBER),
    ("11.2 full-width digits", {ID: "５" + number_of("520102", "19900307", "125")[1:]}, REFUSE, ID, NUMBER),
    ("11.2 a space", {ID: "52010219900307125 "}, REFUSE, ID, NUMBER),
    ("11.2 another letter", {ID: "52010219900307125A"}, REFUSE, ID, NUMBER),
    ("11.2 full-width X", {ID: with_x("520102", "19900307")[:17] + "Ｘ"}, REFUSE, ID, NUMBER),
    # 1.4, 11.3: regions
    ("1.4 an abolished county", of("110103", "19750615", valid_until="长期"), OK, ID, NUMBER),
    ("1.4 abolished before the birth", child("20120615", "110103"), NOTE, ID, NUMBER),
    ("1.4 created over 40 years after", aged("19600307", region="520115"), NOTE, ID, NUMBER),
    ("1.4 a city without counties", of("441900"), OK, ID, NUMBER),
    ("1.4 a prefecture", of("520100"), HOLD, ID, NUMBER),
    ("1.4 a grouping row", of("110100"), HOLD, ID, NUMBER),
    ("1.4 a province", of("520000"), REFUSE, ID, NUMBER),
    ("1.4 Taiwan's province code", of("710000"), REFUSE, ID, NUMBER),
    ("1.4 not in the table", of("999999"), REFUSE, ID, NUMBER),
    ("1.4 a residence permit", of("810000"), REFUSE, ID, NUMBER),
    # 4.1, 11.10: validity
    ("4.1 the end is recomputed", {"valid_until": "20451221"}, REFUSE, "valid_until", VALIDITY),
    ("4.1 long-term under 46", {"valid_until": "长期"}, REFUSE, "valid_until", VALIDITY),
    ("4.1 a date from 46", of(birth="19700307"), REFUSE, "valid_until", VALIDITY),
    ("4.1 the end is a date", {"valid_until": "20450230"}, REFUSE, "valid_until", VALIDITY),
    (
        "11.10 start after the receipt",
        {"valid_from": "20260102", "valid_until": "20460102"},
        REFUSE,
        "valid_from",
        VALIDITY,
    ),
    (
        "11.10 start on the day of receipt",
        {"valid_from": "20260101", "valid_until": "20460101"},
        OK,
        "valid_from",
        VALIDITY,
    ),
    ("11.10 start before the birth", {"valid_from": "19900306"}, REFUSE, "valid_from", VALIDITY),
    ("11.10 more than a year", {"valid_from": "20241231", "valid_until": "20441231"}, NOTE, "valid_from", VALIDITY),
    ("11.10 a year", {"valid_from": "20250101", "valid_until": "20450101"}, OK, "valid_from", VALIDITY),
    # 4.2, 11.5: the authority
    ("11.5 a county without an entry", {"address_county": "110101"}, REFUSE, "address_county", VALIDITY),
    ("11.5 over 15 units", {"authority": "样" * 16}, REFUSE, "authority", VALIDITY),
    ("11.5 another name", {"authority": "贵阳市公安局"}, HOLD, "authority", VALIDITY),
    # 11.4: codes
    *((f"11.4 sex {code}", {"sex": code}, REFUSE, "sex", STRUCTURE) for code in ("0", "9", "3", "男")),
    *((f"11.4 ethnic {code}", {"ethnic": code}, REFUSE, "ethnic", STRUCTURE) for code in ("00", "59", "96", "99")),
    *((f"11.4 ethnic {code}", {"ethnic": code}, NOTE, "ethnic", STRUCTURE) for code in ("57", "58")),
    *((f"11.4 ethnic {code}", {"ethnic": code}, OK, "ethnic", STRUCTURE) for code in ("01", "56", "97", "98")),
    *((f"11.6 reason {code}", {"reason": code}, REFUSE, "reason", REASON) for code in ("10", "17", "23", "42", "x")),
    ("11.4 production type", {"production_type": "3"}, REFUSE, "production_type", REASON),
    ("11.4 fee class", {"fee_class": "gift"}, REFUSE, "fee_class", REASON),
    ("11.4 acceptance number", {"acceptance_number": "52010200120251220000"}, REFUSE, "acceptance_number", STRUCTURE),
    ("5.5 its date", {"acceptance_number": "5201020012025023000001"}, REFUSE, "acceptance_number", STRUCTURE),
    ("5.5 its sequence", {"acceptance_number": "5201020012025122000000"}, REFUSE, "acceptance_number", STRUCTURE),
    ("11.4 unit", {"unit": "52010200"}, REFUSE, "unit", STRUCTURE),
    ("11.11 another place", {"unit": "520103001"}, NOTE, "unit", STRUCTURE),
    *(
        (f"11.4 {field} is empty", {field: ""}, REFUSE, field, STRUCTURE)
        for field in ("acceptance_number", ID, "name", "address", "authority", "address_county", "unit", "reason")
    ),
    # 11.6: reasons and fees
    ("11.6 11 from 16 on", {"reason": "11", "fee_class": "free_first"}, HOLD, "reason", REASON),
    ("11.6 12 under 16", child("20150307") | {"reason": "12", "fee_class": "free_first"}, HOLD, "reason", REASON),
    ("11.6 a loss is no renewal", {"fee_class": "loss"}, NOTE, "fee_class", REASON),
    ("11.6 free is for the first", {"fee_class": "free_first"}, NOTE, "fee_class", REASON),
    ("11.6 a loss costs", {"reason": "41"}, NOTE, "fee_class", REASON),
    *((f"11.6 {fee}", {"fee_class": fee}, OK, "fee_class", REASON) for fee in ("standard", "reduced", "exempt")),
]

NAME_RULES = [
    *((f"U+{point:04X}", f"样{chr(point)}", OK) for point in (0x4E00, 0x9FA5, 0x3007)),
    *((f"U+{point:04X} has a glyph", f"样{chr(point)}", OK) for point in (0x3400, 0x9FA6, 0xFA0E)),
    *((f"U+{point:04X} has none", f"样{chr(point)}", HOLD) for point in (0x4DBF, 0x9FEA, 0xFA29)),
    ("four dots", "样·例·样·例·样", OK),
    ("five dots", "样·例·样·例·样·例", REFUSE),
    *((f"dot in {name}", name, REFUSE) for name in ("·样例", "样例·", "样··例")),
    *((f"look-alike U+{point:04X}", f"样{chr(point)}例", REFUSE) for point in (0x2022, 0x2027, 0x2E31, 0x30FB, 0xFF0E)),
    *((f"look-alike U+{point:04X}", f"样{chr(point)}例", REFUSE) for point in (0xFF65, 0x002E)),
    *((f"beyond U+{point:04X}", f"样{chr(point)}", HOLD) for point in (0x20000, 0x2A6D6, 0x2CEB0, 0x2F800, 0x30000)),
    *(
        (f"private U+{point:04X}", f"样{chr(point)}", HOLD)
        for point in (0xE000, 0xF8FF, 0xE81E, 0xE826, 0xE82B, 0xE82C)
    ),
    *((f"private U+{point:04X}", f"样{chr(point)}", HOLD) for point in (0xE832, 0xE843, 0xE854, 0xE864)),
    ("compatibility", "样\uf900", NOTE),
    *((f"component U+{point:04X}", f"样{chr(point)}", REFUSE) for point in (0x2E80, 0x2F00, 0x2FD5, 0x31C0, 0x31E3)),
    *((f"description U+{point:04X}", f"样{chr(point)}", REFUSE) for point in (0x2FF0, 0x2FFB, 0x3105, 0x31A0)),
    *((f"kana U+{point:04X}", f"样{chr(point)}", REFUSE) for point in (0x3042, 0x30AB, 0x31F0, 0xFF71, 0x1B000)),
    *(
        (f"control U+{point:04X}", f"样{chr(point)}例", REFUSE)
        for point in (0, 9, 10, 0x7F, 0x85, 0x200B, 0x200D, 0xFEFF)
    ),
    *(
        (f"format U+{point:04X}", f"样{chr(point)}例", REFUSE)
        for point in (0x202E, 0x2066, 0xFFFD, 0xFFFE, 0xD800, 0xDFFF)
    ),
    *((f"unassigned U+{point:04X}", f"样{chr(point)}例", REFUSE) for point in (0x0378, 0xFA6E, 0xFADA, 0x1FFFF)),
    *((f"variation U+{point:04X}", f"样{chr(point)}", REFUSE) for point in (0xFE00, 0xFE0F, 0xE0100, 0xE01EF)),
    *((f"in a name {text!r}", f"样{text}例", REFUSE) for text in ("A", "z", "7", "Ａ", "７", " ", "\u3000", "\xa0")),
    *(
        (f"in a name {text!r}", f"样{text}例", REFUSE)
        for text in ("한", "Я", "々", "〻", "“", "'", "-", "(", "、", "，")
    ),
    *((f"at an end {text!r}", text, REFUSE) for text in (" 样例", "样例 ")),
    ("one unit", "样", HOLD),
    ("15 units", "样" * 15, OK),
    ("16 units", "样" * 16, REFUSE),
    ("15 characters, 16 units", "样" * 14 + "\U00020000", HOLD),
    ("16 characters, 17 units", "样" * 15 + "\U00020000", REFUSE),
    ("dotted, 16 units", "样" * 8 + "·" + "例" * 7, HOLD),
]

ADDRESS_RULES = [
    *((f"{text!r}", f"样{text}例", OK) for text in ("A", "z", "7", "-", "#", "(", ")", "/", " ", "1-2#")),
    *((f"{text!r}", f"样{text}例", NOTE) for text in ("Ａ", "７", "（", "）", "＃", "－", "，", "￥", "、", "·")),
    *(
        (f"{text!r}", f"样{text}例", REFUSE)
        for text in ("。", "“", "?", ",", ";", "…", "の", "⼈", "\t", "\x00", "•", ".", "．")
    ),
    *((f"{text!r}", f"样{text}例", REFUSE) for text in ("\ufe00", "\u200b", "\ud800", "한", "Я", "  ", "\xa0")),
    *((f"{text!r}", text, REFUSE) for text in (" 样例", "样例 ", "·样例", "样例·", "样··例")),
    *((f"{text!r}", f"样{text}例", HOLD) for text in ("\U00020000", "\ue000", "\ue81e", "\u3401")),
    ("compatibility", "样\uf900例", NOTE),
    ("35 units", "样" * 35, OK),
    ("36 units", "样" * 36, REFUSE),
    ("35 characters, 36 units", "样" * 34 + "\U00020000", REFUSE),
]


def said(application):
    """Give the verdict, and the fields and groups it rests on."""
    found = check_application(application, context())
    worst = verdict(found)
    return worst.name.lower(), {(one.field, one.group) for one in found if one.severity is worst}


@pytest.mark.parametrize(
    ("changes", "expected", "field", "group"), [pytest.param(*row[1:], id=row[0]) for row in RULES]
)
def test_a_rule_is_kept(changes, expected, field, group):
    weight, places = said(good(**changes))
    if expected is None:
        assert weight == OK
        return
    assert weight == expected
    assert expected == OK or (field, group) in places


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [pytest.param("name", *row[1:], id=f"name {row[0]}") for row in NAME_RULES]
    + [pytest.param("address", *row[1:], id=f"address {row[0]}") for row in ADDRESS_RULES],
)
def test_a_character_has_its_verdict(field, text, expected):
    weight, places = said(good(**{field: text}))
    assert weight == expected
    assert expected == OK or (field, NAMES) in places


@pytest.mark.parametrize("code", WRONG_FILES)
def test_a_wrong_portrait_file_speaks_of_the_portrait_alone(code):
    _, places = said(good(portrait=WRONG_FILES[code]))
    assert places == {("portrait", PORTRAIT)}


def test_a_good_portrait_has_no_finding():
    assert pixel_findings(good().portrait) == []
    assert said(good()) == (OK, set())


# ---- the examples ---------------------------------------------------------------------------------------------


PEOPLE = {
    "A": {
        "name": "样例甲",
        "sex": "1",
        "ethnic": "01",
        "birth": "19900307",
        "address": "北京市东城区样例胡同1号院2号楼3单元401室",
        ID: "11010119900307125X",
        "authority": "北京市公安局东城分局",
        "valid_from": "20100307",
        "valid_until": "20200307",
        "address_county": "110101",
    },
    "B": {
        "name": "阿依样例·古丽样例",
        "sex": "2",
        "ethnic": "05",
        "birth": "19530612",
        "address": "新疆乌鲁木齐市天山区样例路9号",
        ID: "650102195306120024",
        "authority": "乌鲁木齐市公安局天山区分局",
        "valid_from": "20040329",
        "valid_until": "长期",
        "address_county": "650102",
    },
}


@pytest.mark.parametrize("person", PEOPLE)
def test_the_people_of_the_chip_records_are_good_on_the_day_they_were_signed(person):
    fields = PEOPLE[person]
    signed, county = fields["valid_from"], fields["address_county"]
    number, unit = f"{county}001{signed}00001", f"{county}001"
    there = dataclasses.replace(context(), today=signed, authorities={county: fields["authority"]})
    application = good(**fields, acceptance_number=number, unit=unit)
    assert check_application(application, there) == []


def test_somebody_born_on_29_february_turns_26_on_1_march_of_a_common_year():
    for signed, until in (("20180228", "20280228"), ("20180301", "20380301")):
        there = dataclasses.replace(context(), today="20180301")
        holder = born("19920229", valid_from=signed, valid_until=until)
        number = f"520102001{signed}00001"
        assert check_application(msgspec.structs.replace(holder, acceptance_number=number), there) == []
