"""Which results cannot be, and that no result at all makes the check itself fail."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import lies
from devices.defects import Step
from devices.lies import Load, find_lie
from devices.messages import Fate, JobDone, PositionResult, SheetResult
from devices.protocol import ControllerSide

EIGHT = [PositionResult()] * 8
PRESS = Load(Step.LAMINATE, (1, 2))


def result(*sheets: SheetResult, packed: list[int] | None = None, ended_floor_s: float = 2.0) -> JobDone:
    return JobDone(job_id=1, started_floor_s=1.0, ended_floor_s=ended_floor_s, sheets=list(sheets), packed=packed or [])


def pressed(sheet_id: int, body: int) -> SheetResult:
    return SheetResult(sheet_id, body=body, positions=EIGHT)


@pytest.mark.parametrize(
    ("load", "done"),
    [
        (PRESS, result(pressed(1, 71), pressed(2, 72))),
        (PRESS, result(pressed(2, 72), pressed(1, 71))),
        (PRESS, result(SheetResult(1, Fate.SPOILED, "L6", body=71), SheetResult(2, Fate.SPOILED, "L6"))),
        (PRESS, result(SheetResult(1, Fate.UNTOUCHED), SheetResult(2, Fate.UNTOUCHED, "L6"))),
        (Load(Step.WRITE, (1,)), result(SheetResult(1, positions=[PositionResult("W1"), *EIGHT[1:]]))),
        (Load(Step.INSPECT, (1,)), result(SheetResult(1, positions=[PositionResult("00", 11, b"r", b"p", "m")] * 8))),
        (Load(Step.PACK), result(packed=[11, 12])),
        (Load(Step.PACK), result()),
        (None, result(pressed(1, 71))),
    ],
)
def test_what_can_be_is_no_lie(load, done):
    assert find_lie(done, load) == ""


@pytest.mark.parametrize(
    ("load", "done", "code"),
    [
        (PRESS, result(ended_floor_s=0.5), lies.BAD_TIMES),
        (PRESS, result(ended_floor_s=math.nan), lies.BAD_TIMES),
        (PRESS, result(ended_floor_s=math.inf), lies.BAD_TIMES),
        (PRESS, result(pressed(1, 71)), lies.BAD_SHEETS),
        (PRESS, result(pressed(1, 71), pressed(1, 72)), lies.BAD_SHEETS),
        (PRESS, result(pressed(1, 71), pressed(3, 72)), lies.BAD_SHEETS),
        (PRESS, result(pressed(1, 71), pressed(2, 71)), lies.BAD_BODY),
        (PRESS, result(pressed(1, 71), pressed(2, 0)), lies.BAD_BODY),
        (PRESS, result(pressed(1, 71), pressed(2, -1)), lies.BAD_BODY),
        (PRESS, result(pressed(1, 71), SheetResult(2, Fate.UNTOUCHED, body=72)), lies.BAD_BODY),
        (PRESS, result(pressed(1, 71), SheetResult(2, body=72, positions=EIGHT[1:])), lies.BAD_POSITIONS),
        (PRESS, result(pressed(1, 71), SheetResult(2, Fate.SPOILED)), lies.BAD_POSITIONS),
        (PRESS, result(pressed(1, 71), SheetResult(2, Fate.SPOILED, "L6", positions=EIGHT)), lies.BAD_POSITIONS),
        (PRESS, result(pressed(1, 71), pressed(2, 72), packed=[5]), lies.BAD_PACKED),
        (Load(Step.PUNCH, (1,)), result(pressed(1, 71)), lies.BAD_BODY),
        (Load(Step.PUNCH, (1,)), result(SheetResult(1, positions=[PositionResult("00", 11)] * 8)), lies.BAD_READING),
        (Load(Step.WRITE, (1,)), result(SheetResult(1, positions=[PositionResult("00", -1)] * 8)), lies.BAD_READING),
        (
            Load(Step.WRITE, (1,)),
            result(SheetResult(1, positions=[PositionResult(record=b"r")] * 8)),
            lies.BAD_READING,
        ),
        (
            Load(Step.INSPECT, (1,)),
            result(SheetResult(1, positions=[PositionResult(record=bytes(257))] * 8)),
            lies.BAD_READING,
        ),
        (
            Load(Step.INSPECT, (1,)),
            result(SheetResult(1, positions=[PositionResult(portrait=bytes(1025))] * 8)),
            lies.BAD_READING,
        ),
        (Load(Step.PACK), result(pressed(1, 71)), lies.BAD_SHEETS),
        (Load(Step.PACK), result(packed=[11, 11]), lies.BAD_PACKED),
        (Load(Step.PACK), result(packed=[0]), lies.BAD_PACKED),
        (Load(Step.PACK), result(packed=list(range(1, lies.MAX_PACKED + 2))), lies.BAD_PACKED),
        (None, result(pressed(1, 71), pressed(1, 72)), lies.BAD_SHEETS),
    ],
)
def test_what_cannot_be_has_its_code(load, done, code):
    assert find_lie(done, load) == code


POSITION = st.builds(
    PositionResult,
    code=st.text(max_size=2),
    blank=st.integers(),
    record=st.binary(max_size=300),
    portrait=st.binary(max_size=20),
    mark=st.text(max_size=64),
)
SHEET = st.builds(
    SheetResult,
    sheet_id=st.integers(0, 5),
    fate=st.sampled_from(Fate),
    code=st.text(max_size=2),
    body=st.integers(),
    positions=st.lists(POSITION, max_size=9),
)
DONE = st.builds(
    JobDone,
    job_id=st.integers(1, 3),
    started_floor_s=st.floats(),
    ended_floor_s=st.floats(),
    sheets=st.lists(SHEET, max_size=3),
    packed=st.lists(st.integers(), max_size=3),
)


@given(done=DONE, step=st.sampled_from(Step), asked=st.booleans())
def test_whatever_a_station_says_of_a_job_is_told_once_or_is_a_lie(done, step, asked):
    side = ControllerSide("x1")
    if asked:
        side.ask(1, 0.0, Load(step, (1,)))
    events = side.received(done, 0.0).events
    assert [type(event).__name__ for event in events] in (["Finished"], ["Lied"])
    if events[0].__class__.__name__ == "Lied":
        assert side.received(done, 0.0).events == events, "a lie has no effect"
    else:
        assert asked
        assert side.received(done, 0.0).events == []
