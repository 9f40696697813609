"""What makes a station's result impossible: the checks that stand before anybody believes a `JobDone`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from devices.defects import GOOD, Step
from devices.messages import POSITIONS, Fate, JobDone, PositionResult, SheetResult, Start

MAX_PACKED = 1_000  # serials of one bundle, as many as a load may have (`Hello.load_max`)
MAX_SERIAL = 2**53
MAX_RECORD_BYTES, MAX_PORTRAIT_BYTES = 256, 1_024

JOB_NOT_GIVEN = "station.job_not_given"
BAD_TIMES = "station.bad_times"
BAD_SHEETS = "station.bad_sheets"
BAD_POSITIONS = "station.bad_positions"
BAD_BODY = "station.bad_body"
BAD_READING = "station.bad_reading"
BAD_PACKED = "station.bad_packed"
BAD_VERSION = "station.bad_version"
BAD_STEP = "station.bad_step"

_READING_STEPS = (Step.WRITE, Step.INSPECT)


@dataclass(frozen=True, slots=True)
class Load:
    """What a job was given: all that is needed to see whether a result can be its result."""

    step: Step
    sheet_ids: tuple[int, ...] = ()


def load_of(start: Start) -> Load:
    """Give the load that `start` describes.  Raises: ValueError: its step is none of the route."""
    return Load(Step(start.step), tuple(sheet.sheet_id for sheet in start.sheets))


def find_lie(done: JobDone, load: Load | None) -> str:
    """Give the code of the first thing in `done` that cannot be, or an empty text.

    A job that another life of the controller gave may be known by its number alone; then `load` is None and only
    what holds for every step is checked.
    """
    if not (math.isfinite(done.started_floor_s) and math.isfinite(done.ended_floor_s)):
        return BAD_TIMES
    if done.ended_floor_s < done.started_floor_s:
        return BAD_TIMES
    if not _packed_fits(done.packed, load):
        return BAD_PACKED
    sheet_ids = [sheet.sheet_id for sheet in done.sheets]
    expected = sorted(load.sheet_ids) if load else sorted(set(sheet_ids))
    if sorted(sheet_ids) != expected:
        return BAD_SHEETS
    bodies = [sheet.body for sheet in done.sheets if sheet.body]
    if len(set(bodies)) != len(bodies):
        return BAD_BODY
    for sheet in done.sheets:
        if lie := _sheet_lie(sheet, load):
            return lie
    return ""


def _packed_fits(packed: list[int], load: Load | None) -> bool:
    if load and load.step is not Step.PACK:
        return not packed
    distinct = len(set(packed)) == len(packed)  # a serial scanned twice is a scanner's fault, not a second card
    return distinct and len(packed) <= MAX_PACKED and all(0 < serial <= MAX_SERIAL for serial in packed)


def _sheet_lie(sheet: SheetResult, load: Load | None) -> str:
    if len(sheet.positions) != (POSITIONS if sheet.fate is Fate.DONE else 0):
        return BAD_POSITIONS
    if sheet.fate is Fate.SPOILED and sheet.code == GOOD:
        return BAD_POSITIONS
    if not 0 <= sheet.body <= MAX_SERIAL or (sheet.fate is Fate.UNTOUCHED and sheet.body):
        return BAD_BODY
    if load and bool(sheet.body) != (load.step is Step.LAMINATE) and not _may_lack_body(sheet, load):
        return BAD_BODY
    if not all(_reading_fits(position, load) for position in sheet.positions):
        return BAD_READING
    return ""


def _may_lack_body(sheet: SheetResult, load: Load) -> bool:
    """Whether a laminated sheet may come back without a body: only when none was drawn for it."""
    return load.step is Step.LAMINATE and not sheet.body and sheet.fate is not Fate.DONE


def _reading_fits(position: PositionResult, load: Load | None) -> bool:
    if not 0 <= position.blank <= MAX_SERIAL:
        return False
    if len(position.record) > MAX_RECORD_BYTES or len(position.portrait) > MAX_PORTRAIT_BYTES:
        return False
    if not load:
        return True
    if position.blank and load.step not in _READING_STEPS:
        return False
    return load.step is Step.INSPECT or not (position.record or position.portrait or position.mark)
