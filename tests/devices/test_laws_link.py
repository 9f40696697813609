"""Attempts to break the link between controller and station: restarts without memory, words late and out of order."""

from __future__ import annotations

from devices.messages import (
    Hello,
    JobDone,
    JobTaken,
    JobUnseen,
    Magazine,
    Release,
    Start,
    StationState,
    Status,
    Welcome,
)
from devices.protocol import ControllerSide, Finished, Joined, NeverSeen, Unknown
from devices.station_side import Model, StationSide

PRESS = Model(step="laminate", model="m", load_max=24)


def hello(step: str = "laminate") -> Hello:
    return Hello(version=1, step=step, model="m", load_max=24, state=StationState.IDLE)


def magazine(issue_id: int) -> Magazine:
    return Magazine(issue_id=issue_id, first_body=100 * issue_id, sheets=50)


def told_magazines(said: list[object]) -> list[int]:
    return [one.issue_id for one in said if isinstance(one, Magazine)]


def test_a_press_that_comes_back_without_its_memory_is_told_again_what_lies_in_its_magazine():
    side = ControllerSide("l1")
    side.received(hello(), 0.0)
    for issue_id in (1, 2):
        side.magazine(magazine(issue_id), 1.0)
        side.received(Status(state=StationState.IDLE, issue_id=issue_id), 2.0)
    heard = side.received(hello(), 10.0)  # its process was started anew
    assert [type(event) for event in heard.events] == [Joined]
    said = [one for issue_id in (1, 2) for one in side.magazine(magazine(issue_id), 10.0)]  # the foreman tells it all
    said += side.received(Status(state=StationState.IDLE, issue_id=0), 10.1).messages
    said += side.received(Status(state=StationState.IDLE, issue_id=1), 10.2).messages
    assert told_magazines(said) == [1, 2]
    assert told_magazines(side.received(Status(state=StationState.IDLE, issue_id=2), 10.3).messages) == []


def test_a_press_that_kept_its_memory_fills_nothing_twice_when_it_is_told_again():
    side, station, filled = ControllerSide("l1"), StationSide(PRESS), []

    def to_station(messages, now_s):
        for message in messages:
            told = station.received(message, now_s)
            filled.extend(filter(None, [told.magazine]))
            for reply in told.replies:
                to_station(side.received(reply, now_s).messages, now_s)

    to_station([Welcome(version=1, centre="c", floor_s=0.0, scale=1.0)], 0.0)
    side.received(hello(), 0.0)
    for _ in range(3):
        for issue_id in (1, 2):
            to_station(side.magazine(magazine(issue_id), 1.0), 1.0)
        side.received(hello(), 2.0)  # a hello late, or said again
    assert [one.issue_id for one in filled] == [1, 2]


def test_a_job_never_seen_that_is_given_again_is_run_once_however_late_the_words_are():
    side = ControllerSide("w1", settled_below=9)
    side.received(hello("write"), 0.0)
    side.ask(5, 0.0)
    assert side.received(JobUnseen(job_id=5), 1.0).events == [NeverSeen(5)]
    start = Start(job_id=5, step="write")
    assert side.start(start, 1.0) == [start]
    assert side.received(JobUnseen(job_id=5), 1.1).events == []  # the first answer, twice on its way
    assert side.start(start, 1.2) == []
    side.received(JobTaken(job_id=5), 1.3)
    done = JobDone(job_id=5, started_floor_s=1.0, ended_floor_s=2.0)
    assert [type(event) for event in side.received(done, 2.0).events] == [Finished]
    assert side.received(done, 2.1).events == []
    assert side.release([5]) == [Release(job_ids=[5])]
    assert side.received(done, 3.0).messages == [Release(job_ids=[5])]


def test_a_station_that_took_a_job_and_then_knows_nothing_of_it_cannot_say():
    side = ControllerSide("w1")
    side.received(hello("write"), 0.0)
    side.start(Start(job_id=5, step="write"), 0.0)
    side.received(JobTaken(job_id=5), 0.1)
    side.received(hello("write"), 9.0)
    assert side.received(JobUnseen(job_id=5), 9.1).events == [Unknown(5)]


def test_a_job_of_an_earlier_life_that_nobody_asks_for_is_released_unread_and_one_asked_for_is_not():
    side = ControllerSide("w1", settled_below=9)
    side.ask(7, 0.0)
    done = JobDone(job_id=7, started_floor_s=1.0, ended_floor_s=2.0)
    assert [type(event) for event in side.received(done, 1.0).events] == [Finished]
    other = JobDone(job_id=6, started_floor_s=1.0, ended_floor_s=2.0)
    heard = side.received(other, 1.0)
    assert (heard.events, heard.messages) == ([], [Release(job_ids=[6])])
