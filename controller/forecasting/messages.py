"""What service and worker say to each other, and what a forecast and a what-if are made of; all times are floor seconds."""

from __future__ import annotations

import msgspec

from controller.config import Config


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: the floor as it is, or, with any of the others, what a change would bring."""

    runs: int
    down: tuple[str, ...] = ()  # stations that stand from `from_floor_s` on
    from_floor_s: float = 0.0
    add: tuple[tuple[str, int], ...] = ()  # step, so many stations more
    shifts: int = 0  # of a working day; 0: as they are
    sensitivity: bool = False  # what one station more of each step would bring

    @property
    def changes_floor(self) -> bool:
        """Say whether it is a what-if."""
        return bool(self.down or self.add or self.shifts or self.sensitivity)


# ---- what the worker hears ---------------------------------------------------------------------------------------


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Whose floor it is; said once."""

    folder: str
    config: Config


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """One question, the floor's time when it was asked, and what may be spent on it."""

    question: Question
    now_floor_s: float
    processes: int
    within_s: float  # real seconds


Heard = Open | Ask


# ---- what it says ------------------------------------------------------------------------------------------------


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How many of how many runs are done."""

    done: int
    runs: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no answer: a code of `forecasting.errors`, and its sentence."""

    code: str
    text: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer was made: from the floor after move `seq`, with so many runs that were done in time."""

    at_floor_s: float
    seq: int
    runs: int
    asked_runs: int
    took_s: float  # real seconds, of reading and running


class FinishOf(msgspec.Struct, frozen=True, kw_only=True):
    """When a batch, or the cards of a police station, will be finished; None: not within the horizon, in so many runs."""

    p50_floor_s: float | None
    p90_floor_s: float | None
    late_percent: float
    unfinished_percent: float  # of the runs: somebody has to do something, or it takes longer than was looked at


class Forecast(msgspec.Struct, frozen=True, kw_only=True, tag="forecast"):
    made: Made
