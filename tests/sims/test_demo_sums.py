"""What must hold of a demo's report: each sum, broken alone, is named."""

from __future__ import annotations

import copy

import pytest

from sims.demo.sums import FULL_FLOOR_CARDS, broken_sums

GOOD = {
    "submitted": 6_000,
    "accepted": 5_800,
    "refused": 200,
    "dispatched": 5_790,
    "cancelled": 6,
    "refused_late": 4,
    "open": 0,
    "planted_bad": 180,
    "planted_bad_caught": 180,
    "good_refused": 0,
    "yearly_capacity": 9_000_000,
    "remade": 150,
    "kills": 5,
    "blanks": {"difference": 0, "received": 9_000},
    "shift": {"closed": 1, "accounted": 9_000, "undestroyed": 0, "missing": 0},
    "receipts": {"final": 5_800, "missing": 0, "double": 0, "unaccepted": 0, "gaps": 0},
    "heard": {"refused": 200, "dispatched": 5_790},
    "rty": 0.97,
}


def test_a_good_report_breaks_nothing():
    assert broken_sums(GOOD, 5) == []


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("submitted", 6_001, "submitted is 6,001, and not accepted + refused, 6,000"),
        ("cancelled", 7, "accepted is 5,800, and not dispatched + cancelled + refused_late + open, 5,801"),
        ("open", 1, "open is 1, and not 0"),
        ("blanks.difference", -8, "blanks.difference is -8, and not 0"),
        ("shift.closed", 0, "shift.closed is 0, and not at least 1"),
        ("shift.accounted", 8_999, "shift.accounted is 8,999, and not blanks.received, 9,000"),
        ("shift.undestroyed", 3, "shift.undestroyed is 3, and not 0"),
        ("planted_bad_caught", 179, "planted_bad_caught is 179, and not planted_bad, 180"),
        ("good_refused", 2, "good_refused is 2, and not 0"),
        ("receipts.final", 5_799, "receipts.final is 5,799, and not accepted, 5,800"),
        ("receipts.missing", 1, "receipts.missing is 1, and not 0"),
        ("receipts.double", 1, "receipts.double is 1, and not 0"),
        ("receipts.unaccepted", 1, "receipts.unaccepted is 1, and not 0"),
        ("receipts.gaps", 1, "receipts.gaps is 1, and not 0"),
        ("heard.dispatched", 5_789, "heard.dispatched is 5,789, and not dispatched, 5,790"),
        ("kills", 4, "kills is 4, and not the kills that were ordered, 5"),
        ("yearly_capacity", 4_499_999, "yearly_capacity is 4,499,999, and not at least 4,500,000"),
        ("remade", 0, "remade is 0, and not at least 1"),
    ],
)
def test_each_sum_that_does_not_hold_is_named_with_both_sides(path, value, named):
    report = copy.deepcopy(GOOD)
    *parents, name = path.split(".")
    place = report
    for parent in parents:
        place = place[parent]
    place[name] = value
    assert named in broken_sums(report, 5)


def test_a_short_run_is_not_judged_by_speed_and_losses():
    short = GOOD | {"submitted": 100, "accepted": 95, "refused": 5, "dispatched": 95, "cancelled": 0, "refused_late": 0}
    short |= {"receipts": GOOD["receipts"] | {"final": 95}, "heard": {}, "yearly_capacity": 1, "remade": 0}
    assert short["submitted"] < FULL_FLOOR_CARDS
    assert broken_sums(short, 5) == []
