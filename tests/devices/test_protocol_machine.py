"""Both sides of the link over a line that loses, repeats, reorders and delays, with a controller that dies."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.defects import Step
from devices.messages import (
    ControllerSaid,
    Fate,
    JobDone,
    Magazine,
    PositionResult,
    SheetResult,
    SheetWork,
    Start,
    StationSaid,
    StationState,
    Welcome,
)
from devices.protocol import ControllerSide, Finished, Heard, Joined, Lied, NeverSeen, Unknown
from devices.station_side import Model, StationSide, Told
from encoders.envelope import Opener, pack

TO_STATION: Opener[ControllerSaid] = Opener(ControllerSaid)
FROM_STATION: Opener[StationSaid] = Opener(StationSaid)
SHEETS_PER_JOB = 2


def result_of(job_id: int, at_s: float) -> JobDone:
    sheet_ids = range(job_id * 10, job_id * 10 + SHEETS_PER_JOB)
    sheets = [
        SheetResult(sheet_id=sheet_id, body=sheet_id + 7, fate=Fate.DONE, positions=[PositionResult()] * 8)
        for sheet_id in sheet_ids
    ]
    return JobDone(job_id=job_id, started_floor_s=at_s, ended_floor_s=at_s + 1, sheets=sheets)


def start_of(job_id: int) -> Start:
    sheet_ids = range(job_id * 10, job_id * 10 + SHEETS_PER_JOB)
    return Start(job_id=job_id, step=Step.LAMINATE, sheets=[SheetWork(sheet_id) for sheet_id in sheet_ids])


class JobsOverABadLine(RuleBasedStateMachine):
    """Whatever the line does and however often the controller dies, no job runs twice and each is told once.

    The ledger is what survives the controller: jobs given, results taken, releases decided.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.to_station: list[bytes] = []
        self.to_controller: list[bytes] = []
        self.brought: list[tuple[bool, bytes]] = []  # what the line brought to the station (True) or controller
        self.given: list[int] = []
        self.committed: Counter[int] = Counter()
        self.uncommitted: list[int] = []
        self.runs: Counter[int] = Counter()
        self.magazines: Counter[int] = Counter()
        self.issues: list[Magazine] = []
        self.next_id = 1
        self.station = StationSide(Model(step=Step.LAMINATE, model="SIM", load_max=24))
        self.station_says(self.station.begin(0.0))
        self.controller = ControllerSide("l1", settled_below=self.next_id)
        self.joined = False
        self.line_is_good_for_a_moment()

    # ---- the two ends ------------------------------------------------------------------------------------

    def station_says(self, messages: list) -> None:
        self.to_controller += map(pack, messages)

    def controller_hears(self, heard: Heard) -> None:
        if heard.welcome:
            self.to_station.append(pack(Welcome(version=1, centre="C", floor_s=self.now_s, scale=1.0)))
        self.to_station += map(pack, heard.messages)
        for event in heard.events:
            assert not isinstance(event, Lied), event
            if isinstance(event, Joined):
                self.joined = True
            elif isinstance(event, Unknown):
                assert event.job_id in self.runs, "only an old 'never seen' of a job that was taken may be doubted"
            elif isinstance(event, Finished):
                assert event.done.job_id not in self.committed, "told again after its result was durable"
                assert event.done.job_id not in self.uncommitted, "told twice in one life"
                self.uncommitted.append(event.done.job_id)
            elif isinstance(event, NeverSeen):
                self.to_station += map(pack, self.controller.start(start_of(event.job_id), self.now_s))

    def deliver_to_station(self, frame: bytes) -> None:
        self.brought.append((True, frame))
        told: Told = self.station.received(TO_STATION.unpack(frame), self.now_s)
        self.station_says(told.replies)
        if told.work:
            self.runs[told.work.job_id] += 1
            self.station_says(self.station.entered(StationState.EXECUTE, "", self.now_s, self.now_s))
        if told.magazine:
            self.magazines[told.magazine.issue_id] += 1

    def deliver_to_controller(self, frame: bytes) -> None:
        self.brought.append((False, frame))
        self.controller_hears(self.controller.received(FROM_STATION.unpack(frame), self.now_s))

    # ---- what people and machines do -----------------------------------------------------------------------

    @precondition(lambda self: len(self.given) - len(self.committed) < 3)
    @rule()
    def controller_gives_a_job(self) -> None:
        job_id, self.next_id = self.next_id, self.next_id + 1
        self.given.append(job_id)
        self.to_station += map(pack, self.controller.start(start_of(job_id), self.now_s))

    @rule()
    def controller_issues_a_magazine(self) -> None:
        issue_id, self.next_id = self.next_id, self.next_id + 1
        self.issues.append(Magazine(issue_id=issue_id, first_body=issue_id * 100, sheets=100))
        self.to_station += map(pack, self.controller.magazine(self.issues[-1], self.now_s))

    @precondition(lambda self: self.uncommitted)
    @rule()
    def ledger_commits_and_releases(self) -> None:
        job_ids, self.uncommitted = self.uncommitted, []
        self.committed.update(job_ids)
        self.to_station += map(pack, self.controller.release(job_ids))

    @precondition(lambda self: self.station.running)
    @rule()
    def station_finishes(self) -> None:
        self.station_says(self.station.finished(result_of(self.station.running, self.now_s), self.now_s))
        self.station_says(self.station.entered(StationState.IDLE, "", self.now_s, self.now_s))

    @rule()
    def controller_dies_and_only_asks(self) -> None:
        self.uncommitted, self.joined = [], False
        self.controller = ControllerSide("l1", settled_below=self.next_id)
        for job_id in self.given:
            if job_id not in self.committed:
                self.to_station += map(pack, self.controller.ask(job_id, self.now_s))
        for issue in self.issues:
            self.to_station += map(pack, self.controller.magazine(issue, self.now_s))

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.station_says(self.station.tick(self.now_s))
        self.controller_hears(self.controller.tick(self.now_s))

    @precondition(lambda self: len(self.given) - len(self.committed) < 3)
    @rule(commit=st.booleans())
    def a_job_goes_well(self, commit: bool) -> None:
        self.controller_gives_a_job()
        self.line_is_good_for_a_moment()
        if self.station.running:
            self.station_finishes()
        self.line_is_good_for_a_moment()
        if commit:
            self.ledger_commits_and_releases()
            self.line_is_good_for_a_moment()

    # ---- what the line does --------------------------------------------------------------------------------

    @precondition(lambda self: self.to_station)
    @rule(place=st.integers(0, 5), keep=st.booleans())
    def line_brings_to_station(self, place: int, keep: bool) -> None:
        place = min(place, len(self.to_station) - 1)
        self.deliver_to_station(self.to_station[place] if keep else self.to_station.pop(place))

    @precondition(lambda self: self.to_controller)
    @rule(place=st.integers(0, 5), keep=st.booleans())
    def line_brings_to_controller(self, place: int, keep: bool) -> None:
        place = min(place, len(self.to_controller) - 1)
        self.deliver_to_controller(self.to_controller[place] if keep else self.to_controller.pop(place))

    @rule()
    def line_is_good_for_a_moment(self) -> None:
        while self.to_station or self.to_controller:
            while self.to_station:
                self.deliver_to_station(self.to_station.pop(0))
            while self.to_controller:
                self.deliver_to_controller(self.to_controller.pop(0))

    @precondition(lambda self: self.brought)
    @rule(place=st.integers(0, 30))
    def line_brings_an_old_frame_again(self, place: int) -> None:
        to_station, frame = self.brought[-1 - place % len(self.brought)]
        if to_station:
            self.deliver_to_station(frame)
        else:
            self.deliver_to_controller(frame)

    @rule(place=st.integers(0, 5), to_station=st.booleans())
    def line_loses(self, place: int, to_station: bool) -> None:
        line = self.to_station if to_station else self.to_controller
        if line:
            line.pop(min(place, len(line) - 1))

    @invariant()
    def no_job_runs_twice_and_no_issue_is_loaded_twice(self) -> None:
        assert all(count == 1 for count in self.runs.values())
        assert all(count == 1 for count in self.magazines.values())
        assert set(self.runs) <= set(self.given)

    def teardown(self) -> None:
        """A fault-free tail: whatever was given ends, once."""
        for _ in range(4 * (len(self.given) + len(self.issues) + 3)):
            self.time_passes(1.0)
            self.line_is_good_for_a_moment()
            if self.station.running:
                self.station_finishes()
            if self.uncommitted:
                self.ledger_commits_and_releases()
        self.line_is_good_for_a_moment()
        assert self.joined, "the controller does not know what it drives"
        assert self.committed == Counter(self.given), "each job is told exactly once"
        assert self.runs == Counter(self.given), "each job ran exactly once"
        assert self.magazines == Counter(issue.issue_id for issue in self.issues)
        self.to_controller.clear()
        self.time_passes(6.0)
        assert not any(type(FROM_STATION.unpack(frame)) is JobDone for frame in self.to_controller), "still resending"


TestJobsOverABadLine = JobsOverABadLine.TestCase
TestJobsOverABadLine.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
