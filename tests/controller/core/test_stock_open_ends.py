"""Complaint 21: every reject, every void and every consignment has a closing event, and open ones show their age."""

from __future__ import annotations

from controller.core import events as e
from controller.core.moves import RowVerdict, Verdict
from controller.core.open_ends import ROWS_MAX, Since, open_ends
from tests.controller.core.keepers_floor import KeepersFloor
from tests.controller.core.test_packing import stopped_floor


def ends_of(floor):
    since = Since()
    for at, move in floor.log:
        since.fold(at, move)
    return open_ends(floor.state, since)


def made_floor(trouble: float = 0.1) -> KeepersFloor:
    floor = KeepersFloor(2, trouble=trouble)
    floor.submit(50.0, 1, cards=60)
    floor.run()
    return floor


def rows_of(floor, kind):
    return [one for one in ends_of(floor).rows if one.kind == kind]


def test_spoiled_blanks_wait_oldest_first_until_two_people_destroyed_them():
    floor = made_floor()
    ends = ends_of(floor)
    assert ends.counts["spoiled"] == len(floor.state.stock.spoiled)
    assert [one.since_floor_s for one in ends.rows] == sorted(one.since_floor_s for one in ends.rows)
    assert {one.name for one in rows_of(floor, "spoiled")} == {f"blank {one}" for one in floor.state.stock.spoiled}
    floor.both("destroy", count=len(floor.state.stock.spoiled))
    assert "spoiled" not in ends_of(floor).counts


def test_a_missing_blank_waits_until_a_closed_shift_names_it():
    floor = made_floor(trouble=0.0)
    floor.both("receive", first_body=90_000, sheets=2, lot="B")
    floor.host.now_floor_s += 60.0
    floor.both("lost", station="vault", first_body=90_000, sheets=1)
    missing = rows_of(floor, "missing")
    assert len(missing) == 8
    assert {one.since_floor_s for one in missing} == {floor.host.now_floor_s}
    floor.count_all()
    floor.both("close_shift")
    assert not rows_of(floor, "missing")


def test_a_consignment_waits_until_each_police_station_counted_it():
    floor = made_floor(trouble=0.0)
    assert len(rows_of(floor, "consignment")) == 3
    for left, unit in ((2, "520102000"), (1, "520102001"), (0, "520102002")):
        floor.say(e.ArrivalReported(1, unit, 20, 20, "cat"))
        assert len(rows_of(floor, "consignment")) == left


def test_a_held_card_waits_since_its_batch_came():
    floor = KeepersFloor(1, trouble=0.0)
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.HOLD, ["name.single"])]
    floor.say(e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 9e9, rows))
    [held] = rows_of(floor, "held")
    assert (held.name, held.since_floor_s) == ("card 10000", 0.0)
    floor.say(e.DecisionMade(10_000, "release", "ann", "looked"))
    assert not rows_of(floor, "held")


def test_a_suspect_waits_since_it_became_one_until_it_is_settled():
    floor = KeepersFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=8)
    while not any(job.step == "laminate" for job in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    [job] = floor.state.jobs.values()
    at = floor.host.now_floor_s
    floor.say(e.JobForgotten(job.station, job.job_id))
    [suspect] = rows_of(floor, "suspect")
    assert (suspect.name, suspect.since_floor_s) == (f"sheet {job.sheets[0]}", at)
    floor.settle_suspects()
    assert not rows_of(floor, "suspect")


def test_a_stopped_pile_waits_since_the_scan_that_stopped_it():
    floor, _, _ = stopped_floor()
    [pile] = rows_of(floor, "pile")
    stopped = next(at for at, move in floor.log if type(move).__name__ == "BundleStopped")
    assert pile.since_floor_s == stopped
    floor.look_through_piles()
    assert not rows_of(floor, "pile")


def test_a_card_that_stopped_waits_until_a_person_decides():
    floor = KeepersFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=1)
    floor.host.run(1.0)
    [job_id] = floor.state.encode_jobs
    floor.say(e.CardsEncoded(job_id, [(10_000, "face.no_glyph")]))
    assert [one.name for one in rows_of(floor, "stopped")] == ["card 10000"]
    floor.say(e.DecisionMade(10_000, "refuse_late", "ann", "cannot be drawn"))
    assert not rows_of(floor, "stopped")


def test_the_list_ends_at_a_thousand_of_the_oldest_and_the_counts_do_not():
    floor = KeepersFloor(1, trouble=0.0)
    floor.state.stock.spoiled = {serial: 5_000.0 - serial for serial in range(2_500)}
    ends = ends_of(floor)
    assert ends.counts == {"spoiled": 2_500}
    assert len(ends.rows) == ROWS_MAX
    assert ends.rows[0].name == "blank 2499"
