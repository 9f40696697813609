"""Kernel, twin and `str.encode` give the same records and refuse the same field, whatever the texts."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from encoders.text_kernel import SEPARATOR, pack_records
from encoders.text_layout import ETHNIC_WRITTEN_AS, PLACES, TextFields, TextRecordError, units_of
from encoders.text_record import EXAMPLE_A, KERNEL_PLACES, decode_record, encode_records
from encoders.text_twin import encode_records_str, encode_records_twin, pack_records_twin

interpreted_pack_records = getattr(pack_records, "py_func", pack_records)  # no py_func under NUMBA_DISABLE_JIT

CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    st.characters(min_codepoint=0x20000, max_codepoint=0x3134A),
    st.sampled_from("xX 0\0\uffff\U0010ffff\ud7ff\ue000"),
)
WILD = st.one_of(CHARACTERS, st.sampled_from("\ud800\udbff\udc00\udfff"))


def fitting(width_units):
    """Texts of at most `width_units` UTF-16 units."""
    return st.text(CHARACTERS, max_size=width_units).map(lambda text: cut(text, width_units))


def cut(text, width_units):
    while units_of(text) > width_units:
        text = text[:-1]
    return text


PEOPLE = st.builds(
    TextFields,
    **{place.field: fitting(place.width_units) for place in PLACES}
    | {"ethnic": st.one_of(fitting(2), st.sampled_from(["57", "58", "97", "01"]))},
)
ANYBODY = st.builds(TextFields, **{place.field: st.text(WILD, max_size=place.width_units + 2) for place in PLACES})


def answer(encode, people):
    """The bytes, or what the error says."""
    try:
        return bytes(encode(people))
    except TextRecordError as error:
        return error.code, error.index, error.field


@given(st.lists(PEOPLE, max_size=5))
@example([replace(EXAMPLE_A, valid_until="长期\0\0")])
@example([replace(EXAMPLE_A, name="\U00020000" * 7, identity_number="x")])
def test_three_ways_give_one_record_for_any_text_that_fits(people):
    records = bytes(encode_records(people))
    assert len(records) == 256 * len(people)
    assert records == bytes(encode_records_twin(people)) == encode_records_str(people)


@given(st.lists(st.one_of(ANYBODY, PEOPLE), min_size=1, max_size=4))
@example([EXAMPLE_A, replace(EXAMPLE_A, valid_until="\udfff"), replace(EXAMPLE_A, name="样" * 16)])
@example([replace(EXAMPLE_A, name="\U00020000" * 8), replace(EXAMPLE_A, sex="12")])
@example([replace(EXAMPLE_A, sex="\udfff", ethnic="")])
def test_three_ways_give_one_answer_for_any_text_at_all(people):
    assert answer(encode_records, people) == answer(encode_records_twin, people) == answer(encode_records_str, people)


@given(PEOPLE)
def test_what_is_encoded_comes_back_but_for_filling_and_the_two_rewritten_values(person):
    number = person.identity_number
    written = replace(
        person,
        ethnic=ETHNIC_WRITTEN_AS.get(person.ethnic, person.ethnic),
        identity_number=number[:-1] + "X" if number.endswith("x") else number,
    )
    filled = TextFields(*(value.rstrip(" \0") for value in astuple(written)))
    assert decode_record(bytes(encode_records([person]))) == filled


@pytest.mark.parametrize("pack", [pack_records, interpreted_pack_records], ids=["compiled", "interpreted"])
@given(
    fields=st.lists(st.lists(st.one_of(st.integers(0, 0x10FFFF), st.sampled_from(b"578x"))), min_size=1, max_size=30),
    rows=st.integers(1, 3),
)
def test_the_kernel_is_its_twin_for_any_code_points_in_any_number_of_fields(pack, fields, rows):
    codes = [code for field in fields for code in (SEPARATOR, *field[:3])][1:]
    flat = np.array(codes, np.uint32)
    by_kernel, by_twin = (np.zeros((rows, 128), np.uint16) for _ in range(2))
    packed = pack(flat, KERNEL_PLACES, by_kernel)
    assert packed == pack_records_twin(flat, KERNEL_PLACES, by_twin)
    if packed:
        assert np.array_equal(by_kernel, by_twin)


@given(fields=st.lists(st.text(CHARACTERS, max_size=2), min_size=18, max_size=18))
def test_the_interpreted_kernel_is_its_twin_on_whole_chunks(fields):
    people = [TextFields(*map(cut, half, (place.width_units for place in PLACES))) for half in (fields[:9], fields[9:])]
    codes = np.array([ord(sign) for sign in "\udfff".join([*astuple(people[0]), *astuple(people[1])])], np.uint32)
    units = np.zeros((2, 128), np.uint16)
    assert interpreted_pack_records(codes, KERNEL_PLACES, units)
    assert units.astype("<u2").tobytes() == bytes(encode_records_twin(people))
