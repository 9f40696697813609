"""The messages between the controller and one station; `docs/protocol.md` describes them byte by byte.

Every message is one frame: a msgpack map with a text key `type`.  The controller names a job with a number that is
never used twice; a station remembers every job until the controller releases it, so that asking again is harmless.
Times are floor seconds of the clock that `Welcome` gives.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from devices.defects import GOOD

VERSION = 1
POSITIONS = 8  # of a sheet: blanks of one body sheet (八联卡)
SINGLE = 1  # places of a single body, which is a body sheet with position 0 only


class StationState(StrEnum):
    """PackML states a station may be in (ISA-TR88.00.02, the subset of DESIGN.md 5)."""

    STOPPED = "stopped"  # off line, by the operator at the machine: nobody else can start it
    IDLE = "idle"
    EXECUTE = "execute"
    HELD = "held"  # an inside cause: a jam to clear, a magazine to fill
    SUSPENDED = "suspended"  # an outside cause: no material, no power
    ABORTED = "aborted"  # broken down


class Fate(StrEnum):
    """What became of a sheet in a job."""

    DONE = "done"  # through the step; the positions say how
    UNTOUCHED = "untouched"  # as it was: it may be given again
    SPOILED = "spoiled"  # all of it, with the code of the result


NO_CONTROLS = r"\A[^\x00-\x1f\x7f-\x9f]*\Z"  # a terminal would obey them, and not every database holds U+0000
Name = Annotated[str, msgspec.Meta(max_length=64, pattern=NO_CONTROLS)]
JobId = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
CardCode = Annotated[str, msgspec.Meta(max_length=2)]


class PositionWork(msgspec.Struct, frozen=True, array_like=True):
    """What one position of a sheet needs at this step; all empty means: leave this position alone."""

    face: bytes = b""  # print: a packed `encoders.face.FaceJob`
    record: bytes = b""  # write: 256 bytes
    portrait: bytes = b""  # write: at most 1,024 bytes

    def __repr__(self) -> str:
        """Say what kinds of work are here, never the work itself (law 8)."""
        return f"<PositionWork {len(self.face)}/{len(self.record)}/{len(self.portrait)} bytes>"


class SheetWork(msgspec.Struct, frozen=True, array_like=True):
    """One sheet of a load: its number, eight positions (or none where the step needs nothing told)."""

    sheet_id: int
    positions: list[PositionWork] = []
    single: bool = False  # only position 0 is used: a press draws a single body for it


class BundleWork(msgspec.Struct, frozen=True, array_like=True):
    """One bundle to pack: the blank serials that are expected in it."""

    bundle_id: int
    unit: str
    blanks: list[int]


class PositionResult(msgspec.Struct, frozen=True, array_like=True):
    """What the station saw at one position."""

    code: CardCode = GOOD
    blank: int = 0  # write, inspect: the chip's own number, 0 where none answered
    record: bytes = b""  # inspect: read back from the chip
    portrait: bytes = b""  # inspect: read back from the chip
    mark: Name = ""  # inspect: the control mark read from the face

    def __repr__(self) -> str:
        """Say the code and the blank, never what was read (law 8)."""
        return f"<PositionResult {self.code} blank {self.blank}>"


class SheetResult(msgspec.Struct, frozen=True, array_like=True):
    """What became of one sheet: eight positions when `fate` is done, else none."""

    sheet_id: int
    fate: Fate = Fate.DONE
    code: CardCode = GOOD
    body: int = 0  # laminate: serial of the body sheet that was drawn, also from a spoiled one
    positions: list[PositionResult] = []


# ---- controller to station ------------------------------------------------------------------------------------


class ToStation(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What the controller says."""


class Welcome(ToStation, frozen=True, tag="welcome"):
    """Answers `hello`: the floor clock (floor_s now, floor seconds per real second) and the installation."""

    version: int
    centre: Name
    floor_s: float
    scale: float


class Start(ToStation, frozen=True, tag="start"):
    """Gives one load.  A job the station knows is answered with what it knows, and not run twice."""

    job_id: JobId
    step: Name
    sheets: list[SheetWork] = []
    bundle: BundleWork | None = None


class Ask(ToStation, frozen=True, tag="ask"):
    """Asks what became of a job."""

    job_id: JobId


class Release(ToStation, frozen=True, tag="release"):
    """Says that the results of these jobs are durable here: the station may forget them."""

    job_ids: list[JobId]


class Magazine(ToStation, frozen=True, tag="magazine"):
    """Says which body sheets two keepers put into this station's magazine, or took out; issue numbers never repeat."""

    issue_id: JobId
    first_body: int
    sheets: int
    out: bool = False  # taken out: what of them lies in the magazine lies there no more
    places: int = POSITIONS  # of each of them: 8, or 1 for single bodies


# ---- station to controller ------------------------------------------------------------------------------------


class FromStation(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What a station says.  Who it is comes from its key alone."""


class Hello(FromStation, frozen=True, tag="hello"):
    """The first word of a station, and again until it is welcomed."""

    version: int
    step: Name
    model: Name
    load_max: Annotated[int, msgspec.Meta(ge=1, le=1_000)]  # sheets (pack: cards) of one load
    state: StationState
    reason: Name = ""


class Status(FromStation, frozen=True, tag="status"):
    """Sent at every change of state and as a heartbeat."""

    state: StationState
    reason: Name = ""
    since_floor_s: float = 0.0
    job_id: int = 0  # what runs now, 0 for nothing
    issue_id: int = 0  # the newest magazine issue that lies in the machine


class JobTaken(FromStation, frozen=True, tag="taken"):
    """The load is in the machine and runs (also the answer to `ask` while it runs)."""

    job_id: JobId


class JobDone(FromStation, frozen=True, tag="done"):
    """The job is over and the output is clear; sent again until released."""

    job_id: JobId
    started_floor_s: float
    ended_floor_s: float
    sheets: list[SheetResult] = []
    packed: list[int] = []  # pack: the blank serials scanned into the bundle


class JobUnseen(FromStation, frozen=True, tag="never_seen"):
    """The station never got this job: it may be started."""

    job_id: JobId


class JobUnknown(FromStation, frozen=True, tag="unknown"):
    """The station cannot say what became of this job (it lost its memory)."""

    job_id: JobId


StationSaid = Hello | Status | JobTaken | JobDone | JobUnseen | JobUnknown
ControllerSaid = Welcome | Start | Ask | Release | Magazine


def blank_serial(body: int, position: int) -> int:
    """Give the serial of the blank at a position (0 to 7) of a body sheet: its number, then 1 to 8."""
    return body * 10 + position + 1


def body_of(blank: int) -> int:
    """Give the body sheet a blank belongs to."""
    return blank // 10


def position_of(blank: int) -> int:
    """Give the position (0 to 7) of a blank on its body sheet."""
    return blank % 10 - 1
