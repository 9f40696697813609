"""The estimator: sums of moves that hold together, of bounded size, and near what the stations really do."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import moves as m
from controller.core.line import people_record, stock_record
from controller.core.line.bins import BINS_MAX, Bins
from controller.core.line.estimates import Estimator
from controller.core.line.figures import Estimates
from controller.core.moves import Mark, RowVerdict, Verdict
from controller.core.stock_moves import MagazineIssued, StockReceived, SupplyLoaded
from devices.messages import Fate, StationState
from tests.controller.core.line.forked_floor import FLOOR, Forked
from tests.controller.core.line.troubled_floor import estimates_of, troubled


@given(seed=st.integers(0, 1_000), until=st.floats(100.0, 9_000.0))
@settings(max_examples=10, deadline=None)
def test_sums_of_stations_and_steps_hold_together_whatever_happened(seed, until):
    rough = troubled(seed, until)
    estimates = estimates_of(rough)
    assert estimates.moves == len(rough.log)
    for step, figures in estimates.steps.items():
        mine = [one for one in estimates.stations.values() if one.step == step]
        assert sum(one.loads for one in mine) <= figures.loads
        assert sum(one.sheets for one in mine) == figures.sheets
        assert sum(one.struck for one in mine) == sum(figures.defects.values())
        assert figures.jams_spoiled + figures.jams_returned == figures.clear_s.count
        assert figures.stops_spoiled + figures.stops_returned <= figures.stopped_loads <= figures.loads
        assert figures.ratios.count == sum(figures.ratios.counts.values())
        assert figures.sheets <= figures.worked + sum(one.loads for one in mine) * 100
    assert all(one.busy_s >= 0.0 for one in estimates.stations.values())
    assert all(sum(bins.counts.values()) == bins.count for bins in estimates.waits.values())


@given(seed=st.integers(0, 1_000), cut=st.integers(0, 400))
@settings(max_examples=6, deadline=None)
def test_estimates_are_a_copy_and_folding_goes_on_from_them_as_before(seed, cut):
    log = troubled(seed).log
    whole, parted = Estimator(), Estimator()
    for at, move in log:
        whole.fold(at, move)
    for at, move in log[:cut]:
        parted.fold(at, move)
    early = parted.estimates()
    packed = msgspec.msgpack.encode(early)
    for at, move in log[cut:]:
        parted.fold(at, move)
    assert parted.estimates() == whole.estimates()
    assert msgspec.msgpack.encode(early) == packed
    assert msgspec.json.decode(msgspec.json.encode(early), type=Estimates) == early


def test_paces_repairs_and_defects_come_near_what_the_stations_were_set_to():
    floor = Forked(21, 40.0, batches=40, faults=3.0)
    for spec in FLOOR:
        figures = floor.estimates.stations[spec.name]
        units = spec.load_max if spec.step != "pack" else 20
        assert figures.load_s(units) == pytest.approx(spec.cycle_s(units), rel=0.1), spec.name
    downs = [one for figures in floor.estimates.steps.values() for one in [figures.down_s] if one.count]
    mean_s = sum(one.total for one in downs) / sum(one.count for one in downs)
    assert 100.0 < mean_s < 1_800.0
    busy_s = sum(one.busy_s for one in floor.estimates.stations.values())
    assert sum(one.stops for one in floor.estimates.stations.values()) > busy_s / (8 * 3_600.0)
    printed = floor.estimates.steps["print"]
    assert sum(printed.defects.values()) / printed.sheets == pytest.approx(8 * 0.005 * 3, rel=0.5)


def test_people_are_known_by_the_time_they_took():
    floor = Forked(21, 40.0, batches=40, faults=8.0)
    waits = floor.estimates.waits
    assert waits["settle"].count
    assert waits["settle"].mean() == pytest.approx(180.0, rel=0.05)
    assert floor.estimates.findings["settle"].keys() == {"spoiled"}
    assert floor.estimates.magazines.fills
    assert all(level < 72 for level, _ in floor.estimates.magazines.fills)


# ---- moves by hand --------------------------------------------------------------------------------------------


def load(estimator, job_id, at, ended, fate=Fate.DONE, downs=(), step="print", code="00"):
    estimator.fold(at, m.SheetImposed(job_id, [1, 2, 3, 4, 5, 6, 7, 8]))
    estimator.fold(at, m.JobStarted(job_id, "p1", step, [job_id]))
    for begin, end, state in downs:
        estimator.fold(begin, m.StationChanged("p1", state, "x", begin))
        if end is not None:
            estimator.fold(end, m.StationChanged("p1", StationState.IDLE, "", end))
    ends = [m.SheetEnd(job_id, fate, code, 255)]
    estimator.fold(ended, m.JobEnded(job_id, "p1", step, "done", at, ended, ends))


def begun():
    estimator = Estimator()
    estimator.fold(0.0, m.StationJoined("p1", "print", "x", 1))
    estimator.fold(0.0, m.StationChanged("p1", StationState.IDLE, "", 0.0))
    return estimator


def test_a_breakdown_is_no_part_of_a_loads_time_and_its_repair_is_counted():
    estimator = begun()
    load(estimator, 1, 0.0, 30.0)
    load(estimator, 2, 100.0, 730.0, downs=[(110.0, 710.0, StationState.ABORTED)])
    figures, step = estimator.estimates().stations["p1"], estimator.estimates().steps["print"]
    assert figures.load_s(1) == 30.0
    assert (figures.busy_s, figures.stops, step.stopped_loads) == (60.0, 1, 1)
    assert (step.down_s.count, step.down_s.total) == (1, 600.0)


def test_a_jam_is_counted_as_one_with_the_time_to_clear_it_and_is_no_breakdown():
    estimator = begun()
    load(estimator, 1, 0.0, 150.0, Fate.UNTOUCHED, [(20.0, None, StationState.HELD)], code="P4")
    estimator.fold(150.0, m.StationChanged("p1", StationState.IDLE, "", 150.0))
    load(estimator, 2, 200.0, 350.0, Fate.SPOILED, [(210.0, None, StationState.HELD)], code="P4")
    step = estimator.estimates().steps["print"]
    assert (step.jams_returned, step.jams_spoiled, step.clear_s.total) == (1, 1, 130.0 + 140.0)
    assert (estimator.estimates().stations["p1"].stops, step.down_s.count) == (0, 0)


def test_a_film_thrown_away_whole_counts_the_defects_that_were_seen_and_not_the_rest():
    estimator = begun()
    estimator.fold(0.0, m.SheetImposed(1, [1, 2, 3, 4, 5, 6, 7, 8]))
    estimator.fold(0.0, m.JobStarted(1, "p1", "print", [1]))
    for mask in (7, 248):
        estimator.fold(30.0, m.PositionsMarked(1, mask, Mark.FILM_SPOILED, "P1", "p1", "print", "print"))
    estimator.fold(30.0, m.JobEnded(1, "p1", "print", "done", 0.0, 30.0, [m.SheetEnd(1, Fate.DONE, "00", 255)]))
    assert estimator.estimates().steps["print"].defects == {"P1 print 3": 1}
    assert estimator.estimates().stations["p1"].struck == 1


def test_magazines_deliveries_and_supplies_are_remembered_as_they_were_found():
    estimator = begun()
    estimator.fold(0.0, StockReceived(1, 100, "a", "x", "y"))
    estimator.fold(0.0, MagazineIssued(1, "l1", 1, 20, "x", "y"))
    for body in range(1, 16):
        estimator.fold(10.0 * body, m.SheetBound(body, body, "l1"))
    estimator.fold(200.0, MagazineIssued(2, "l1", 21, 30, "x", "y"))
    estimator.fold(300.0, StockReceived(101, 500, "b", "x", "y"))
    magazines = estimator.estimates().magazines
    assert (magazines.fills, magazines.deliveries) == ([(5, 30)], [(50, 500)])
    estimator.fold(400.0, SupplyLoaded("p1", "film", "f1", 1, "x"))
    load(estimator, 1, 400.0, 430.0)
    assert "supply p1 film" in estimator.estimates().open_since_floor_s
    estimator.fold(500.0, SupplyLoaded("p1", "film", "f2", 300, "x"))
    estimates = estimator.estimates()
    assert (estimates.waits["supply"].total, estimates.supply_units) == (70.0, {"film": 300})


def test_nothing_the_estimator_keeps_grows_without_end(monkeypatch):
    monkeypatch.setattr(people_record, "OPEN_KEPT", 50)
    estimator = begun()
    for number in range(1, 400):
        at = number * 60.0
        rows = [RowVerdict(place, "", f"52042500{place % 9}", Verdict.HOLD) for place in range(10)]
        estimator.fold(at, m.BatchOpened(number, "n", "north", "second", at, at + 9e5, rows))
        estimator.fold(at, m.SheetImposed(number, [1] * 8))
        estimator.fold(at, m.PositionsMarked(number, 1, Mark.SPOILED, f"{number:02d}"[:2], "p1", "print", "print"))
        load(estimator, 10_000 + number, at, at + 1.5**number if number < 60 else at + 30.0)
    estimates = estimator.estimates()
    assert len(estimates.arrivals.shapes) == stock_record.SHAPES_KEPT
    assert len(estimates.open_since_floor_s) == 50
    assert len(estimates.steps["print"].ratios.counts) <= BINS_MAX
    assert estimates.arrivals.batches == sum(estimates.arrivals.by_hour) == 399


@given(values=st.lists(st.floats(0.0, 1e12), min_size=1, max_size=200))
def test_bins_hold_each_value_whatever_the_order(values):
    one, other = Bins(), Bins()
    for value in values:
        one.add(value)
    for value in reversed(values):
        other.add(value)
    assert one.counts == other.counts
    assert sum(one.counts.values()) == one.count == len(values)
    assert one.mean() == pytest.approx(sum(values) / len(values))
