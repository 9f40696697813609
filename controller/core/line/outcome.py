"""What comes out of pretend lines: of one run, of many together, and of two kinds side by side."""

from __future__ import annotations

import msgspec


class Starving(msgspec.Struct, frozen=True):
    """An input that runs out: `what` is data, blanks, magazine, certificate or a kind of supply; `where` a station."""

    what: str
    where: str
    at_floor_s: float


class LineRun(msgspec.Struct):
    """One pretend run.  A finish is when the last card that is to be made is in its bundle; None: not in this run."""

    seed: int
    began_floor_s: float
    ended_floor_s: float
    batches: dict[int, float | None]  # those that were open at the fork
    bundles: list[tuple[int, str, float | None]]  # their batch, police station, when its last card was bundled
    starving: list[Starving]  # in the order of their times, the first time of each
    made: list[tuple[float, int]]  # (floor time, cards of the bundle), in order
    busy_share: dict[str, float]  # step -> share of its stations' time in which they had a load
    others: dict[int, float | None] = {}  # of batches of which some cards wait for people: finish of the rest


class PeopleWait(msgspec.Struct, frozen=True):
    """What waits for people, and what is known of how long they take and what they decide."""

    what: str  # a word of `Estimates.waits`
    waiting: int  # cards now; stations, or a whole ledger, where it is no card that waits
    seen: int  # times that it was seen done
    p50_s: float  # seconds of their hours; what was seen, and a guess that counts for as much as half a time
    p90_s: float
    findings: dict[str, int]  # what they decided, of those times


class Finish(msgspec.Struct):
    """When one batch, or one police station's cards of it, will be finished; None: beyond the runs' horizon."""

    batch_id: int
    unit: str  # empty: the whole batch
    p50_floor_s: float | None
    p90_floor_s: float | None
    finished_share: float  # of the runs, within their horizon


class StarvingInput(msgspec.Struct):
    """How often an input was the first to run out, and when it did in the runs in which it ran out at all."""

    what: str
    where: str
    first_share: float  # of the runs
    ran_out_share: float
    p10_floor_s: float
    p50_floor_s: float


class Forecast(msgspec.Struct):
    """What many runs of the line as it is say together."""

    runs: int
    began_floor_s: float
    batches: list[Finish]
    bundles: list[Finish]
    starving: list[StarvingInput]  # what is most often first comes first
    cards_per_day: float  # P50 of the runs
    cards_per_day_low: float  # P10 and P90 of the runs
    cards_per_day_high: float
    busy_share: dict[str, float]  # step -> mean of the runs


class Gain(msgspec.Struct):
    """A difference, changed less as it is: mean of the pairs, and the half width of its 95 % interval."""

    mean: float
    error: float
    pairs: int


class BatchGain(msgspec.Struct):
    """How much later (above 0) or sooner a batch is finished, in hours."""

    batch_id: int
    hours: Gain


class Difference(msgspec.Struct):
    """Two kinds of runs of the same seeds, side by side."""

    cards: Gain  # made until `horizon_floor_s`
    cards_per_day: Gain
    hours: Gain  # to the finish of an open batch, mean of them
    last_hours: Gain  # to the finish of the last one
    batches: list[BatchGain]
    horizon_floor_s: float


class Sensitivity(msgspec.Struct):
    """What one station more of a step would bring; the step with the largest gain is the bottleneck."""

    step: str
    cards_per_day: Gain
    hours: Gain
    busy_share: float  # as it is
