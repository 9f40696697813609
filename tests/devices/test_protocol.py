"""What the controller's side of the station link says and notices, message by message."""

from __future__ import annotations

from devices import lies, protocol
from devices.defects import Step
from devices.lies import Load
from devices.messages import (
    VERSION,
    Ask,
    FromStation,
    Hello,
    JobDone,
    JobTaken,
    JobUnknown,
    JobUnseen,
    Magazine,
    PositionResult,
    PositionWork,
    Release,
    SheetResult,
    SheetWork,
    Start,
    StationState,
    Status,
)
from devices.protocol import (
    Back,
    ControllerSide,
    Event,
    Finished,
    Joined,
    Lied,
    NeverSeen,
    Silent,
    StateSeen,
    Taken,
    Unknown,
)

HELLO = Hello(version=VERSION, step="print", model="SIM", load_max=1, state=StationState.IDLE)
IDLE = Status(state=StationState.IDLE)


def start_of(job_id: int, step: Step = Step.PRINT) -> Start:
    return Start(job_id=job_id, step=step, sheets=[SheetWork(job_id * 10, [PositionWork(face=b"x")] * 8)])


def done_of(job_id: int) -> JobDone:
    sheet = SheetResult(job_id * 10, positions=[PositionResult()] * 8)
    return JobDone(job_id=job_id, started_floor_s=1.0, ended_floor_s=31.0, sheets=[sheet])


def controller(**options: float) -> ControllerSide:
    side = ControllerSide("p1", **options)
    side.received(HELLO, 0.0)
    side.received(IDLE, 0.0)
    return side


def events_of(side: ControllerSide, message: FromStation, now_s: float = 0.0) -> list[Event]:
    return side.received(message, now_s).events


def test_a_hello_is_welcomed_and_told():
    heard = ControllerSide("p1").received(HELLO, 0.0)
    assert heard.welcome
    assert heard.events == [Joined(HELLO)]


def test_a_station_heard_before_its_hello_is_welcomed_unasked():
    side = ControllerSide("p1")
    assert side.received(IDLE, 0.0).welcome
    assert side.received(HELLO, 0.1).welcome
    assert not side.received(IDLE, 0.2).welcome


def test_a_hello_in_another_version_or_of_no_step_is_a_lie_and_not_welcomed():
    side = ControllerSide("p1")
    strange = Hello(version=VERSION + 1, step="print", model="", load_max=1, state=StationState.IDLE)
    heard = side.received(strange, 0.0)
    assert (heard.events, heard.welcome) == ([Lied(lies.BAD_VERSION)], False)
    heard = side.received(Hello(version=VERSION, step="sew", model="", load_max=1, state=StationState.IDLE), 0.0)
    assert (heard.events, heard.welcome) == ([Lied(lies.BAD_STEP)], False)


def test_an_unanswered_start_is_said_again_every_resend_s_and_not_after_it_was_taken():
    side = controller(resend_s=2.0, silent_s=100.0)
    assert side.start(start_of(1), 0.0) == [start_of(1)]
    assert side.tick(1.9).messages == []
    assert side.tick(2.0).messages == [start_of(1)]
    assert side.tick(3.9).messages == []
    assert side.tick(4.0).messages == [start_of(1)]
    assert events_of(side, JobTaken(job_id=1), 4.1) == [Taken(1)]
    assert events_of(side, JobTaken(job_id=1), 4.2) == [], "once is enough"
    assert side.tick(10.0).messages == []


def test_a_start_is_taken_also_when_only_the_status_says_so():
    side = controller()
    side.start(start_of(1), 0.0)
    status = Status(state=StationState.EXECUTE, job_id=1)
    assert Taken(1) in events_of(side, status, 0.1)


def test_a_start_put_off_by_a_broken_station_is_said_again_as_soon_as_it_is_idle():
    side = controller(resend_s=2.0)
    side.start(start_of(1), 0.0)
    assert side.received(Status(state=StationState.ABORTED), 0.1).messages == []
    assert side.received(IDLE, 0.2).messages == [start_of(1)]
    assert side.received(IDLE, 0.3).messages == []


def test_giving_the_same_job_twice_says_it_once():
    side = controller()
    assert side.start(start_of(1), 0.0)
    assert side.start(start_of(1), 0.1) == []


def test_a_result_is_told_once_and_released_as_often_as_it_is_said():
    side = controller()
    side.start(start_of(1), 0.0)
    assert events_of(side, done_of(1)) == [Finished(done_of(1))]
    assert side.received(done_of(1), 1.0) == protocol.Heard(), "not durable yet: neither told nor released"
    assert side.release([1]) == [Release(job_ids=[1])]
    again = side.received(done_of(1), 2.0)
    assert (again.events, again.messages) == ([], [Release(job_ids=[1])])


def test_a_result_nobody_asked_for_is_a_lie_unless_an_earlier_life_settled_it():
    assert events_of(controller(), done_of(7)) == [Lied(lies.JOB_NOT_GIVEN, 7)]
    side = controller(settled_below=8)
    heard = side.received(done_of(7), 0.0)
    assert (heard.events, heard.messages) == ([], [Release(job_ids=[7])])
    side = controller(settled_below=8)
    side.ask(7, 0.0)
    assert events_of(side, done_of(7)) == [Finished(done_of(7))], "asked for: still open"


