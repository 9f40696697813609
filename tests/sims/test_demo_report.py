"""What the demo adds to the floor's report."""

from __future__ import annotations

import json

import pytest

from controller.ledger.verify.whole import Verified
from controller.report.figures import build_report
from devices.defects import Step
from sims.demo.options import DemoOptions
from sims.demo.report import audit_faults, bad_stops, composed
from tests.controller.core.rough_floor import RoughFloor

UPSTREAM = {
    "submitted": 100,
    "accepted": 95,
    "refused": 5,
    "made": 95,
    "dispatched": 95,
    "cancelled": 0,
    "refused_late": 0,
    "receipts": {"taken": 400, "final": 95, "missing": 0, "double": 0, "unaccepted": 0, "gaps": 0, "repeated": 3},
    "planted": {"planted_bad": 5, "planted_bad_caught": 4, "good_refused": 1, "planted_hold": 2, "wrong_code": [{}]},
}


@pytest.fixture(scope="module")
def floor_report():
    floor = RoughFloor(3, trouble=0.05)
    floor.submit(600.0, 1, cards=60, holds=3, refused=4)
    floor.run()
    return build_report(floor.log, 4_000.0)


@pytest.fixture(scope="module")
def report(floor_report):
    return composed(floor_report, UPSTREAM, DemoOptions(cards=100, seed=9))


def test_what_was_planted_and_received_is_upstream_s_word(report):
    assert (report["planted_bad"], report["planted_bad_caught"], report["good_refused"]) == (5, 4, 1)
    assert report["receipts"]["final"] == 95
    assert report["receipts"]["repeated"] == 3
    assert report["heard"]["dispatched"] == 95
    assert (report["cards"], report["seed"]) == (100, 9)


def test_counts_are_plain_numbers_for_every_step_and_station_and_their_parts_stand_beside(report):
    assert set(report["spoiled_by_step"]) == {step.value for step in Step}
    assert all(type(count) is int for count in report["spoiled_by_step"].values())
    assert sum(report["spoiled_by_step"].values()) == report["remade"] > 0
    assert sum(count for codes in report["spoiled_by_cause"].values() for count in codes.values()) == report["remade"]
    assert set(report["oee_by_station"]) == set(report["oee_parts_by_station"]) == set(report["stations"])
    for name, share in report["oee_by_station"].items():
        assert share == report["oee_parts_by_station"][name]["oee"]


def test_everything_else_is_the_floor_s_own_report_and_all_of_it_is_json(floor_report, report):
    assert {name: report[name] for name in floor_report} == floor_report
    assert json.loads(json.dumps(report)) == report


def test_a_damaged_ledger_and_a_bad_stop_are_named():
    assert audit_faults(Verified()) == bad_stops({"service": 0, "stations": 0}) == []
    assert audit_faults(Verified(faults=["move 7 was edited"])) == ["the ledger does not verify: move 7 was edited"]
    (sentence,) = bad_stops({"service": -9, "stations": 0})
    assert "service" in sentence
    assert "-9" in sentence
