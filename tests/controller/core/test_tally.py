"""The tally's last hour, and what a floor wants: healthy idle looks healthy, a floor without blanks does not."""

from __future__ import annotations

from controller.core import events as e
from controller.core import moves as m
from controller.core.moves import SheetEnd
from controller.core.quality_moves import BundleOpened
from controller.core.rates import WINDOW_MINUTES, Window
from controller.core.starving import standing, wants
from controller.core.state import FloorState
from controller.core.tally import Tally
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor

HOUR_S = 3_600.0


def stocked(seed):
    floor = RoughFloor(seed, trouble=0.0)
    floor.two_people("receive", {"first_body": 90_000, "sheets": 10, "lot": "Z"})
    return floor


def test_the_window_holds_an_hour_and_no_more_however_long_it_runs():
    window = Window()
    for minute in range(500):
        window.add(minute * 60.0, "made", 2)
        assert len(window.minutes) <= WINDOW_MINUTES
    assert window.sums(499 * 60.0)["made"] == 120
    assert window.sums(499 * 60.0 + HOUR_S / 2)["made"] == 60
    assert window.sums(499 * 60.0 + HOUR_S)["made"] == 0
    window.add(1e9, "made", 1)
    assert len(window.minutes) == 1


def test_the_last_hour_counts_what_the_moves_of_that_hour_say():
    floor, tally = RoughFloor(5, trouble=0.02), Tally()
    for batch in range(1, 7):
        floor.submit(1_500.0 * batch, batch, cards=40)
    floor.run()
    for at, move in floor.log:
        tally.fold(at, move)
        if isinstance(move, m.BundleMade | m.JobEnded | m.ConsignmentSent):
            begin = (at // 60 - WINDOW_MINUTES + 1) * 60
            last = [(when, one) for when, one in floor.log if begin <= when <= at]
            packed = sum(len(one.cards) for _, one in last if isinstance(one, m.BundleMade))
            assert tally.window.sums(at)["made"] <= packed
    at = floor.log[-1][0]
    begin = (at // 60 - WINDOW_MINUTES + 1) * 60
    hour = [one for when, one in floor.log if when >= begin]
    sums = tally.window.sums(at)
    sizes = {one.bundle_id: len(one.cards) for _, one in floor.log if isinstance(one, m.BundleMade)}
    packed = sum(sizes[one.bundle_id] for one in hour if isinstance(one, m.BundleMade))
    assert sums["made"] == packed - sum(sizes[one.bundle_id] for one in hour if isinstance(one, BundleOpened)) > 0
    ended = [one for one in hour if isinstance(one, m.JobEnded) and one.step == "write"]
    assert sums["write"] == sum(end.worked.bit_count() for one in ended for end in one.sheets) > 0


def test_a_floor_with_nothing_to_make_is_idle_and_wants_nothing():
    floor = stocked(1)
    assert wants(floor.state) == []
    assert standing(floor.state, 0) == "idle"
    floor.submit(10.0, 1, cards=30)
    floor.host.run(40.0)
    assert standing(floor.state, 0) == "working"
    floor.run()
    assert standing(floor.state, 30) == "working"
    assert standing(floor.state, 0) == "idle"


def test_a_floor_without_blanks_starves_even_when_it_has_no_work_and_says_which_magazine_and_vault():
    floor = stocked(2)
    floor.state.stock.magazines.clear()
    told = [(one.what, one.where) for one in wants(floor.state)]
    assert told == [("magazine", "l1"), ("magazine", "l2")]
    assert standing(floor.state, 100) == "starving"
    assert "the magazine of l1 is empty" in [one.en for one in wants(floor.state)]
    empty = FloorState()
    assert ("vault", "") in [(one.what, one.where) for one in wants(empty)]
    assert {one.where for one in wants(empty) if one.what == "station"} == {step.value for step in Step}


def test_one_empty_magazine_is_named_but_starves_nobody():
    floor = RoughFloor(2, trouble=0.0)
    del floor.state.stock.magazines["l1"]
    assert [one.where for one in wants(floor.state) if one.what == "magazine"] == ["l1"]
    assert standing(floor.state, 0) == "idle"


def test_printers_without_film_starve_the_floor_and_a_press_that_waits_for_material_is_named():
    floor = RoughFloor(3, trouble=0.0)
    floor.host.handle(e.SupplyEntered("p1", "film", "F1", 1, "ann"), 1.0)
    floor.host.handle(e.SupplyEntered("p2", "film", "F2", 1, "ann"), 1.0)
    for station in ("p1", "p2"):
        floor.state.stock.supplies[station]["film"].units = 0
    assert standing(floor.state, 50) == "starving", "no film, and no work either"
    floor.host.handle(e.StationReported("l1", "suspended", "no laminate", 2.0), 2.0)
    floor.submit(10.0, 1, cards=30)
    floor.host.run(100.0)
    told = {(one.what, one.where): one for one in wants(floor.state)}
    assert told[("supply", "p1")].en == "p1 has used up film F1"
    assert told[("material", "l1")].zh == "l1 待料 (no laminate)"
    assert standing(floor.state, 0) == "starving"
    floor.host.handle(e.SupplyEntered("p1", "film", "F3", 500, "ann"), 101.0)
    assert standing(floor.state, 0) == "working"
    floor.host.handle(e.StationReported("l2", "suspended", "no laminate", 102.0), 102.0)
    assert standing(floor.state, 0) == "starving"


def test_work_before_a_step_whose_stations_are_all_down_is_stopped_and_not_starving():
    floor = RoughFloor(4, trouble=0.0)
    floor.host.handle(e.StationReported("i1", "aborted", "smoke", 1.0), 1.0)
    floor.submit(10.0, 1, cards=30)
    floor.host.run(50.0)
    assert standing(floor.state, 0) == "stopped"
    floor.host.handle(e.StationReported("i1", "idle", "", 60.0), 60.0)
    assert standing(floor.state, 0) == "working"
    floor.host.handle(e.HoldAsked("i1", "smells", "ann"), 61.0)
    assert standing(floor.state, 0) == "stopped"


def test_a_sheet_is_counted_as_done_twice_only_when_the_same_step_worked_on_it_twice():
    tally = Tally()
    tally.fold(0.0, m.StationJoined("i1", "inspect", "x", 1))
    tally.fold(0.0, m.SheetImposed(1, [1, 2, 0, 0, 0, 0, 0, 0]))
    for job, worked in ((1, 0), (2, 0b11), (3, 0b01)):
        tally.fold(1.0, m.JobStarted(job, "i1", "inspect", [1]))
        fate = "done" if worked else "untouched"
        tally.fold(2.0, m.JobEnded(job, "i1", "inspect", "done", 1.0, 2.0, [SheetEnd(1, fate, "00", worked)]))
    assert tally.reworked["inspect"] == tally.stations["i1"].reworked == 1
