"""Reading JSON lines: one part a line, whatever the line holds, in bounded memory."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.offline.jsonl import LINE_MAX_BYTES, part_of, read_jsonl
from controller.offline.parts import UNREADABLE_COUNT, BatchHead, Record
from tests.controller.offline.files import application, batch

NUMBER = "5201020012025122000001"


def parts_of(raw: bytes) -> list[BatchHead | Record]:
    return list(read_jsonl(io.BytesIO(raw)))


def codes(part: BatchHead | Record) -> list[str]:
    return [finding.code for finding in part.findings]


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=8), st.booleans())
def test_any_file_gives_one_part_a_line(lines, has_last_end):
    raw = b"\n".join(lines) + (b"\n" if has_last_end else b"")
    expected = raw.count(b"\n") + (0 if raw.endswith(b"\n") or not raw else 1)
    assert len(parts_of(raw)) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["acceptance_number", "name", "sex", "portrait", "batch_number", "count", "other"])


@given(st.sampled_from(["application", "batch", "other"]), JSON | st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_json_gives_a_part_with_texts_in_it(key, value):
    part = part_of(json.dumps({key: value}).encode())
    if isinstance(part, BatchHead):
        assert key == "batch"
        assert all(isinstance(text, str) for text in (part.batch_number, part.received_on))
        assert isinstance(part.count, int)
    else:
        assert key != "batch"
        assert all(isinstance(getattr(part.application, name), str) for name in ("acceptance_number", "name", "sex"))
        assert isinstance(part.portrait, str)


def test_a_header_and_a_record_are_read():
    head, record = parts_of(f"{batch(1, 3)}\n{application()}\n".encode())
    assert head == BatchHead("5201020000002026010100001", "20260101", "second", 3)
    assert (record.application.acceptance_number, record.application.name) == (NUMBER, "样例甲")
    assert (record.portrait, record.application.portrait, record.findings) == ("face.jpg", b"", ())


@pytest.mark.parametrize("end", ["\r\n", "\n", " \n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_carriage_returns_are_no_part_of_a_line(start, end):
    head, record = parts_of(start + f"{batch(1, 1)}{end}{application()}{end}".encode())
    assert (head.count, record.findings) == (1, ())


def test_a_byte_order_mark_later_on_is_a_fault():
    *_, last = parts_of(application().encode() + b"\n\xef\xbb\xbf" + application().encode())
    assert codes(last) == ["record.unreadable"]


@pytest.mark.parametrize(
    "line",
    [
        application()[:-9].encode(),
        application().replace('"sex": "1"', '"sex": NaN').encode(),
        application().replace('"sex": "1"', '"sex": "1", "sex": "2"').encode(),
        application().replace('"sex": "1"', '"sex": "' + "\x01" + '"').encode(),
        application().encode().replace(b'"sex": "1"', b'"sex": "\xff"'),
        (application()[:-1] + ', "deep": ' + "[" * 9_000 + "]" * 9_000 + "}").encode(),
    ],
    ids=["cut", "NaN", "key twice", "control", "no UTF-8", "deep"],
)
def test_a_line_that_is_no_json_keeps_its_acceptance_number(line):
    part = part_of(line)
    assert isinstance(part, Record)
    assert codes(part) == ["record.unreadable"]
    assert part.application.acceptance_number == NUMBER
    assert part.is_counted


@pytest.mark.parametrize(
    "line", [b"x", b"{", b"[]", b"7", b'{"x": {}}', b'{"batch": {}, "application": {}}', b"\xff\xfe"]
)
def test_a_line_that_says_nothing_is_an_unreadable_record(line):
    part = part_of(line)
    assert (codes(part), part.application.acceptance_number) == (["record.unreadable"], "")


@pytest.mark.parametrize(
    "line", [b'{"batch": 7}', b'{"batch": {"batch_number": "1234567890123456789012345", ', b' {"batch":']
)
def test_a_line_that_begins_as_a_header_is_an_unreadable_header(line):
    part = part_of(line)
    assert isinstance(part, BatchHead)
    assert codes(part) == ["batch.unreadable"]
    assert part.batch_number == ("1234567890123456789012345" if b"12345" in line else "")


@pytest.mark.parametrize("line", [b"", b"  ", b"\r", b"\t\n"])
def test_an_empty_line_stands_for_no_application(line):
    part = part_of(line)
    assert isinstance(part, Record)
    assert (codes(part), part.is_counted) == (["record.unreadable"], False)


@pytest.mark.parametrize("count", ["3", 3.0, True, None, [3]])
def test_a_count_that_is_no_whole_number_fits_no_batch(count):
    assert part_of(batch(1, 3).replace(": 3}", f": {json.dumps(count)}}}").encode()).count == UNREADABLE_COUNT


def test_each_field_of_the_wrong_type_is_named_and_the_texts_are_kept():
    part = part_of(application(name=7, birth=None, portrait=["x"]).encode())
    assert codes(part) == ["type.name", "type.birth", "type.portrait"]
    assert (part.application.acceptance_number, part.application.name) == (NUMBER, "")


def test_unknown_keys_are_ignored_and_so_are_their_doubles():
    line = application(colour={"name": 1}).replace('"sex"', '"hue": 1, "hue": 2, "sex"')
    assert part_of(line.encode()).findings == ()


def test_a_number_of_any_length_is_read():
    digits = "1" * 9_000
    assert part_of(application(long=0).replace('"long": 0', f'"long": -{digits}').encode()).findings == ()
    assert codes(part_of(application(name=0).replace('"name": 0', f'"name": {digits}').encode())) == ["type.name"]
    head = part_of(batch(1, 3).replace(": 3}", f": {digits}}}").encode())
    assert (head.findings, head.count) == ((), UNREADABLE_COUNT)


def test_lone_surrogates_are_values():
    part = part_of(application(name="样\ud800").encode())
    assert (part.findings, part.application.name) == ((), "样\ud800")


def test_a_line_of_any_length_is_answered_from_its_beginning():
    long = application(note="x" * 3 * LINE_MAX_BYTES).encode()
    tracemalloc.start()
    try:
        parts = parts_of(application().encode() + b"\n" + long + b"\n" + application(2).encode())
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [codes(part) for part in parts] == [[], ["record.unreadable"], []]
    assert parts[1].application.acceptance_number == NUMBER
    assert peak_bytes < 12 * LINE_MAX_BYTES


def test_a_line_of_just_the_longest_length_is_read():
    padding = LINE_MAX_BYTES - len(application(note="").encode())
    whole = application(note="x" * padding).encode()
    assert len(whole) == LINE_MAX_BYTES
    assert [codes(part) for part in parts_of(whole)] == [[]]
    assert [codes(part) for part in parts_of(whole[:-1] + b" }")] == [["record.unreadable"]]


def test_a_record_does_not_show_the_person():
    assert repr(part_of(application().encode())) == "<Record>"
