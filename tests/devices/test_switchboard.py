"""The switchboard: one side for each station, a welcome before everything else, and no I/O."""

from __future__ import annotations

from devices.defects import Step
from devices.lies import Load
from devices.messages import VERSION, Ask, Hello, JobDone, Magazine, Release, Start, StationState, Status, Welcome
from devices.protocol import Joined, Silent, StateSeen
from devices.switchboard import Switchboard

HELLO = Hello(version=VERSION, step="print", model="m", load_max=1, state=StationState.IDLE)


def test_a_hello_is_welcomed_first_with_the_floors_time():
    board = Switchboard("centre", 60.0)
    board.ask("p1", 4, 0.0)
    heard = board.received("p1", HELLO, 1.0, 99.5)
    assert heard.messages[0] == Welcome(version=VERSION, centre="centre", floor_s=99.5, scale=60.0)
    assert heard.messages[1:] == [Ask(job_id=4)]
    assert heard.events == [Joined(HELLO)]


def test_one_that_is_heard_before_its_hello_is_welcomed_unasked_and_believed():
    heard = Switchboard("centre", 1.0).received("p1", Status(state=StationState.HELD, reason="jam"), 0.0, 0.0)
    assert isinstance(heard.messages[0], Welcome)
    assert heard.events == [StateSeen(StationState.HELD, "jam", 0.0, 0, 0)]


def test_stations_do_not_know_of_each_other():
    board = Switchboard("centre", 1.0)
    start = Start(job_id=1, step="print")
    assert board.start("p1", start, 0.0) == [start]
    assert board.start("p2", start, 0.0) == [start]
    assert board.start("p1", start, 0.0) == [], "given before"
    assert board.release("p1", [1]) == [Release(job_ids=[1])]
    assert board.side("p2") is not board.side("p1")


def test_a_result_of_an_earlier_life_is_released_unread_and_an_asked_one_is_checked_against_its_load():
    board = Switchboard("centre", 1.0, settled_below=5)
    old = JobDone(job_id=4, started_floor_s=0.0, ended_floor_s=1.0)
    assert board.received("p1", old, 0.0, 0.0).messages[-1] == Release(job_ids=[4])
    board.ask("p1", 5, 0.0, Load(Step.PRINT, (8,)))
    lied = board.received("p1", JobDone(job_id=5, started_floor_s=0.0, ended_floor_s=1.0), 0.0, 0.0)
    assert [event.code for event in lied.events] == ["station.bad_sheets"]  # type: ignore[union-attr]


def test_time_brings_silence_station_by_station_and_what_is_said_again():
    board = Switchboard("centre", 1.0, resend_s=2.0, silent_s=5.0)
    issue = Magazine(issue_id=1, first_body=10, sheets=2)
    assert board.magazine("l1", issue, 0.0) == [issue]
    board.received("p1", HELLO, 3.0, 0.0)
    told = dict(board.tick(3.5))
    assert told["l1"].messages == [issue]
    assert told["p1"].messages == []
    told = dict(board.tick(6.0))
    assert told["l1"].events == [Silent()]
    assert told["p1"].events == []


def test_who_was_heard_when_is_told_by_name():
    board = Switchboard("centre", 1.0)
    board.side("z9")
    board.received("p1", HELLO, 3.0, 0.0)
    assert list(board.heard_before_s(5.0).items()) == [("p1", 2.0), ("z9", None)]
