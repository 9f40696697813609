"""CSV for spreadsheets: long numbers stay text to the last digit, no text becomes a formula, and Excel knows UTF-8."""

from __future__ import annotations

import csv as csv_file
import io
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.campaign.report import FLOWS
from controller.campaign.sheet import campaign_csv
from controller.report.span import Span
from controller.report.span_build import build_span_report
from controller.report.span_page import csv
from controller.report.span_report import ShiftRow
from controller.report.span_tables import tables_of
from controller.report.spreadsheet import DIGITS_SAFE, cell, sheet
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, ledger_of, worked_floor

NUMBERS = ("110105199003070028", "1101051990030700287654", "0000000000000000000042", "1" * 25)
FORMULA = re.compile(r'="((?:[^"]|"")*)"')


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    floor = worked_floor(8)
    with ledger_of(floor, tmp_path_factory.mktemp("sheet")) as reading:
        return build_span_report(
            reading, Span(kind="day", name="1970-01-01", begin_floor_s=0.0, end_floor_s=ENDS_FLOOR_S)
        )


def as_spreadsheet(text):
    """What a spreadsheet makes of a cell: text, a number of at most 15 digits, or the value of a formula of ours."""
    if text.startswith(("=", "+", "-", "@", "\t", "\r")):
        if number := re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text):
            return float(number[0])
        found = FORMULA.fullmatch(text)
        assert found, f"a formula: {text}"
        return found[1].replace('""', '"')
    return float(f"{float(text):.15g}") if re.fullmatch(r"\d+(\.\d+)?(e[+-]?\d+)?", text) else text


def rows_of(content):
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    return list(csv_file.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_18_22_and_25_digits_survive_as_text(number):
    [_, _, [found]] = rows_of(sheet([("t", ["n"], [[number]])]))
    assert found == f'="{number}"'
    assert as_spreadsheet(found) == number


@pytest.mark.parametrize(
    "text", ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", '="x"&A1', '=HYPERLINK("u";"v")', "\r=1"]
)
def test_no_text_becomes_a_formula_of_its_own(text):
    found = cell(text)
    assert as_spreadsheet(found) == text.replace("\r", " ").replace("\n", " ")


@given(st.text(max_size=40))
def test_whatever_people_type_is_read_back_as_text(text):
    [*_, [found]] = rows_of(sheet([("t", ["n"], [["x" + text]])]))
    assert found == " ".join(("x" + text).splitlines())
    plain, value = " ".join(text.splitlines()), as_spreadsheet(cell(text))
    assert value == plain or (isinstance(value, float) and float(plain) == value and len(plain) < DIGITS_SAFE)


def test_counts_and_shares_stay_numbers_and_are_not_rounded_below_six_digits():
    assert [cell(one) for one in (0, 12_345, -3, 0.123456, 1_234_567.891, True, False)] == [
        *("0", "12345", "-3", "0.123456", "1234567.891", "yes", "no"),
    ]
    assert cell(110105199003070028) == '="110105199003070028"'
    assert cell("2026") == "2026"
    assert cell("042") == '="042"'


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_csv_of_a_span_has_every_table_with_every_row(report, language):
    rows = rows_of(csv(report, language))
    wanted = sum(3 + len(table.rows) for table in tables_of(report)) + 3
    assert len(rows) == wanted
    batches = [as_spreadsheet(row[0]) for row in rows if len(row) == 7 and row[0].startswith('="')]
    assert [one.batch_number for one in report.late] == batches
    assert all(len(number) == 25 for number in batches)
    made = next(row for row in rows if row and row[0] in ("制成", "made"))
    assert int(made[1]) == report.cards["made"]


def test_serials_lost_in_a_shift_and_names_of_people_stand_as_text(report):
    lost = ShiftRow(
        shift=7, opened_floor_s=1.0, closed_floor_s=2.0, by="=ann", second="@bob", lost=["123456789012345678"]
    )
    rows = rows_of(csv(msgspec.structs.replace(report, shifts=[lost]), "en"))
    [row] = [row for row in rows if row and row[0] == "7"]
    assert [as_spreadsheet(one) for one in row[3:]] == ["=ann", "@bob", "123456789012345678"]


def test_the_csv_of_the_campaign_keeps_the_codes_of_units_and_fee_classes():
    unit = dict.fromkeys(("rank", "target", "completed", "completed_in_period", "received", "photo_faults"), 1)
    unit |= {"unit": "520102001000", "name": "=x", "year": "2026", "from": "2026-01", "to": "2026-12"}
    unit |= {"data_faults": 0, "completed_percent": 98.5, "complete": True, "capture_accuracy_percent": 100.0}
    fee = {"fee_class": "01", "group": "full"} | dict.fromkeys(FLOWS, 3)
    found = {
        "from": "2026-03",
        "to": "2026-03",
        "total": {"units": 1},
        "units": [unit],
        "unplanned": [unit],
        "fees": [fee],
    }
    rows = rows_of(campaign_csv(found))
    assert ['="520102001000"', '="=x"', "1", "2026", "2026-01"] in [row[:5] for row in rows]
    assert ['="01"', "full", "3"] in [row[:3] for row in rows]
