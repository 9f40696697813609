"""What waits and who works, move by move: cards without a chip, loads that come back, stations that are down."""

from __future__ import annotations

import pytest

from controller.core import moves as m
from controller.core.calendar import Calendar
from controller.core.settings import CalendarConfig
from controller.report import stops as stops_file
from controller.report.flow import Flow
from controller.report.overtime import OvertimeFold
from controller.report.stops import Stops

CARDS = [10_001, 10_002, 0, 0, 0, 0, 0, 0]
CALENDAR = Calendar(CalendarConfig(shifts="08:00-16:00", weekdays="1234567"))
NIGHT = 20 * 3_600.0


def batch(kind):
    return m.BatchOpened(1, "1", "north", kind, 0.0, 9.0, [])


def job(number, station, step, sheets):
    return m.JobStarted(number, station, step, sheets)


def ended(number, station, step, sheets, fate="done"):
    worked = 0 if fate == "untouched" else 3
    ends = [m.SheetEnd(sheet, fate, "", worked) for sheet in sheets]
    return m.JobEnded(number, station, step, "done", 0.0, 0.0, ends)


def fold_all(fold, told):
    for at, move in told:
        fold.fold(at, move)


@pytest.mark.parametrize(("kind", "after"), [("first", "inspect"), ("second", "write")])
def test_after_the_punch_a_sheet_waits_for_the_next_step_of_its_own_kind(kind, after):
    flow, other = Flow(lambda: 0), {"inspect": "write", "write": "inspect"}[after]
    told = [(0.0, batch(kind)), (0.0, m.SheetImposed(1, CARDS)), (0.0, m.SheetImposed(2, CARDS))]
    for place, step in enumerate(("print", "laminate", "punch")):
        told += [(10.0 * place, job(place, "x", step, [1, 2])), (10.0 * place, ended(place, "x", step, [1, 2]))]
    told += [(30.0, job(7, "a", after, [1])), (30.0, job(8, "b", other, []))]
    fold_all(flow, told)
    sums = flow.take(100.0)
    assert (sums[after], sums[other]) == (70.0, 0.0), "one sheet waits before the step of its kind alone"


def test_a_sheet_that_comes_back_untouched_waits_for_the_same_step_and_a_spoiled_one_for_none():
    flow = Flow(lambda: 0)
    told = [(0.0, m.SheetImposed(1, CARDS)), (0.0, m.SheetImposed(2, CARDS))]
    told += [(0.0, job(1, "p1", "print", [1])), (5.0, ended(1, "p1", "print", [1], "untouched"))]
    told += [(5.0, job(2, "p1", "print", [1])), (5.0, job(3, "p2", "print", [2]))]
    told += [(9.0, m.PositionsMarked(2, 3, m.Mark.FILM_SPOILED, "P1", "p2", "print", "print"))]
    told += [(9.0, ended(3, "p2", "print", [2], "spoiled"))]
    fold_all(flow, told)
    sums = flow.take(10.0)
    # 0 to 5: sheet 2 waits, one station works; 5 to 9: nothing waits; from 9 on the spoiled cards are ready again
    assert sums["print"] == 5.0 + 1.0
    assert sums["laminate"] == 0.0


def test_cards_are_ready_until_they_are_imposed_or_a_person_decides():
    flow = Flow(lambda: 0)
    told = [(0.0, m.EncodeStarted(1, [10_001, 10_002, 10_003, 10_004])), (0.0, job(9, "p1", "print", []))]
    told += [(1.0, m.CardDecided(10_004, "cancel", "ann", "x"))]  # while it is encoded
    told += [(2.0, m.EncodeEnded(1, [(10_003, "E1")])), (4.0, m.SheetImposed(1, [10_001, *[0] * 7]))]
    told += [(4.0, job(10, "p2", "print", [1])), (6.0, m.CardStopped(10_002, "C1"))]
    fold_all(flow, told)
    assert flow.take(20.0)["print"] == 2.0 + 2 * 2.0


def test_good_cards_wait_for_a_packer_unless_one_has_them():
    good = [0]
    flow = Flow(lambda: good[0])
    flow.fold(0.0, m.SheetImposed(1, CARDS))
    good[0] = 2
    flow.fold(0.0, m.PositionsMarked(1, 3, m.Mark.PASSED, "00", "i1", "inspect", "inspect"))
    flow.fold(1.0, m.JobStarted(1, "k1", "pack", [], 5, [10_001]))
    flow.fold(4.0, m.JobStarted(2, "k2", "pack", [], 6, [10_002]))
    assert flow.take(9.0)["pack"] == 3.0


def test_a_load_counts_as_overtime_while_its_station_can_work_and_the_floor_is_closed():
    states = {"p1": "idle", "p2": "idle"}
    fold = OvertimeFold(CALENDAR, states.__getitem__)
    told = [(15 * 3_600.0, job(1, "p1", "print", [])), (NIGHT, job(2, "p2", "print", []))]
    fold_all(fold, told)
    states["p1"] = "aborted"
    fold.fold(NIGHT + 60.0, m.StationChanged("p1", "aborted", "", 0.0))
    fold.fold(NIGHT + 100.0, ended(2, "p2", "print", []))
    fold.fold(NIGHT + 200.0, ended(1, "p1", "print", []))
    fold.fold(NIGHT + 300.0, m.BundleMade(1, 1, "u", [1, 2, 3], "k1"))
    fold.fold(32 * 3_600.0, m.BundleMade(2, 1, "u", [4], "k1"))
    since_closing = NIGHT - 16 * 3_600.0
    assert fold.take(40 * 3_600.0) == (since_closing + 100.0, since_closing + 60.0 + 100.0, 3)
    assert fold.take(41 * 3_600.0) == (0.0, 0.0, 0)


def test_stops_of_too_many_kinds_are_counted_together(monkeypatch):
    monkeypatch.setattr(stops_file, "KEPT_MAX", 2)
    stops = Stops({}, 0.0)
    for place in range(4):
        stops.fold(10.0 * place, m.StationChanged("p1", "aborted", f"reason {place}", 0.0))
    rows = {(row.station, row.state, row.reason): (row.times, row.seconds) for row in stops.rows(100.0)}
    assert rows == {
        ("p1", "aborted", "reason 0"): (1, 10.0),
        ("p1", "aborted", "reason 1"): (1, 10.0),
        ("", "others", ""): (2, 80.0),
    }
