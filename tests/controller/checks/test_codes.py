"""The table of codes is whole, each code can be found, and the page about it is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.application import Application
from controller.checks.codes import CODES, GROUPS, Severity
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.page import page
from tests.controller.checks.plants import COMPANIONS, PLANTS

BATCH_FIELDS = {"batch_number", "count", "digest", "due", "card_kind", "received_on"}
ROOT = Path(__file__).resolve().parents[3]


def test_every_code_is_planted_by_a_test():
    assert set(PLANTS) == set(CODES)


@pytest.mark.parametrize("code", PLANTS)
def test_a_planted_fault_gives_its_code_and_no_other(code):
    found = {finding.code for finding in PLANTS[code]()}
    assert found == {code} | COMPANIONS.get(code, frozenset())


@pytest.mark.parametrize("row", CODES.values(), ids=CODES)
def test_a_code_is_dotted_has_a_group_a_wire_field_and_two_sentences(row):
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", row.code)
    assert row.group in GROUPS
    assert row.severity > Severity.OK
    fields = BATCH_FIELDS if row.code.startswith("batch.") else Application.__struct_fields__
    assert row.field in fields
    assert row.zh.endswith("。")
    assert row.en.endswith(".")
    assert row.en[0].isupper()
    assert "{" not in row.en + row.zh


def test_a_finding_knows_its_row_of_the_table():
    finding = Finding("number.lower_x", "identity_number")
    assert finding == FINDINGS["number.lower_x"]
    assert (finding.severity, finding.group) == (Severity.NOTE, "number")


def test_a_verdict_is_the_gravest_finding():
    note, hold, refuse = (FINDINGS[code] for code in ("number.lower_x", "name.single", "number.date"))
    assert verdict([]) is Severity.OK
    assert verdict([note]) is Severity.NOTE
    assert verdict([hold, note]) is Severity.HOLD
    assert verdict([note, refuse, hold]) is Severity.REFUSE


def test_the_committed_page_of_codes_is_current():
    assert (ROOT / "docs" / "codes.md").read_text("utf-8") == page()


def test_the_page_names_every_code_once():
    listed = re.findall(r"^\| `([a-z_.]+)` \|", page(), re.MULTILINE)
    assert sorted(listed) == sorted(CODES)
