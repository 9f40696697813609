"""The plan of a campaign: what a table may say, and the line that is named where it says something else."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.campaign.plan import Plan, PlanError, Target, capture_faults, load_plan, read_targets
from controller.checks.codes import CODES
from controller.checks.shipped import load_tables
from controller.config import CampaignConfig

HEAD = "unit,year,from,to,cards\n"
GOOD = HEAD + "520102,2026,2026-01,2026-12,170000\n520102,2027,2027-01,2027-12,250000\n"


def test_a_plan_is_read_as_it_stands():
    targets = read_targets(GOOD + "520121001,pilot,2026-01,2026-04,9000\n", "plan.csv")
    assert targets[0] == Target("520102", "2026", "2026-01", "2026-12", 170_000)
    assert [(one.unit, one.year, one.cards) for one in targets[1:]] == [
        ("520102", "2027", 250_000),
        ("520121001", "pilot", 9_000),
    ]


@pytest.mark.parametrize(
    ("line", "row", "expected"),
    [
        (4, "52010,2026,2026-01,2026-12,1", "a unit of 6 digits"),
        (4, "52010２,2026,2026-01,2026-12,1", "a unit of 6 digits"),
        (4, "520103,26,2026-01,2026-12,1", "a year like 2026, or pilot"),
        (4, "520103,2026,2026-13,2026-12,1", "months like"),
        (4, "520103,2026,2026-05,2026-04,1", "`from` not after `to`"),
        (4, "520103,2026,2026-01,2026-12,0", "cards from 1"),
        (4, "520103,2026,2026-01,2026-12,1.5", "cards from 1"),
        (4, "520103,2026,2026-01,2026-12,1000000000", "cards from 1"),
        (4, "520103,2026,2026-01,2026-12", "5 cells"),
        (4, "520102,2026,2026-12,2027-01,1", "months that no other row of this unit has"),
        (5, '520103,2026,2026-01,2026-12,1\n"520104', "comma separated values"),
        (6, "\n\n520103,x,2026-01,2026-12,1", "a year like 2026"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(line, row, expected):
    with pytest.raises(PlanError) as error:
        read_targets(GOOD + row, "my plan.csv")
    assert f"my plan.csv, line {line}: expected" in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize(("text", "line"), [("", 1), ("unit;year\n", 1), (HEAD, 2)])
def test_a_table_without_columns_or_rows_is_no_plan(text, line):
    with pytest.raises(PlanError, match=f"line {line}: expected"):
        read_targets(text, "plan.csv")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    missing, strange = tmp_path / "missing.csv", tmp_path / "strange.csv"
    strange.write_bytes(HEAD.encode() + b"\xff\xfe")
    for path, expected in ((missing, "No such file"), (strange, "not UTF-8"), (tmp_path, "cannot be read")):
        with pytest.raises(PlanError, match=expected):
            load_plan(CampaignConfig(plan=str(path)))


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(GOOD, "utf-8-sig")
    plan = load_plan(CampaignConfig(plan=str(path), acceptance_percent=95.0, scope_age=18))
    assert (len(plan.targets), plan.acceptance_percent, plan.scope_age) == (2, 95.0, 18)


def test_the_shipped_plan_has_the_size_of_a_province_and_only_counties_of_the_pretend_one():
    targets = load_plan(CampaignConfig()).targets
    counties = set(load_tables().authorities)
    assert {one.unit[:6] for one in targets} == counties
    a_year: Counter[str] = Counter()
    for one in targets:
        if len(one.unit) == 6:
            assert one.first_month[:4] == one.last_month[:4]
            a_year[one.first_month[:4]] += one.cards
    assert a_year == dict.fromkeys(("2026", "2027", "2028"), 4_500_000)
    assert any([one.cards for one in targets if one.unit == unit] == [170_000, 250_000, 56_000] for unit in counties)
    [pilot] = [one for one in targets if one.year == "pilot"]
    assert (pilot.cards, pilot.first_month, pilot.last_month) == (200_000, "2026-01", "2026-04")


def test_a_period_has_the_targets_that_share_a_month_with_it():
    plan = Plan(read_targets(GOOD, "plan.csv"))
    assert [one.year for one in plan.within("2026-12", "2026-12")] == ["2026"]
    assert [one.year for one in plan.within("2026-12", "2027-01")] == ["2026", "2027"]
    assert plan.within("2028-01", "2028-12") == []


def test_what_a_code_says_of_the_capture_follows_from_its_group():
    faults = capture_faults()
    assert {one for code, one in faults.items() if CODES[code].group == "portrait"} == {"photo"}
    assert {one for code, one in faults.items() if CODES[code].group != "portrait"} == {"data"}
    assert not any(code.startswith("duplicate.") for code in faults)
    assert "number.lower_x" not in faults  # a note: it was made
    assert {"portrait.missing", "name.latin", "number.check_character", "reason.unknown"} <= set(faults)
