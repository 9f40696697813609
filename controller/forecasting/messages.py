"""What service and worker say to each other, and what forecasts and what-ifs are made of; times are floor seconds."""

from __future__ import annotations

import msgspec

from controller.config import Config
from controller.core.line.change import NOTHING, Change
from controller.core.line.outcome import Difference, PeopleWait, Sensitivity, StarvingInput


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: the floor as it is, or what a change would bring, or one station more of each step."""

    runs: int
    change: Change = NOTHING
    sensitivity: bool = False

    @property
    def is_whatif(self) -> bool:
        """Say whether it is of a floor that is not."""
        return self.sensitivity or not self.change.is_nothing()


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


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer was made: from the floor after move `seq`, with so many runs that were done in time."""

    at_floor_s: float
    seq: int
    runs: int
    asked_runs: int
    took_s: float  # real seconds, of reading and running


class FinishOf(msgspec.Struct, frozen=True, kw_only=True):
    """When a batch, or one police station's cards of it, will be in bundles; None: not within what was looked at."""

    batch_id: int
    batch_number: str
    unit: str  # empty: the whole batch
    due_floor_s: float
    p50_floor_s: float | None
    p90_floor_s: float | None
    late_percent: float  # of the runs: finished after it is due, or not at all
    finished_percent: float  # of the runs
    waiting: dict[str, int] = {}  # cards of a whole batch that wait for people, by what for
    others_p50_floor_s: float | None = None  # when its other cards will be; None: none, or as above
    others_p90_floor_s: float | None = None


class ForecastMade(msgspec.Struct, frozen=True, kw_only=True, tag="forecast"):
    """What the runs of the floor as it is say."""

    made: Made
    batches: list[FinishOf]
    units: list[FinishOf]
    starving: list[StarvingInput]
    cards_per_day: float
    cards_per_day_low: float
    cards_per_day_high: float
    busy_share: dict[str, float]
    people: list[PeopleWait] = []


class DifferenceMade(msgspec.Struct, frozen=True, kw_only=True, tag="difference"):
    """What a change would bring."""

    made: Made
    difference: Difference
    batch_numbers: dict[int, str]


class SensitivityMade(msgspec.Struct, frozen=True, kw_only=True, tag="sensitivity"):
    """What one station more of each step would bring."""

    made: Made
    steps: list[Sensitivity]


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How many of how many runs are done."""

    done: int
    runs: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no answer: a code of `forecasting.errors`, and its sentence."""

    code: str
    text: str


Answered = ForecastMade | DifferenceMade | SensitivityMade
Said = Answered | Progress | Failed
