"""What the station's side of the link says and remembers, and one whole job over both sides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices import lies, station_side
from devices.defects import Step
from devices.lies import Load
from devices.messages import (
    VERSION,
    Ask,
    Fate,
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
    ToStation,
    Welcome,
)
from devices.protocol import (
    ControllerSide,
    Event,
    Finished,
    Joined,
    StateSeen,
    Taken,
)
from devices.recent import RecentIds
from devices.station_side import Model, StationSide

HELLO = Hello(version=VERSION, step="print", model="SIM", load_max=1, state=StationState.IDLE)
WELCOME = Welcome(version=VERSION, centre="C", floor_s=1000.0, scale=10.0)


def start_of(job_id: int, step: Step = Step.PRINT) -> Start:
    return Start(job_id=job_id, step=step, sheets=[SheetWork(job_id * 10, [PositionWork(face=b"x")] * 8)])


def done_of(job_id: int) -> JobDone:
    sheet = SheetResult(job_id * 10, positions=[PositionResult()] * 8)
    return JobDone(job_id=job_id, started_floor_s=1.0, ended_floor_s=31.0, sheets=[sheet])


def station(**options: bool) -> StationSide:
    side = StationSide(Model(step=Step.PRINT, model="SIM", load_max=1), **options)
    side.begin(0.0)
    side.received(WELCOME, 0.0)
    return side


def answers(side: StationSide, message: ToStation, now_s: float = 0.0) -> list[FromStation]:
    return side.received(message, now_s).replies


def test_a_station_says_hello_until_it_is_welcomed_and_then_beats():
    side = StationSide(Model(step=Step.PRINT, model="SIM", load_max=1))
    assert side.begin(0.0) == [HELLO]
    assert side.tick(0.5) == []
    assert side.tick(1.0) == [HELLO]
    [status] = answers(side, WELCOME, 1.1)
    assert status == Status(state=StationState.IDLE, since_floor_s=1000.0)
    assert side.tick(2.0) == []
    assert side.tick(2.1) == [status]


def test_an_unasked_welcome_is_answered_with_a_hello_once():
    side = station()
    hello, _ = answers(side, WELCOME, 5.0)
    assert isinstance(hello, Hello)
    [status] = answers(side, WELCOME, 5.1)
    assert isinstance(status, Status), "that was the answer"


def test_a_station_without_a_clock_takes_no_load():
    side = StationSide(Model(step=Step.PRINT, model="SIM", load_max=1))
    side.begin(0.0)
    assert side.received(start_of(1), 0.1) == station_side.Told()


def test_a_new_job_is_taken_once_and_answered_from_memory_after():
    side = station()
    told = side.received(start_of(1), 0.0)
    assert (told.replies, told.work) == ([JobTaken(job_id=1)], start_of(1))
    told = side.received(start_of(1), 0.1)
    assert (told.replies, told.work) == ([JobTaken(job_id=1)], None)
    side.finished(done_of(1), 1.0)
    told = side.received(start_of(1), 1.1)
    assert (told.replies, told.work) == ([done_of(1)], None)
    side.received(Release(job_ids=[1]), 2.0)
    told = side.received(start_of(1), 2.1)
    assert told.work is None
    assert [type(reply) for reply in told.replies] == [Status]


def test_a_second_job_is_put_off_while_one_runs_and_until_the_output_is_clear():
    side = station()
    side.received(start_of(1), 0.0)
    side.entered(StationState.EXECUTE, "", 1.0, 0.0)
    for now_s in (0.1, 0.2):
        told = side.received(start_of(2), now_s)
        assert told.work is None
        assert told.replies == [Status(state=StationState.EXECUTE, since_floor_s=1.0, job_id=1)]
    side.finished(done_of(1), 1.0)
    assert side.received(start_of(2), 1.1).work is None, "still executing: the output is not clear"
    side.entered(StationState.IDLE, "", 2.0, 1.2)
    assert side.received(start_of(2), 1.3).work == start_of(2)


def test_a_station_off_line_takes_nothing():
    side = station()
    side.entered(StationState.STOPPED, "operator", 1.0, 0.0)
    told = side.received(start_of(1), 0.1)
    assert (told.work, told.replies[0].state) == (None, StationState.STOPPED)


def test_a_load_that_can_never_be_taken_is_answered_with_the_reason():
    side = station()
    [status] = answers(side, start_of(1, Step.PUNCH))
    assert status.reason == station_side.NOT_MY_STEP
    two = Start(job_id=1, step="print", sheets=[SheetWork(1), SheetWork(2)])
    [status] = answers(side, two)
    assert status.reason == station_side.LOAD_TOO_LARGE


def test_a_result_is_said_again_until_it_is_released():
    side = station()
    side.received(start_of(1), 0.0)
    assert side.finished(done_of(1), 1.0) == [done_of(1)]
    assert done_of(1) not in side.tick(2.0)
    assert done_of(1) in side.tick(3.0)
    side.received(Release(job_ids=[1]), 3.1)
    assert done_of(1) not in side.tick(9.0)


def test_results_that_nobody_releases_stop_the_station_at_a_bound():
    side = station()
    for job_id in range(1, station_side.MAX_RESULTS + 1):
        assert side.received(start_of(job_id), 0.0).work
        side.finished(done_of(job_id), 0.0)
    assert side.received(start_of(1_000), 0.0).work is None
    side.received(Release(job_ids=[1]), 0.0)
    assert side.received(start_of(1_000), 0.0).work


def test_asking_is_answered_running_done_never_seen_and_after_release_unknown():
    side = station()
    assert answers(side, Ask(job_id=1)) == [JobUnseen(job_id=1)]
    side.received(start_of(1), 0.0)
    assert answers(side, Ask(job_id=1)) == [JobTaken(job_id=1)]
    side.finished(done_of(1), 0.0)
    assert answers(side, Ask(job_id=1)) == [done_of(1)]
    side.received(Release(job_ids=[1]), 0.0)
    assert answers(side, Ask(job_id=1)) == [JobUnknown(job_id=1)]


def test_a_station_that_lost_its_memory_never_says_never_seen_of_what_may_have_been():
    side = station(lost_memory=True)
    assert answers(side, Ask(job_id=9)) == [JobUnknown(job_id=9)]
    side.received(start_of(20), 0.0)
    assert answers(side, Ask(job_id=19)) == [JobUnknown(job_id=19)]
    assert answers(side, Ask(job_id=21)) == [JobUnseen(job_id=21)]


def test_another_centre_makes_the_station_forget_everything():
    side = station()
    side.received(start_of(1), 0.0)
    side.received(Magazine(issue_id=5, first_body=1, sheets=9), 0.0)
    told = side.received(Welcome(version=VERSION, centre="D", floor_s=5.0, scale=1.0), 1.0)
    assert told.forgotten
    assert told.replies[-1] == Status(state=StationState.IDLE, since_floor_s=5.0)
    assert answers(side, Ask(job_id=1)) == [JobUnseen(job_id=1)]
    assert side.finished(done_of(1), 2.0) == [], "it belongs to nobody now"
    assert side.received(Magazine(issue_id=5, first_body=1, sheets=9), 2.0).magazine


def test_an_issue_lands_in_the_magazine_once():
    side, issue = station(), Magazine(issue_id=5, first_body=1, sheets=9)
    told = side.received(issue, 0.0)
    assert (told.magazine, told.replies[0].issue_id) == (issue, 5)
    told = side.received(issue, 0.1)
    assert (told.magazine, told.replies[0].issue_id) == (None, 5)


def test_a_welcome_in_another_version_is_not_heard():
    side = StationSide(Model(step=Step.PRINT, model="SIM", load_max=1))
    side.begin(0.0)
    strange = Welcome(version=VERSION + 1, centre="C", floor_s=1.0, scale=1.0)
    assert side.received(strange, 0.1) == station_side.Told()
    assert side.tick(1.0) == [HELLO]


def test_released_jobs_are_remembered_within_a_bound_and_older_ones_as_before():
    recent = RecentIds(3)
    for number in (2, 5, 6, 5, 9):
        recent.add(number)
    assert len(recent) == 3
    assert all(number in recent for number in (1, 2, 5, 6, 9)), "1 and 2 are before what it remembers"
    assert not any(number in recent for number in (7, 8, 10))


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 9))
def test_released_jobs_in_any_order_are_never_forgotten_and_only_older_ones_are_counted_with_them(numbers, limit):
    recent = RecentIds(limit)
    for number in numbers:
        recent.add(number)
    newest = sorted(set(numbers))[-limit:]
    assert all(number in recent for number in numbers)
    assert len(recent) == len(newest)
    counted_with_them = [number for number in range(1, 62) if number in recent and number not in numbers]
    assert all(number < newest[0] for number in counted_with_them)


def test_a_whole_job_goes_through_both_sides():
    desk, machine = ControllerSide("p1"), StationSide(Model(step=Step.PRINT, model="SIM", load_max=1))
    said: list[FromStation] = machine.begin(0.0)
    events: list[Event] = []
    for now_s in range(20):
        orders: list[ToStation] = [*desk.tick(now_s).messages]
        said += machine.tick(now_s)
        while said or orders:
            for message in said:
                heard = desk.received(message, now_s)
                orders += [WELCOME] * heard.welcome + heard.messages
                events += heard.events
                if isinstance(message, Hello):
                    orders += desk.start(start_of(1), now_s)
                orders += desk.release([event.done.job_id for event in heard.events if isinstance(event, Finished)])
            said = []
            for order in orders:
                said += machine.received(order, now_s).replies
            orders = []
        if now_s == 10:
            said += machine.finished(done_of(1), now_s)
    kinds = [type(event) for event in events if not isinstance(event, StateSeen)]
    assert kinds == [Joined, Taken, Finished]


def test_fate_and_position_counts_of_the_examples_are_what_the_checks_want():
    assert lies.find_lie(done_of(1), Load(Step.PRINT, (10,))) == ""
    assert done_of(1).sheets[0].fate is Fate.DONE
