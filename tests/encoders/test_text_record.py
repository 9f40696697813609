"""The text record at its door: known bytes, what cannot be encoded, what is no record."""

import os
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from encoders import text_record
from encoders.text_layout import PLACES, RESERVED_START_UNITS
from encoders.text_record import EXAMPLE_A, TextFields, TextRecordError, decode_record, encode_records, warm_up

A_HEX = """
37688b4f32752000200020002000200020002000200020002000200020003100
30003100310039003900300030003300300037001753ac4e025e1c4ece573a53
37688b4fe1800c543100f75362963200f7537c69330055534351340030003100
a45b200020002000200020002000200020002000200020002000310031003000
3100300031003100390039003000300033003000370031003200350058001753
ac4e025e6c51895b405c1c4ece570652405c2000200020002000200032003000
3100300030003300300037003200300032003000300033003000370020002000
2000200020002000200020002000200020002000200020002000200020002000
"""
B_HEX = """
3f969d4f37688b4fb700e4533d4e37688b4f2000200020002000200020003200
3000350031003900350033003000360031003200b06586754c4e819c2867509f
025e2959715c3a5337688b4fef8d3900f7532000200020002000200020002000
2000200020002000200020002000200020002000200020002000360035003000
3100300032003100390035003300300036003100320030003000320034004c4e
819c2867509f025e6c51895b405c2959715c3a530652405c2000200032003000
3000340030003300320039007f951f6720002000200020002000200020002000
2000200020002000200020002000200020002000200020002000200020002000
"""
EXAMPLE_B = TextFields(
    name="阿依样例·古丽样例",
    sex="2",
    ethnic="05",
    birth="19530612",
    address="新疆乌鲁木齐市天山区样例路9号",
    identity_number="650102195306120024",
    authority="乌鲁木齐市公安局天山区分局",
    valid_from="20040329",
    valid_until="长期",
)
B_SHA256 = "5312f383172cc0caf5ba6b704cad1a2dbeb98263bdc9591eac9a09f23bfcc0b6"


def record_of(person):
    return encode_records([person])[0].tobytes()


def test_example_a_of_the_domain_notes_comes_out_byte_for_byte():
    record = record_of(EXAMPLE_A)
    assert record == bytes.fromhex(A_HEX)
    assert sha256(record).hexdigest() == "a904599f207aeddd854284ec08da83494f43a8d22b23d472f8bdcac480874b51"


def test_example_b_of_the_domain_notes_comes_out_byte_for_byte():
    record = record_of(EXAMPLE_B)
    assert record == bytes.fromhex(B_HEX)
    assert sha256(record).hexdigest() == B_SHA256


def test_a_chunk_is_an_array_with_one_row_a_person():
    records = encode_records([EXAMPLE_A, EXAMPLE_B, EXAMPLE_A])
    assert records.shape == (3, 256)
    assert records.dtype == np.uint8
    assert [decode_record(row.tobytes()) for row in records] == [EXAMPLE_A, EXAMPLE_B, EXAMPLE_A]


def test_no_people_are_no_records():
    assert encode_records([]).shape == (0, 256)


def test_the_table_of_places_is_the_struct_in_its_order_and_leaves_no_hole():
    assert [place.field for place in PLACES] == list(TextFields.__struct_fields__)
    ends = [place.start_units + place.width_units for place in PLACES]
    assert [place.start_units for place in PLACES] == [0, *ends[:-1]]
    assert ends[-1] == RESERVED_START_UNITS


@pytest.mark.parametrize(("read", "written"), [("57", "97"), ("58", "98"), ("05", "05"), ("97", "97"), ("5", "5")])
def test_reader_codes_of_the_last_two_ethnic_groups_are_written_as_the_standard_has_them(read, written):
    assert decode_record(record_of(replace(EXAMPLE_A, ethnic=read))).ethnic == written


def test_only_the_x_that_ends_an_identity_number_is_made_a_capital():
    person = replace(EXAMPLE_A, identity_number="11010119900307125x", address="样例路x号x", name="样x")
    decoded = decode_record(record_of(person))
    assert decoded == replace(person, identity_number="11010119900307125X")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.field)
def test_a_value_one_unit_too_long_is_refused_and_a_full_one_is_not(place):
    full = replace(EXAMPLE_A, **{place.field: "样" * place.width_units})
    assert decode_record(record_of(full)) == full
    with pytest.raises(TextRecordError) as caught:
        encode_records([EXAMPLE_A, EXAMPLE_B, replace(EXAMPLE_A, **{place.field: "样" * (place.width_units + 1)})])
    assert (caught.value.code, caught.value.index, caught.value.field) == ("text_record.too_long", 2, place.field)


