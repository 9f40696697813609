"""Packages in CSV: two lines of the batch, a line of names, a line an application."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.offline.csv_rows import COLUMNS_MAX, LINE_MAX_BYTES, read_csv
from controller.offline.errors import PackageError
from controller.offline.package import ROWS_MAX_BYTES
from controller.offline.parts import BatchHead
from tests.controller.offline.files import person
from tests.controller.offline.packages import NAME, NUMBER, code_of, csv_text, header, parts_of, row, texts, written


def read(text: str | bytes):
    return list(read_csv(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def told(content: bytes):
    """Give the parts of some bytes, or the code with which they are refused."""
    try:
        return read(content), ""
    except PackageError as error:
        return [], error.code


def refused(text: str | bytes) -> str:
    with pytest.raises(PackageError) as raised:
        read(text)
    return raised.value.code


def test_a_package_gives_its_header_and_its_applications(tmp_path):
    head, *records = parts_of(written(tmp_path, f"{NAME}.csv", csv_text(3).encode("utf-8-sig")))
    assert head == BatchHead(NUMBER, "20260101", "second", 3, due="20260301")
    assert [record.application for record in records] == [texts(1), texts(2), texts(3)]
    assert {record.portrait for record in records} == {"face.jpg"}


def test_line_ends_empty_lines_and_the_order_of_columns_make_no_difference():
    want = read(csv_text())
    assert read(csv_text().replace("\r\n", "\n")) == want
    assert read(csv_text().replace("\r\n", "\r\n\r\n")) == want
    turned = [dict(reversed(row(number).items())) for number in (1, 2)]
    lines = [*csv_text().splitlines()[:2], ",".join(turned[0]), *(",".join(one.values()) for one in turned)]
    assert read("\n".join([*lines, ""])) == want


def test_numbers_written_for_a_spreadsheet_are_numbers():
    lines = csv_text().splitlines()
    guarded = [",".join(f'="{cell}"' if cell.isdigit() else cell for cell in line.split(",")) for line in lines]
    assert guarded != lines
    assert read("\n".join([*guarded, ""])) == read(csv_text())


def test_quoted_cells_hold_commas_quotes_and_line_ends():
    address = '"a, ""b""\nc"'
    assert read(csv_text(rows=[row(address=address)]))[1].application.address == 'a, "b"\nc'


def test_unknown_columns_are_ignored_and_missing_ones_are_empty():
    text = f"batch_number,clerk,count\n{NUMBER},x,1\nname,clerk\n样例,y\n"
    head, record = read(text)
    assert (head.batch_number, head.count, head.card_kind, head.received_on) == (NUMBER, 1, None, "")
    assert (record.application.name, record.application.sex, record.portrait) == ("样例", "", "")


def test_a_line_of_another_width_spoils_its_application_and_no_other():
    text = csv_text().replace(person(1).authority, person(1).authority + ",x", 1)
    _, first, second = read(text)
    assert [finding.code for finding in first.findings] == ["record.unreadable"]
    assert first.application.acceptance_number == person(1).acceptance_number
    assert second.findings == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "package.csv"),
        ("\n\n", "package.csv"),
        ("a,b\n1,2\nc\n", "package.csv"),
        (csv_text().splitlines()[0] + "\n", "package.csv"),
        (csv_text().rstrip(), "package.csv"),
        (csv_text().rstrip() + ',"open\n', "package.csv"),
        (csv_text().replace("received_on", "batch_number"), "package.csv"),
        (csv_text().replace("ethnic", "sex"), "package.csv"),
        (csv_text() + "x" * LINE_MAX_BYTES + "\n", "package.csv"),
        ("batch_number" + ",x" * COLUMNS_MAX + "\n", "package.csv"),
        (csv_text(rows=[row(name="样例甲")]).encode("gb18030"), "package.encoding"),
        (csv_text().encode("utf-16"), "package.encoding"),
        (csv_text().encode() + b"\xff\n", "package.encoding"),
    ],
)
def test_what_is_damaged_cut_off_or_something_else_is_refused(text, code):
    assert refused(text) == code


@given(st.integers(0, len(csv_text()) - 1))
def test_a_package_cut_off_anywhere_is_refused_or_has_too_few_applications(size):
    parts, code = told(csv_text()[:size].encode())
    is_short = code == "" and (parts[0].findings or len(parts) - 1 < parts[0].count)
    assert code == "package.csv" or is_short


@given(st.binary(max_size=300))
def test_any_bytes_give_a_code_or_parts(content):
    parts, code = told(content)
    assert code.startswith("package.") or isinstance(parts[0], BatchHead)


def test_a_header_without_its_number_or_of_another_batch_is_refused(tmp_path):
    assert code_of(written(tmp_path, f"{NAME}.csv", b"count\n1\nname\nx\n")) == "package.batch"
    other = csv_text(head=header(2, batch_number=NUMBER[:-1] + "2"))
    assert code_of(written(tmp_path, f"{NAME}.csv", other.encode())) == "package.number"


def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path):
    path = written(tmp_path, f"{NAME}.csv", csv_text().encode())
    with path.open("ab") as file:
        file.truncate(ROWS_MAX_BYTES + 1)
    assert code_of(path) == "package.too_large"
