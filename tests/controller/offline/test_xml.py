"""Packages in XML: the fields of the wire, whole or refused with a code, and never an entity."""

from __future__ import annotations

import io
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.offline.errors import PackageError
from controller.offline.fields import HEADER_FIELDS, RECORD_FIELDS
from controller.offline.parts import UNREADABLE_COUNT, BatchHead
from controller.offline.xml_rows import DEPTH_MAX, PIECE_BYTES, TEXT_MAX_CHARACTERS, TOKEN_MAX_BYTES, read_xml
from tests.controller.offline.files import person
from tests.controller.offline.packages import (
    NAME,
    NUMBER,
    code_of,
    elements,
    header,
    parts_of,
    row,
    texts,
    written,
    xml,
)

XSD = Path(__file__).resolve().parents[3] / "docs" / "offline.xsd"


def read(content: bytes):
    return list(read_xml(io.BytesIO(content)))


def told(content: bytes):
    """Give the parts of some bytes, or the code with which they are refused."""
    try:
        return read(content), ""
    except PackageError as error:
        return [], error.code


def refused(content: bytes) -> str:
    with pytest.raises(PackageError) as raised:
        read(content)
    return raised.value.code


def one(body: str):
    """Read one application."""
    return read(xml(body=f"<application>{body}</application>"))[1]


def test_a_package_gives_its_header_and_its_applications(tmp_path):
    head, *records = parts_of(written(tmp_path, f"{NAME}.xml", xml(3)))
    assert head == BatchHead(NUMBER, "20260101", "second", 3, due="20260301")
    assert [record.application for record in records] == [texts(1), texts(2), texts(3)]
    assert {record.portrait for record in records} == {"face.jpg"}


def test_the_schema_names_the_fields_that_are_read():
    texts = dict(re.findall(r'<xs:complexType name="(\w+)">(.*?)</xs:complexType>', XSD.read_text("utf-8"), re.DOTALL))
    named = {name: tuple(re.findall(r'<xs:element name="(\w+)"', text)) for name, text in texts.items()}
    assert named == {"batch": HEADER_FIELDS, "application": RECORD_FIELDS}


@given(st.integers(0, len(xml().rstrip()) - 1))
def test_a_package_cut_off_anywhere_is_refused(size):
    assert refused(xml()[:size]) == "package.xml"


@given(st.integers(0, len(xml()) - 1), st.integers(0, 255))
def test_a_byte_changed_anywhere_gives_parts_or_a_code(at, byte):
    content = bytearray(xml())
    content[at] = byte
    parts, code = told(bytes(content))
    assert code.startswith("package.") or isinstance(parts[0], BatchHead)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_code(content):
    assert refused(content).startswith("package.")


def test_a_package_that_is_there_twice_is_refused():
    assert refused(xml() + xml()) == "package.xml"


@pytest.mark.parametrize(
    "inside",
    [
        '<!DOCTYPE package [<!ENTITY a "b">]>',
        '<!DOCTYPE package [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE package SYSTEM "http://127.0.0.1/x.dtd">',
        "<!DOCTYPE package>",
        '<!DOCTYPE package [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_a_document_type_is_refused_before_any_entity(inside):
    assert refused(xml().replace(b'<package version="1">', inside.encode() + b'<package version="1">')) == (
        "package.xml_dtd"
    )


def test_an_entity_that_nobody_defined_is_refused():
    assert refused(xml(body="<application><name>&who;</name></application>")) == "package.xml"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (xml().replace(b'"UTF-8"', b'"GB18030"'), "package.encoding"),
        (xml().replace(b'"UTF-8"', b'"UTF-16"'), "package.encoding"),
        (xml().decode().encode("utf-16"), "package.encoding"),
        (xml().decode().encode("utf-16-be"), "package.encoding"),
        (xml().decode().encode("gb18030"), "package.xml"),
        (xml().replace(b'version="1">', b'version="2">'), "package.version"),
        (xml().replace(b' version="1">', b">"), "package.version"),
        (b"<other/>", "package.xml_shape"),
        (xml(body="stray"), "package.xml_shape"),
        (xml(body="<person/>"), "package.xml_shape"),
        (xml(body="<application>stray</application>"), "package.xml_shape"),
        (xml(body="<application><name>a<b>c</b></name></application>"), "package.xml_shape"),
        (xml(body="<batch></batch>"), "package.batch"),
        (b'<package version="1"/>', "package.batch"),
        (b'<package version="1"><application/></package>', "package.batch"),
        (xml(body="<application>" + "<x>" * DEPTH_MAX + "</x>" * DEPTH_MAX + "</application>"), "package.xml_shape"),
        (xml(body=f"<application><name>{'x' * (TEXT_MAX_CHARACTERS + 1)}</name></application>"), "package.xml_shape"),
        (xml(body=f"<!--{'x' * (TOKEN_MAX_BYTES + 2 * PIECE_BYTES)}-->"), "package.xml_shape"),
    ],
)
def test_what_has_another_shape_is_refused(content, code):
    assert refused(content) == code


def test_a_byte_order_mark_comments_and_unknown_fields_are_no_fault():
    assert read(b"\xef\xbb\xbf" + xml())[0].batch_number == NUMBER
    record = one(f"<!-- note --><sender><name>not this</name></sender>{elements(row())}<x/>")
    assert record.application == texts(1)
    assert record.findings == ()


def test_texts_are_taken_as_they_stand():
    assert one("<name> 样 &lt;&#x4e2d;&amp;</name>").application.name == " 样 <中&"
    assert one("<name><![CDATA[<x>]]></name>").application.name == "<x>"
    assert one("<name></name>").application.name == one("").application.name == ""


def test_a_field_that_is_said_twice_spoils_its_application_and_no_other():
    rows = f"<application>{elements(row())}<sex>2</sex></application><application>{elements(row(2))}</application>"
    _, first, second = read(xml(body=rows))
    assert [finding.code for finding in first.findings] == ["record.unreadable"]
    assert first.application.acceptance_number == person(1).acceptance_number
    assert first.application.identity_number == ""
    assert second.application == texts(2)


@pytest.mark.parametrize("count", ["", "two", "-1", "1.0", "１", "1" * 5_000, " 2"])
def test_a_count_that_is_no_number_fits_no_batch(count):
    assert read(xml(head=header(2, count=count)))[0].count == UNREADABLE_COUNT


def test_a_header_that_cannot_be_read_or_is_another_batchs_is_refused(tmp_path):
    doubled = xml().replace(b"<count>", b"<count>1</count><count>")
    other = xml(head=header(2, batch_number=NUMBER[:-1] + "2"))
    assert code_of(written(tmp_path, f"{NAME}.xml", doubled)) == "package.batch"
    assert code_of(written(tmp_path, f"{NAME}.xml", other)) == "package.number"


@pytest.mark.parametrize(
    "name", ["a.xml", "ZAGL_ZZJH_1.xml", f"{NAME} .xml", f"{NAME}0.xml", "ZAGL_ZZJH_" + "１" * 25 + ".xml"]
)
def test_a_file_of_another_name_is_refused(name, tmp_path):
    assert code_of(written(tmp_path, name, xml())) == "package.name"


def test_memory_is_that_of_one_application_and_not_of_the_file():
    content = io.BytesIO(xml(4_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_xml(content)) == 4_001
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2_000_000