def test_a_character_beyond_the_bmp_takes_two_of_the_fifteen_places():
    seven_and_one = "\U00020000" * 7 + "样"
    assert decode_record(record_of(replace(EXAMPLE_A, name=seven_and_one))).name == seven_and_one
    with pytest.raises(TextRecordError, match=r"text_record\.too_long: record 0, name"):
        encode_records([replace(EXAMPLE_A, name="\U00020000" * 8)])


@pytest.mark.parametrize("half", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_half_a_surrogate_pair_is_refused_whichever_half_it_is(half):
    with pytest.raises(TextRecordError) as caught:
        encode_records([EXAMPLE_B, replace(EXAMPLE_A, address=f"样例{chr(half)}路")])
    assert (caught.value.code, caught.value.index, caught.value.field) == ("text_record.lone_surrogate", 1, "address")


def test_the_first_of_several_faults_is_the_one_told():
    with pytest.raises(TextRecordError) as caught:
        encode_records(
            [EXAMPLE_A, replace(EXAMPLE_A, sex="12", valid_until="\udfff"), replace(EXAMPLE_A, name="样" * 16)]
        )
    assert (caught.value.index, caught.value.field) == (1, "sex")


def test_a_field_may_end_in_zeros_as_some_chips_have_it():
    record = bytearray(record_of(EXAMPLE_B))
    for place in PLACES:
        start, end = 2 * place.start_units, 2 * (place.start_units + place.width_units)
        record[start:end] = (
            bytes(record[start:end]).decode("utf-16-le").rstrip().encode("utf-16-le").ljust(end - start, b"\0")
        )
    record[2 * RESERVED_START_UNITS :] = bytes(256 - 2 * RESERVED_START_UNITS)
    assert decode_record(bytes(record)) == EXAMPLE_B


@pytest.mark.parametrize("size", [0, 255, 257, 512])
def test_bytes_of_another_length_are_no_record(size):
    with pytest.raises(TextRecordError, match=r"text_record\.length"):
        decode_record(b" \0" * (size // 2) + b" " * (size % 2))


@pytest.mark.parametrize("offset", range(220, 256))
@pytest.mark.parametrize("byte", [b"J", b"\x01"])
def test_anything_in_the_reserved_places_is_another_layout(offset, byte):
    record = bytearray(record_of(EXAMPLE_A))
    record[offset : offset + 1] = byte
    with pytest.raises(TextRecordError, match=r"text_record\.other_layout"):
        decode_record(bytes(record))


def test_a_pair_torn_apart_in_a_field_names_the_field():
    record = bytearray(record_of(EXAMPLE_A))
    record[28:30] = b"\x00\xd8"
    with pytest.raises(TextRecordError) as caught:
        decode_record(bytes(record))
    assert (caught.value.code, caught.value.field) == ("text_record.not_utf16", "name")


@given(st.binary(min_size=256, max_size=256))
def test_any_bytes_decode_or_are_refused_by_code(record):
    halves = [record[2 * start : 2 * (start + width)] for _, start, width in PLACES]
    whole = [half.decode("utf-16-le", "ignore") == half.decode("utf-16-le", "surrogatepass") for half in halves]
    if all(whole):
        fields = decode_record(record[:220] + b" \0" * 18)
        assert list(astuple(fields)) == [half.decode("utf-16-le").rstrip(" \0") for half in halves]
    else:
        with pytest.raises(TextRecordError, match=r"text_record\.not_utf16") as caught:
            decode_record(record[:220] + b" \0" * 18)
        assert caught.value.field == PLACES[whole.index(False)].field


def test_neither_repr_nor_error_nor_its_chain_tells_a_value():
    assert "样例" not in repr(EXAMPLE_A)
    assert "样例" not in f"{EXAMPLE_A!s}{[EXAMPLE_A]}{EXAMPLE_A.__rich_repr__()}"
    with pytest.raises(TextRecordError) as caught:
        encode_records([replace(EXAMPLE_A, address="样例" * 20)])
    assert "样例" not in str(caught.value)
    assert caught.value.__context__ is None
    record = record_of(EXAMPLE_A)
    with pytest.raises(TextRecordError) as caught:
        decode_record(b"\x00\xd8" + record[2:])
    assert caught.value.__context__ is None


def test_the_warm_up_passes_here():
    warm_up()


def test_the_warm_up_finds_a_kernel_that_writes_something_else(monkeypatch):
    def swaps_two_units(codes, places, units):
        text_record_pack(codes, places, units)
        units[:, [0, 1]] = units[:, [1, 0]]
        return True

    text_record_pack = text_record.pack_records
    monkeypatch.setattr(text_record, "pack_records", swaps_two_units)
    with pytest.raises(TextRecordError, match=r"text_record\.self_test"):
        warm_up()


def test_the_kernel_gives_the_same_bytes_without_compilation():
    program = (
        "import types\n"
        "from encoders import text_kernel, text_record\n"
        "assert isinstance(text_kernel.pack_records, types.FunctionType)\n"
        "text_record.warm_up()\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
