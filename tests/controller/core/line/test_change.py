"""Texts of a what-if: what they ask for, and what is wrong with those that ask for nothing that can be tried."""

from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.calendar import Calendar
from controller.core.line.change import (
    NOTHING,
    STEP_WORDS,
    Change,
    ChangeError,
    Down,
    changed_config,
    parse_change,
    parse_time,
    shifts_text,
)
from controller.core.settings import CalendarConfig, CoreConfig, read_shifts
from devices.defects import Step

KNOWN = ("p1", "l3", "w2")
DAY_S = 86_400.0


def asked(stations=(), added=(), shifts=0, begin="", end="", now=0.0):
    return parse_change(stations, added, shifts, begin, end, KNOWN, now)


def test_nothing_asked_is_the_line_as_it_is():
    assert asked() == NOTHING
    assert NOTHING.is_nothing()
    assert changed_config(CoreConfig(), NOTHING) == CoreConfig()


def test_a_station_goes_down_at_the_next_such_time_of_the_floors_clock():
    nine = 3 * DAY_S + 9 * 3_600.0
    change = asked(["L3=down"], begin="08:00", now=nine)
    assert change.down == (Down("l3", 4 * DAY_S + 8 * 3_600.0, None),)
    assert asked(["l3=DOWN"], now=nine).down[0].from_floor_s == nine
    later = asked(["l3=down", "p1=down"], begin="10:00", end="09:30", now=nine)
    assert [one.until_floor_s for one in later.down] == [4 * DAY_S + 9.5 * 3_600.0] * 2
    assert asked(["l3=down"], begin="1970-01-05T08:00", now=nine).down[0].from_floor_s == 4 * DAY_S + 8 * 3_600.0


def test_stations_are_added_by_step_or_by_machine():
    change = asked(added=["printer=1", "write=2"], shifts=3)
    assert change == Change((), ((Step.PRINT, 1), (Step.WRITE, 2)), 3)
    assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"stations": ["l9=down"]}, "whatif.station"),
        ({"stations": ["l3"]}, "whatif.station"),
        ({"stations": ["l3=up"]}, "whatif.station"),
        ({"added": ["oven=1"]}, "whatif.step"),
        ({"added": ["print=0"]}, "whatif.count"),
        ({"added": ["print=51"]}, "whatif.count"),
        ({"added": ["print=one"]}, "whatif.count"),
        ({"added": ["print"]}, "whatif.count"),
        ({"shifts": 4}, "whatif.shifts"),
        ({"shifts": -1}, "whatif.shifts"),
        ({"stations": ["l3=down"], "begin": "25:00"}, "whatif.time"),
        ({"stations": ["l3=down"], "begin": "8"}, "whatif.time"),
        ({"begin": "08:00"}, "whatif.time"),
        ({"stations": ["l3=down"], "begin": "1970-01-05T08:00", "end": "1970-01-05T07:00"}, "whatif.time"),
        ({"stations": ["l3=down", "L3=down"]}, "whatif.twice"),
        ({"added": ["print=1", "printer=2"]}, "whatif.twice"),
    ],
)
def test_what_cannot_be_tried_is_told_by_a_code_and_a_sentence(what, code):
    with pytest.raises(ChangeError) as error:
        asked(**what)
    assert error.value.code == code
    assert error.value.text


@given(text=st.text(max_size=20), which=st.sampled_from(["stations", "added", "begin"]))
def test_any_text_is_a_change_or_a_coded_error(text, which):
    more = {"stations": ["p1=down"]} if which == "begin" else {}
    with suppress(ChangeError):
        assert isinstance(asked(**{**more, which: text if which == "begin" else [text]}), Change)


@given(minute=st.integers(0, 1_439), after=st.floats(0, 1e9))
def test_a_time_of_the_day_is_the_next_one(minute, after):
    at = parse_time(f"{minute // 60:02d}:{minute % 60:02d}", after)
    assert after <= at <= after + DAY_S
    assert at % DAY_S == minute * 60.0


@given(
    begin=st.integers(0, 1_439).filter(lambda minute: minute % 60 == 0),
    hours=st.floats(1.0, 8.0),
    shifts=st.integers(1, 3),
)
def test_shifts_follow_each_other_from_the_first_one_and_are_a_calendar(begin, hours, shifts):
    end = min(begin + 60, 1_440)
    now = CalendarConfig(
        shifts=f"{begin // 60:02d}:00-{end // 60:02d}:{end % 60:02d}", shift_hours=hours, shifts_per_day=3
    )
    text = shifts_text(now, shifts)
    spans = read_shifts(text)
    assert sum(last - first for first, last in spans) == shifts * round(hours * 60)
    assert any(first == begin for first, _ in spans)
    config = changed_config(replace(CoreConfig(), calendar=now), Change(shifts=shifts))
    assert config.calendar.shifts == text
    assert not Calendar(config.calendar).always


def test_every_step_can_be_named():
    assert set(STEP_WORDS.values()) == set(Step)
