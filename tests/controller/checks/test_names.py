"""Names and addresses: every row of the rule's table, for both fields, and the places a text takes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.characters import KINDS, LOOKALIKES, MOVED, Kind, kind_of, units_of
from controller.checks.codes import Severity
from controller.checks.finding import verdict
from controller.checks.names import check_address, check_name
from controller.checks.rows import check_application
from tests.controller.checks.samples import codes, context, good

OK, NOTE, HOLD, REFUSE = Severity
ROWS = [  # character, verdict in a name, verdict in an address
    ("\u4e00", OK, OK),
    ("\u9fa5", OK, OK),
    ("\u3007", OK, OK),
    ("\u9fa6", OK, OK),  # the font has it
    ("\u9fa7", HOLD, HOLD),  # the font has it not
    ("\u9fff", HOLD, HOLD),
    ("\u3400", OK, OK),
    ("\u4dbf", HOLD, HOLD),
    ("\ufa0e", OK, OK),
    ("\ufa29", HOLD, HOLD),
    ("·", OK, NOTE),
    ("\u2022", REFUSE, REFUSE),
    ("\u2027", REFUSE, REFUSE),
    ("\u2e31", REFUSE, REFUSE),
    ("\u30fb", REFUSE, REFUSE),
    ("\uff0e", REFUSE, REFUSE),
    ("\uff65", REFUSE, REFUSE),
    (".", REFUSE, REFUSE),
    ("\U00020000", HOLD, HOLD),
    ("\U000323af", HOLD, HOLD),  # Extension H, newer than Python 3.11's Unicode
    ("\U0002f800", HOLD, HOLD),
    ("\ue000", HOLD, HOLD),
    ("\uf8ff", HOLD, HOLD),
    ("\ue864", HOLD, HOLD),
    ("\U000f0000", HOLD, HOLD),
    ("\uf900", NOTE, NOTE),  # a compatibility ideograph the font has
    ("\uf901", HOLD, HOLD),
    ("\u2e80", REFUSE, REFUSE),
    ("\u2fd5", REFUSE, REFUSE),
    ("\u31c0", REFUSE, REFUSE),
    ("\u2ff0", REFUSE, REFUSE),
    ("\u3105", REFUSE, REFUSE),
    ("\u3042", REFUSE, REFUSE),
    ("\uff71", REFUSE, REFUSE),
    ("\U0001b000", REFUSE, REFUSE),
    ("\u0000", REFUSE, REFUSE),
    ("\n", REFUSE, REFUSE),
    ("\u200b", REFUSE, REFUSE),
    ("\u202e", REFUSE, REFUSE),
    ("\ufeff", REFUSE, REFUSE),
    ("\u0378", REFUSE, REFUSE),  # unassigned
    ("\uffff", REFUSE, REFUSE),
    ("\U0002ffff", REFUSE, REFUSE),
    ("\U000e0041", REFUSE, REFUSE),  # a tag
    ("\ufffd", REFUSE, REFUSE),
    ("\ud800", REFUSE, REFUSE),
    ("\udfff", REFUSE, REFUSE),
    ("\ufe00", REFUSE, REFUSE),
    ("\U000e0100", REFUSE, REFUSE),
    ("A", REFUSE, OK),
    ("z", REFUSE, OK),
    ("7", REFUSE, OK),
    ("-", REFUSE, OK),
    ("#", REFUSE, OK),
    ("(", REFUSE, OK),
    (")", REFUSE, OK),
    ("/", REFUSE, OK),
    (" ", REFUSE, OK),
    ("\u00a0", REFUSE, REFUSE),
    ("\u3000", REFUSE, REFUSE),
    ("，", REFUSE, NOTE),
    ("（", REFUSE, NOTE),
    ("Ａ", REFUSE, NOTE),
    ("９", REFUSE, NOTE),
    ("、", REFUSE, NOTE),
    ("。", REFUSE, REFUSE),
    ("“", REFUSE, REFUSE),
    ("'", REFUSE, REFUSE),
    (",", REFUSE, REFUSE),
    ("々", REFUSE, REFUSE),
    ("〻", REFUSE, REFUSE),
    ("한", REFUSE, REFUSE),
    ("Ж", REFUSE, REFUSE),
    ("é", REFUSE, REFUSE),
    ("Ⅱ", REFUSE, REFUSE),
    ("☆", REFUSE, REFUSE),
]
PLAIN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=15)


def shown(character):
    return f"U+{ord(character):04X}"


@pytest.mark.parametrize(
    ("character", "in_name", "in_address"), ROWS, ids=lambda value: shown(value) if isinstance(value, str) else None
)
def test_each_character_gets_its_verdict_in_a_name_and_in_an_address(character, in_name, in_address):
    assert verdict(check_name(good(name=f"样{character}例"), context())) is in_name
    assert verdict(check_address(good(address=f"样{character}例"), context())) is in_address


@given(PLAIN)
def test_a_name_of_common_ideographs_is_plain(text):
    assert codes(good(name=text)) == []


@given(st.text(min_size=1, max_size=40))
def test_any_text_is_answered_and_only_by_findings_on_its_own_field(text):
    application = good(name=text, address=text, authority=text)
    assert {finding.field for finding in check_application(application, context())} <= {"name", "address", "authority"}


@given(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]))
def test_a_lone_surrogate_is_refused_like_any_other_value(surrogate):
    assert codes(good(name=f"样{surrogate}", address=f"样{surrogate}")) == ["name.control", "address.control"]


@given(st.characters(min_codepoint=0x10000))
def test_what_lies_beyond_the_bmp_is_never_passed(character):
    assert verdict(check_name(good(name=f"样{character}"), context())) >= HOLD


@pytest.mark.parametrize("name", ["·样例", "样例·", "样··例", "·"])
def test_a_dot_at_an_end_or_doubled_is_refused(name):
    assert "name.dot_place" in codes(good(name=name))
    assert "address.dot_place" in codes(good(address=name))


def test_four_dots_are_taken_and_five_refused():
    assert codes(good(name="样·例·样·例·样")) == []
    assert codes(good(name="样·例·样·例·样·例")) == ["name.dot_many"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("样" * 15, []),
        ("样" * 16, ["name.too_long"]),
        ("样·" + "例" * 13, []),
        ("样·" + "例" * 14, ["name.long_dotted"]),
        ("样·" + "例" * 60, ["name.long_dotted"]),
        ("样·" + "例" * 198, ["name.long_dotted"]),
        ("样·" + "例" * 199, ["name.too_long"]),  # no name at all
        ("样" * 13 + "\U00020000", ["name.beyond_bmp"]),  # 15 units
        ("样" * 14 + "\U00020000", ["name.beyond_bmp", "name.long_rare"]),
        ("样" * 15 + "\U00020000", ["name.beyond_bmp", "name.too_long"]),  # 16 characters
        ("\U00020000", ["name.beyond_bmp"]),  # one character, but two units
        ("样", ["name.single"]),
    ],
)
def test_a_name_has_fifteen_places_of_utf16_units(name, expected):
    assert codes(good(name=name)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("样" * 35, []),
        ("样" * 36, ["address.too_long"]),
        ("样" * 33 + "\U00020000", ["address.beyond_bmp"]),
        ("样" * 34 + "\U00020000", ["address.beyond_bmp", "address.too_long"]),
        ("样" * 200 + "☆", ["address.too_long"]),
        ("样例路 1号", []),
        ("样 例 路", ["address.space"]),
        ("样  例", ["address.space"]),
        (" 样例", ["address.space"]),
        ("样例\u3000 ", ["address.space"]),
    ],
)
def test_an_address_has_thirty_five_places_and_one_inner_space(address, expected):
    assert codes(good(address=address)) == expected


def test_a_private_character_that_got_a_standard_place_is_told_apart():
    assert len(MOVED) == 8
    assert all(codes(good(name=f"样{chr(point)}")) == ["name.private_use_moved"] for point in MOVED)
    assert set(MOVED.values()) == set(range(0x9FB4, 0x9FBC))


def test_lookalikes_of_the_dot_are_never_repaired():
    for point in LOOKALIKES:
        assert codes(good(name=f"样{chr(point)}例")) == ["name.dot_lookalike"]


def test_the_table_of_kinds_covers_the_bmp_and_no_plain_character_would_change_under_nfc():
    assert len(KINDS) == 0x10000
    plain = [chr(point) for point in range(0x10000) if kind_of(point) == Kind.PLAIN]
    assert len(plain) == 20_903
    assert all(unicodedata.normalize("NFC", character) == character for character in plain)


@given(st.text())
def test_units_are_what_utf16_needs(text):
    assert units_of(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_one_text_gives_all_its_faults_each_once():
    assert codes(good(name="A样A•例☆☆")) == ["name.dot_lookalike", "name.latin", "name.character"]