def test_a_lie_about_a_job_leaves_the_job_open():
    side = controller()
    side.start(start_of(1), 0.0)
    false = JobDone(job_id=1, started_floor_s=1.0, ended_floor_s=2.0, sheets=[SheetResult(11)])
    assert events_of(side, false) == [Lied(lies.BAD_SHEETS, 1)]
    assert events_of(side, done_of(1)) == [Finished(done_of(1))]


def test_asking_brings_each_of_the_four_answers():
    for answer, event in (
        (JobTaken(job_id=1), Taken(1)),
        (done_of(1), Finished(done_of(1))),
        (JobUnseen(job_id=1), NeverSeen(1)),
        (JobUnknown(job_id=1), Unknown(1)),
    ):
        side = controller(silent_s=100.0)
        assert side.ask(1, 0.0, Load(Step.PRINT, (10,))) == [Ask(job_id=1)]
        assert side.tick(2.0).messages == [Ask(job_id=1)]
        assert events_of(side, answer, 2.1) == [event]
        assert side.tick(9.0).messages == [], "answered"


def test_a_job_asked_for_with_its_load_is_checked_as_one_that_was_given():
    side = controller()
    side.ask(1, 0.0, Load(Step.PRINT, (99,)))
    assert events_of(side, done_of(1)) == [Lied(lies.BAD_SHEETS, 1)]


def test_a_station_that_restarted_is_asked_before_it_is_given_the_job_again():
    side = controller()
    side.start(start_of(1), 0.0)
    assert side.received(HELLO, 1.0).messages == [Ask(job_id=1)]
    heard = side.received(JobUnseen(job_id=1), 1.1)
    assert (heard.messages, heard.events) == ([start_of(1)], []), "it still has the load: nobody need be told"


def test_never_seen_from_a_station_that_had_taken_the_job_counts_as_unknown():
    side = controller()
    side.start(start_of(1), 0.0)
    side.received(JobTaken(job_id=1), 0.1)
    side.received(HELLO, 1.0)
    assert events_of(side, JobUnseen(job_id=1), 1.1) == [Unknown(1)]


def test_a_result_after_unknown_is_still_told():
    side = controller()
    side.ask(1, 0.0)
    assert events_of(side, JobUnknown(job_id=1)) == [Unknown(1)]
    assert events_of(side, JobUnknown(job_id=1)) == []
    assert events_of(side, done_of(1)) == [Finished(done_of(1))]


def test_a_lost_result_is_asked_for_when_the_status_shows_another_job():
    side = controller()
    side.start(start_of(1), 0.0)
    side.received(JobTaken(job_id=1), 0.1)
    assert side.received(IDLE, 5.0).messages == [Ask(job_id=1)]


def test_old_words_about_jobs_have_no_effect():
    side = controller()
    for message in (JobTaken(job_id=5), JobUnseen(job_id=5), JobUnknown(job_id=5)):
        assert side.received(message, 0.0) == protocol.Heard()
    side.start(start_of(1), 0.0)
    assert side.received(JobUnseen(job_id=1), 0.1) == protocol.Heard(), "nobody had asked"
    side.received(done_of(1), 0.2)
    assert side.received(JobTaken(job_id=1), 0.3) == protocol.Heard(), "it is done"


def test_silence_is_told_once_and_coming_back_asks_for_what_is_open():
    side = controller(silent_s=5.0)
    side.start(start_of(1), 0.0)
    side.received(JobTaken(job_id=1), 0.0)
    assert side.tick(4.9).events == []
    assert side.tick(5.0).events == [Silent()]
    assert side.tick(60.0) == protocol.Heard(), "a dead station costs nothing"
    heard = side.received(Status(state=StationState.EXECUTE, job_id=1), 61.0)
    assert heard.events == [Back(), StateSeen(StationState.EXECUTE, "", 0.0, 1, 0)]
    assert heard.messages == [Ask(job_id=1)]


def test_a_station_that_never_comes_is_told_silent_from_the_first_call_on():
    side = ControllerSide("p1", silent_s=5.0)
    assert side.tick(100.0) == protocol.Heard(), "nobody waits for it"
    side.ask(1, 100.0)
    assert side.tick(105.0).events == [Silent()]


def test_a_heartbeat_that_says_nothing_new_is_not_told():
    side = ControllerSide("p1")
    side.received(HELLO, 0.0)
    assert events_of(side, IDLE) == [StateSeen(StationState.IDLE, "", 0.0, 0, 0)]
    assert events_of(side, IDLE, 1.0) == []
    held = Status(state=StationState.HELD, reason="jam", since_floor_s=7.0)
    assert events_of(side, held, 2.0) == [StateSeen(StationState.HELD, "jam", 7.0, 0, 0)]


def test_issues_are_told_one_after_the_other_until_the_station_has_them():
    first, second = (Magazine(issue_id=number, first_body=number * 100, sheets=50) for number in (3, 4))
    side = controller(silent_s=100.0)
    assert side.magazine(first, 0.0) == [first]
    assert side.magazine(second, 0.0) == []
    assert side.magazine(first, 0.0) == [], "under way already"
    assert side.tick(2.0).messages == [first]
    assert side.received(Status(state=StationState.IDLE, issue_id=3), 2.1).messages == [second]
    assert side.received(Status(state=StationState.IDLE, issue_id=4), 2.2).messages == []
    assert side.magazine(first, 3.0) == [], "it has it"
