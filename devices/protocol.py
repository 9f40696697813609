"""The controller's side of the link to one station, without I/O: times come in, messages and events go out.

The line may lose, repeat, delay and reorder, and either end may be restarted.  The other side is
`devices.station_side`.  What both rely on:

- Job and issue numbers given to one station rise and are never used twice.
- `start`, `ask` and `magazine` are said again until answered; a station does nothing twice for it.
- A result is said again until it is released, and released again whenever it is said again.
- A station that is heard before it said hello here is welcomed unasked, and then says hello: so a restarted
  controller learns what it drives without the station having noticed anything.
- A hello may come from a station that was restarted too, so after it every open job is asked for.
- After "never seen" the same job goes to the same station, or its sheets go on under another number: a late
  `start` that still travels then finds a number that is known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

from devices import lies
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
    Release,
    Start,
    StationState,
    Status,
    ToStation,
)
from devices.recent import RecentIds

RESEND_S = 2.0
SILENT_S = 5.0
REMEMBERED_RELEASES = 10_000
_STEPS = frozenset(step.value for step in Step)


@dataclass(frozen=True, slots=True)
class Joined:
    """The station said hello: its first word here, after its own restart, or again."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class StateSeen:
    """The station's state, reason, running job or magazine is another than the one last seen."""

    state: StationState
    reason: str
    since_floor_s: float
    job_id: int
    issue_id: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The job runs; once for each start or ask of the caller."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The job is over; once, however often the station says so."""

    done: JobDone


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """The station never got the job that was asked for: it may be started.  A late start may yet bring its result."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """The station cannot say what became of the job; a result may still come."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was heard for `silent_s`; once, until `Back`."""


@dataclass(frozen=True, slots=True)
class Back:
    """A silent station was heard again."""


@dataclass(frozen=True, slots=True)
class Lied:
    """The station said what cannot be, which has no other effect; the job is 0 where none was named."""

    code: str
    job_id: int = 0


Event = Joined | StateSeen | Taken | Finished | NeverSeen | Unknown | Silent | Back | Lied


