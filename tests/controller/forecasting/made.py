"""Answers of forecasts that were made: of the open batches of a floor, some of them late."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.line.outcome import BatchGain, Difference, Gain, PeopleWait, Sensitivity, StarvingInput
from controller.forecasting.messages import DifferenceMade, FinishOf, ForecastMade, Made, SensitivityMade
from devices.defects import Step

HOUR_S = 3_600.0
UNIT = "520102000"


def made(state, at_floor_s, runs=200):
    return Made(at_floor_s=at_floor_s, seq=1_234, runs=runs, asked_runs=200, took_s=3.2)


def finish(batch, at_floor_s, unit="", late_percent=0.0):
    return FinishOf(
        batch_id=batch.batch_id,
        batch_number=batch.batch_number,
        unit=unit,
        due_floor_s=batch.due_floor_s,
        p50_floor_s=at_floor_s + 2 * HOUR_S,
        p90_floor_s=at_floor_s + 3 * HOUR_S,
        late_percent=late_percent,
        finished_percent=100.0,
    )


def forecast_of(state, at_floor_s, runs=200):
    """Give a forecast in which the first open batch is likely late, and blanks run out first."""
    batches = list(state.batches.values())
    starving = [
        StarvingInput("blanks", "", 0.6, 0.8, at_floor_s + HOUR_S, at_floor_s + 2 * HOUR_S),
        StarvingInput("magazine", "l1", 0.3, 0.5, at_floor_s + HOUR_S, at_floor_s + 2 * HOUR_S),
        StarvingInput("film", "p1", 0.1, 0.2, at_floor_s + HOUR_S, at_floor_s + 2 * HOUR_S),
    ]
    return ForecastMade(
        made=made(state, at_floor_s, runs),
        batches=[finish(one, at_floor_s, late_percent=0.0 if place else 72.0) for place, one in enumerate(batches)],
        units=[finish(one, at_floor_s, unit=UNIT) for one in batches],
        starving=starving,
        cards_per_day=17_500.0,
        cards_per_day_low=16_900.0,
        cards_per_day_high=18_200.0,
        busy_share={"print": 0.8},
    )


def held_forecast_of(state, at_floor_s):
    """Give a forecast of batches that wait for people, the first of them beyond what the runs look at."""
    answer = forecast_of(state, at_floor_s)
    waits = {"waiting": {"held": 3, "override": 1}, "others_p50_floor_s": at_floor_s + HOUR_S}
    batches = [replace(one, others_p90_floor_s=at_floor_s + 1.5 * HOUR_S, **waits) for one in answer.batches]
    batches[0] = replace(batches[0], p50_floor_s=None, p90_floor_s=None, late_percent=100.0)
    batches[1] = replace(batches[1], p90_floor_s=None)
    people = [
        PeopleWait("held", 6, 7, 2 * HOUR_S, 9 * HOUR_S, {"refuse": 2, "release": 5}),
        PeopleWait("override", 2, 0, 2 * HOUR_S, 30 * HOUR_S, {}),
    ]
    return replace(answer, batches=batches, people=people)


def difference_of(state, at_floor_s):
    """Give a change that makes more cards, and of which the hours cannot be told from none."""
    gains = [BatchGain(one, Gain(-0.2, 0.5, 200)) for one in state.batches]
    difference = Difference(
        Gain(120.0, 15.0, 200),
        Gain(960.0, 120.0, 200),
        Gain(-0.2, 0.5, 200),
        Gain(-1.5, 0.4, 200),
        gains,
        at_floor_s + HOUR_S,
    )
    numbers = {one.batch_id: one.batch_number for one in state.batches.values()}
    return DifferenceMade(made=made(state, at_floor_s), difference=difference, batch_numbers=numbers)


def steps_of(state, at_floor_s):
    """Give a floor whose bottleneck is the printing."""
    gains = {step: Gain(900.0 if step is Step.PRINT else 0.0, 100.0, 200) for step in Step}
    rows = [Sensitivity(step.value, gain, Gain(-0.5, 0.1, 200), 0.5) for step, gain in gains.items()]
    return SensitivityMade(made=made(state, at_floor_s), steps=rows)
