"""A start of an earlier life that arrives late: what it leads to is told, never released unread."""

from __future__ import annotations

from devices.defects import Step
from devices.lies import Load
from devices.messages import Ask, Hello, JobDone, JobTaken, JobUnseen, SheetResult, Start, StationState
from devices.protocol import ControllerSide, Finished, NeverSeen, Taken

LOAD = Load(Step.PUNCH, (3,))
START = Start(job_id=22, step="punch")
DONE = JobDone(
    job_id=22,
    started_floor_s=1.0,
    ended_floor_s=2.0,
    sheets=[SheetResult(3, fate="untouched", code="C4")],  # type: ignore[arg-type]
)


def asked_and_never_seen() -> ControllerSide:
    """The second life asks for job 22, which the first one gave; the station has not got it yet."""
    side = ControllerSide("c1", settled_below=23)
    side.received(Hello(version=1, step="punch", model="m", load_max=1, state=StationState.IDLE), 0.0)
    assert side.ask(22, 0.0, LOAD) == [Ask(job_id=22)]
    assert side.received(JobUnseen(job_id=22), 0.1).events == [NeverSeen(22)]
    return side


def test_a_result_before_the_job_is_given_again_is_told_and_not_released():
    # found by the storm: the first life's start was still under way, and its result was released unread
    side = asked_and_never_seen()
    heard = side.received(DONE, 1.0)
    assert (heard.events, heard.messages) == ([Finished(DONE)], [])
    assert side.start(START, 1.1) == [], "it is done"


def test_a_job_that_runs_after_all_is_not_given_again():
    side = asked_and_never_seen()
    assert side.received(JobTaken(job_id=22), 1.0).events == [Taken(22)]
    assert side.start(START, 1.1) == []


def test_a_job_that_was_never_seen_is_given_again_and_may_be_asked_for_again():
    side = asked_and_never_seen()
    assert side.tick(3.0).messages == [], "nothing is said again until somebody decides"
    assert side.ask(22, 3.1) == [Ask(job_id=22)]
    assert side.received(JobUnseen(job_id=22), 3.2).events == [NeverSeen(22)]
    assert side.start(START, 3.3) == [START]