@dataclass(slots=True)
class Heard:
    """What follows from a message or from time: messages to send, events to tell, whether to say welcome first."""

    messages: list[ToStation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    welcome: bool = False


class _Phase(Enum):
    STARTING = auto()  # a start is under way
    ASKING = auto()  # an ask is under way
    RUNNING = auto()
    UNKNOWN = auto()  # the station could not say
    UNSEEN = auto()  # the station had not got it; a start of an earlier life may still be under way to it
    DONE = auto()  # told; waits for the caller to release it


@dataclass(slots=True)
class _Job:
    phase: _Phase
    sent_s: float
    load: Load | None
    start: Start | None = None  # kept while it may have to be said again
    was_taken: bool = False
    told_taken: bool = False
    put_off: bool = False  # the station was heard in a state in which it takes nothing


class ControllerSide:
    """One station as the controller sees it.

    Args:
        station: its name, for the reader of a traceback only.
        settled_below: every job under this number that nobody asks for here was settled by an earlier life of
            the controller: a result of it is released unread.  Without it such a result is `Lied`
            (`station.job_not_given`), and the caller may release it.
        resend_s, silent_s: real seconds.
    """

    def __init__(
        self, station: str, *, settled_below: int = 0, resend_s: float = RESEND_S, silent_s: float = SILENT_S
    ) -> None:
        self.station = station
        self.heard_s: float | None = None  # when it was last heard, None for never
        self._settled_below, self._resend_s, self._silent_s = settled_below, resend_s, silent_s
        self._since_s: float | None = None  # heard, or waited for, since
        self._jobs: dict[int, _Job] = {}
        self._released = RecentIds(REMEMBERED_RELEASES)
        self._issues: deque[Magazine] = deque()
        self._issue_sent_s = 0.0
        self._newest_issue = 0
        self._joined = self._silent = False
        self._seen: StateSeen | None = None

    # ---- what the caller wants ---------------------------------------------------------------------------

    def start(self, start: Start, now_s: float) -> list[ToStation]:
        """Give a load; again for the same job changes nothing.  Raises: ValueError: a step that is none."""
        job = self._jobs.get(start.job_id)
        if job and job.phase not in (_Phase.UNKNOWN, _Phase.UNSEEN):
            return []
        self._wait_from(now_s)
        self._jobs[start.job_id] = _Job(_Phase.STARTING, now_s, lies.load_of(start), start)
        return [start]

    def ask(self, job_id: int, now_s: float, load: Load | None = None) -> list[ToStation]:
        """Ask what became of a job, also one of an earlier life; `load` lets its result be checked in full."""
        self._wait_from(now_s)
        job = self._jobs.setdefault(job_id, _Job(_Phase.ASKING, now_s, load))
        if job.phase is _Phase.DONE:
            return []
        job.phase, job.sent_s, job.told_taken = _Phase.ASKING, now_s, False
        job.load = job.load or load
        return [Ask(job_id=job_id)]

    def release(self, job_ids: list[int]) -> list[ToStation]:
        """Say that the results of these jobs are durable; they are forgotten here too."""
        for job_id in job_ids:
            self._jobs.pop(job_id, None)
            self._released.add(job_id)
        return [Release(job_ids=job_ids)] if job_ids else []

    def magazine(self, magazine: Magazine, now_s: float) -> list[ToStation]:
        """Tell of an issue to the station's magazine; issues are told one at a time, in rising order."""
        self._wait_from(now_s)
        if magazine.issue_id <= self._newest_issue or magazine in self._issues:
            return []
        self._issues.append(magazine)
        return self._tell_issue(now_s) if len(self._issues) == 1 else []

    # ---- what the station says ---------------------------------------------------------------------------

    def received(self, message: FromStation, now_s: float) -> Heard:
        """Take one message of the station."""
        heard = Heard()
        self.heard_s = self._since_s = now_s
        if self._silent:
            self._silent, self._seen = False, None
            heard.events.append(Back())
            heard.messages += [*self._ask_open(now_s), *self._tell_issue(now_s)]
        if isinstance(message, Hello):
            self._hello(message, now_s, heard)
            return heard
        heard.welcome = not self._joined
        if isinstance(message, Status):
            self._status(message, now_s, heard)
        elif isinstance(message, JobTaken):
            self._taken(message.job_id, heard)
        elif isinstance(message, JobDone):
            self._done(message, heard)
        elif isinstance(message, JobUnseen):
            self._unseen(message.job_id, now_s, heard)
        elif isinstance(message, JobUnknown):
            self._cannot_say(message.job_id, heard)
        return heard

    def tick(self, now_s: float) -> Heard:
        """Say again what is unanswered, and notice silence; a silent station is sent nothing."""
        heard = Heard()
        if self._silent or self._since_s is None:
            return heard
        if now_s - self._since_s >= self._silent_s:
            self._silent = True
            heard.events.append(Silent())
            return heard
        for job_id, job in self._jobs.items():
            if now_s - job.sent_s >= self._resend_s:
                heard.messages += self._say_again(job_id, job, now_s)
        if now_s - self._issue_sent_s >= self._resend_s:
            heard.messages += self._tell_issue(now_s)
        return heard

    # ---- inside ------------------------------------------------------------------------------------------

    def _wait_from(self, now_s: float) -> None:
        if self._since_s is None:
            self._since_s = now_s

    def _hello(self, hello: Hello, now_s: float, heard: Heard) -> None:
        if hello.version != VERSION:
            heard.events.append(Lied(lies.BAD_VERSION))
        elif hello.step not in _STEPS:
            heard.events.append(Lied(lies.BAD_STEP))
        else:
            self._joined = heard.welcome = True
            self._seen, self._newest_issue = None, 0  # its magazine may be forgotten too: the caller tells it again
            heard.events.append(Joined(hello))
            heard.messages += self._ask_open(now_s)

    def _status(self, status: Status, now_s: float, heard: Heard) -> None:
        seen = StateSeen(status.state, status.reason, status.since_floor_s, status.job_id, status.issue_id)
        if seen != self._seen:
            self._seen = seen
            heard.events.append(seen)
        if self._issues and status.issue_id >= self._issues[0].issue_id:
            self._newest_issue = self._issues.popleft().issue_id
            heard.messages += self._tell_issue(now_s)
        if status.job_id in self._jobs:
            self._taken(status.job_id, heard)
        for job_id, job in self._jobs.items():
            if job.phase is _Phase.RUNNING and status.job_id != job_id:  # its result was lost, or will come now
                job.phase, job.sent_s = _Phase.ASKING, now_s
                heard.messages.append(Ask(job_id=job_id))
            elif job.phase is _Phase.STARTING and status.state is not StationState.IDLE:
                job.put_off = True
            elif job.phase is _Phase.STARTING and job.put_off:
                heard.messages += self._say_again(job_id, job, now_s)

    def _taken(self, job_id: int, heard: Heard) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.phase is _Phase.DONE:
            return  # an old word, or a job of which the caller wants to hear no more
        job.phase, job.was_taken, job.start = _Phase.RUNNING, True, None
        if not job.told_taken:
            job.told_taken = True
            heard.events.append(Taken(job_id))

    def _done(self, done: JobDone, heard: Heard) -> None:
        job = self._jobs.get(done.job_id)
        if job is None:
            if done.job_id in self._released or done.job_id < self._settled_below:
                heard.messages.append(Release(job_ids=[done.job_id]))
            else:
                heard.events.append(Lied(lies.JOB_NOT_GIVEN, done.job_id))
        elif job.phase is not _Phase.DONE:
            if lie := lies.find_lie(done, job.load):
                heard.events.append(Lied(lie, done.job_id))
                return
            job.phase, job.start = _Phase.DONE, None
            heard.events.append(Finished(done))

    def _unseen(self, job_id: int, now_s: float, heard: Heard) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.phase is not _Phase.ASKING:
            return
        if job.was_taken:  # it says it never got what it had taken: it remembers nothing
            self._cannot_say(job_id, heard)
        elif job.start:
            job.phase = _Phase.STARTING
            heard.messages += self._say_again(job_id, job, now_s)
        else:  # not forgotten: a result that comes all the same would be released unread
            job.phase = _Phase.UNSEEN
            heard.events.append(NeverSeen(job_id))

    def _cannot_say(self, job_id: int, heard: Heard) -> None:
        job = self._jobs.get(job_id)
        if job and job.phase is _Phase.ASKING:
            job.phase, job.start, job.told_taken = _Phase.UNKNOWN, None, False
            heard.events.append(Unknown(job_id))

    def _ask_open(self, now_s: float) -> list[ToStation]:
        asks: list[ToStation] = []
        for job_id, job in self._jobs.items():
            if job.phase in (_Phase.STARTING, _Phase.ASKING, _Phase.RUNNING):
                job.phase, job.sent_s = _Phase.ASKING, now_s
                asks.append(Ask(job_id=job_id))
        return asks

    def _say_again(self, job_id: int, job: _Job, now_s: float) -> list[ToStation]:
        job.sent_s, job.put_off = now_s, False
        if job.phase is _Phase.STARTING and job.start:
            return [job.start]
        return [Ask(job_id=job_id)] if job.phase is _Phase.ASKING else []

    def _tell_issue(self, now_s: float) -> list[ToStation]:
        self._issue_sent_s = now_s
        return [self._issues[0]] if self._issues else []
