"""The station's side of the link to the controller, without I/O: times come in, messages and work go out.

`devices.protocol` says what both sides rely on.  The choices made here:

- One job at a time.  A new `start` is taken when the station is idle, its output is clear and fewer than
  MAX_RESULTS results wait to be released; otherwise it is answered with the status, and the controller says it
  again.  A load that this station can never take is answered likewise, with the reason why.
- A known job is answered from memory.  A released job is remembered by its number alone, the newest
  REMEMBERED_RELEASES exactly and all before them as "before": a late `start` of one is never run, and an `ask`
  is answered "unknown", for what it gave is forgotten.
- "Never seen" is said only by a station whose memory is whole.  One that lost it (`lost_memory`) says "unknown"
  of every job up to the first it was given since.
- Another `centre` in the welcome means another installation: everything is forgotten, which is no loss of memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from devices.defects import Step
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
    Release,
    Start,
    StationState,
    Status,
    ToStation,
    Welcome,
)
from devices.recent import RecentIds

HELLO_S = HEARTBEAT_S = 1.0
RESEND_S = 2.0
MAX_RESULTS = 64
REMEMBERED_RELEASES = 10_000
REMEMBERED_ISSUES = 1_000

NOT_MY_STEP, LOAD_TOO_LARGE = "not_my_step", "load_too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a station says of itself in its hello: `load_max` counts sheets, for packing cards."""

    step: Step
    model: str
    load_max: int


@dataclass(slots=True)
class Told:
    """What follows from a message: replies, a load to run, an issue for the magazine, a clock to keep.

    `forgotten`: the centre is another one; work in the machine belongs to nobody now.
    """

    replies: list[FromStation] = field(default_factory=list)
    work: Start | None = None
    magazine: Magazine | None = None
    welcome: Welcome | None = None
    forgotten: bool = False


@dataclass(slots=True)
class _Result:
    done: JobDone
    sent_s: float


class StationSide:
    """What a station remembers and says.

    Args:
        model: what it is.
        lost_memory: it may have run jobs that it does not remember (see the file's head).
    """

    def __init__(self, model: Model, *, lost_memory: bool = False) -> None:
        self.model, self.lost_memory = model, lost_memory
        self.state, self.reason, self.since_floor_s = StationState.IDLE, "", 0.0
        self.running = 0  # the job in the machine, 0 for none
        self.newest_issue = 0
        self._centre = ""
        self._waits = True  # for the answer to a hello
        self._hello_due_s = self._status_due_s = math.inf  # until `begin`, and until the welcome
        self._first_job = 0  # the first ever given to this memory
        self._forget()

    @property
    def welcomed(self) -> bool:
        """Whether the controller has welcomed this station at least once."""
        return bool(self._centre)

    def begin(self, now_s: float) -> list[FromStation]:
        """Say hello: the first word, also after a reconnect."""
        self._waits, self._hello_due_s = True, now_s + HELLO_S
        return [
            Hello(
                version=VERSION,
                step=self.model.step,
                model=self.model.model,
                load_max=self.model.load_max,
                state=self.state,
                reason=self.reason,
            )
        ]

    def received(self, message: ToStation, now_s: float) -> Told:
        """Take one message of the controller."""
        if isinstance(message, Welcome):
            return self._welcome(message, now_s)
        if not self.welcomed:
            return Told()  # without a floor clock nothing can be run
        if isinstance(message, Start):
            return self._start(message, now_s)
        if isinstance(message, Ask):
            return Told([self._answer(message.job_id, now_s)])
        if isinstance(message, Magazine):
            return self._magazine(message)
        if isinstance(message, Release):
            self._release(message.job_ids)
        return Told()

    def entered(self, state: StationState, reason: str, since_floor_s: float, now_s: float) -> list[FromStation]:
        """Change the state; the status says so at once."""
        self.state, self.reason, self.since_floor_s = state, reason, since_floor_s
        self._status_due_s = now_s + HEARTBEAT_S
        return [self._status()] if self.welcomed else []

    def finished(self, done: JobDone, now_s: float) -> list[FromStation]:
        """Remember and say a result.  The output must be clear; a job that is not the running one says nothing."""
        if done.job_id != self.running:
            return []
        self.running = 0
        self._results[done.job_id] = _Result(done, now_s)
        return [done]

    def tick(self, now_s: float) -> list[FromStation]:
        """Say what is due: hello until welcomed, the heartbeat, results until released."""
        said: list[FromStation] = []
        if self._waits and now_s >= self._hello_due_s:
            said += self.begin(now_s)
        if not self.welcomed:
            return said
        if now_s >= self._status_due_s:
            self._status_due_s = now_s + HEARTBEAT_S
            said.append(self._status())
        for result in self._results.values():
            if now_s - result.sent_s >= RESEND_S:
                result.sent_s = now_s
                said.append(result.done)
        return said

    # ---- inside ------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self.running = self._first_job = self.newest_issue = 0
        self._results: dict[int, _Result] = {}
        self._released, self._issues = RecentIds(REMEMBERED_RELEASES), RecentIds(REMEMBERED_ISSUES)

    def _welcome(self, welcome: Welcome, now_s: float) -> Told:
        if welcome.version != VERSION:
            return Told()
        told = Told(welcome=welcome)
        if self._centre and welcome.centre != self._centre:
            self._forget()
            self.lost_memory, told.forgotten = False, True
        if told.forgotten or not self._centre:
            self.since_floor_s = welcome.floor_s  # an earlier time is of no clock, or of another
        self._centre = welcome.centre
        if self._waits:
            self._waits = False
        else:  # nobody asked: the controller does not know this station (yet, or any more)
            told.replies += self.begin(now_s)
        self._status_due_s = now_s + HEARTBEAT_S
        told.replies.append(self._status())
        return told

    def _start(self, start: Start, now_s: float) -> Told:
        job_id = start.job_id
        if job_id == self.running or job_id in self._results:
            return Told([self._answer(job_id, now_s)])
        if start.step != self.model.step:
            return Told([self._status(NOT_MY_STEP)])
        if max(len(start.sheets), len(start.bundle.blanks) if start.bundle else 0) > self.model.load_max:
            return Told([self._status(LOAD_TOO_LARGE)])
        free = not self.running and self.state is StationState.IDLE and len(self._results) < MAX_RESULTS
        if not free or job_id in self._released:
            return Told([self._status()])
        self.running = job_id
        self._first_job = self._first_job or job_id
        return Told([JobTaken(job_id=job_id)], work=start)

    def _answer(self, job_id: int, now_s: float) -> FromStation:
        if job_id == self.running:
            return JobTaken(job_id=job_id)
        if result := self._results.get(job_id):
            result.sent_s = now_s
            return result.done
        if job_id in self._released:
            return JobUnknown(job_id=job_id)
        if self.lost_memory and (job_id < self._first_job or not self._first_job):
            return JobUnknown(job_id=job_id)
        return JobUnseen(job_id=job_id)

    def _magazine(self, magazine: Magazine) -> Told:
        told = Told()
        if magazine.issue_id not in self._issues:
            self._issues.add(magazine.issue_id)
            self.newest_issue = max(self.newest_issue, magazine.issue_id)
            told.magazine = magazine
        told.replies.append(self._status())
        return told

    def _release(self, job_ids: list[int]) -> None:
        for job_id in job_ids:
            if job_id != self.running:
                self._results.pop(job_id, None)
                self._released.add(job_id)

    def _status(self, reason: str = "") -> Status:
        return Status(
            state=self.state,
            reason=reason or self.reason,
            since_floor_s=self.since_floor_s,
            job_id=self.running,
            issue_id=self.newest_issue,
        )
