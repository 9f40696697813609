"""The table of simulated stations: the default floor's capacity, and what is wrong with a floor file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from devices.defects import Step
from devices.peers import NAME
from sims.floor import DEFAULT_FLOOR, FloorError, StationSpec, load_floor


def hourly(step: Step) -> float:
    """Give how many sheets (packing: cards) a step of the default floor does in an hour without stops."""
    return sum(3600 * spec.load_max / spec.cycle_s(spec.load_max) for spec in DEFAULT_FLOOR if spec.step is step)


def test_the_default_floor_is_that_of_the_design():
    assert Counter(spec.step for spec in DEFAULT_FLOOR) == {
        Step.PRINT: 4,
        Step.LAMINATE: 6,
        Step.PUNCH: 2,
        Step.WRITE: 6,
        Step.INSPECT: 2,
        Step.PACK: 3,
    }
    assert {step: hourly(step) for step in Step} == {
        Step.PRINT: 480,
        Step.LAMINATE: 432,
        Step.PUNCH: 800,
        Step.WRITE: 450,  # 600 cards/h each
        Step.INSPECT: 600,  # 2,400 cards/h each
        Step.PACK: 3600,
    }
    names = [spec.name for spec in DEFAULT_FLOOR]
    assert len(set(names)) == 23
    assert all(NAME.fullmatch(name) for name in names)


def test_a_floor_file_needs_only_what_differs(tmp_path):
    path = tmp_path / "floor.toml"
    path.write_text(
        '[[station]]\nname = "p1"\nstep = "print"\nunit_s = 30\n\n[[station]]\nname = "l-2"\n'
        'step = "laminate"\nload_max = 12\nload_s = 600.0\nmtbf_s = 7200\n'
    )
    assert load_floor(path) == (
        StationSpec(name="p1", step=Step.PRINT, unit_s=30.0),
        StationSpec(name="l-2", step=Step.LAMINATE, load_max=12, load_s=600.0, mtbf_s=7200.0),
    )


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("x", "floor.not_toml", "floor.toml"),
        ("", "floor.bad_field", "floor.toml"),
        ("station = 3", "floor.bad_field", "floor.toml"),
        ("station = []", "floor.bad_field", "floor.toml"),
        ("[[stations]]\nname = 'p1'", "floor.bad_field", "floor.toml"),
        ("[[station]]\nname = 'p1'\nstep = 'print'\nunit_s = 1\nspeed = 3", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'prin'\nunit_s = 1", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'p1'\nunit_s = 1", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'print'\nunit_s = 1\nload_max = 0", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'print'\nunit_s = -1", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'print'\nunit_s = nan", "floor.bad_field", "station 1"),
        ("[[station]]\nname = 'P 1'\nstep = 'print'\nunit_s = 1", "floor.bad_name", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'print'", "floor.no_time", "station 1"),
        ("[[station]]\nname = 'p1'\nstep = 'print'\nunit_s = 1\n" * 2, "floor.name_twice", "p1"),
    ],
)
def test_a_floor_file_that_cannot_be_used_says_where_and_why(tmp_path, text, code, where):
    path = tmp_path / "floor.toml"
    path.write_text(text)
    with pytest.raises(FloorError) as wrong:
        load_floor(path)
    assert wrong.value.code == code
    assert wrong.value.where.endswith(where)


def test_a_floor_file_that_is_not_there_or_no_text_is_said_to_be_so(tmp_path):
    with pytest.raises(FloorError) as missing:
        load_floor(Path(tmp_path / "none.toml"))
    assert missing.value.code == "floor.unreadable"
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FloorError) as noise:
        load_floor(tmp_path / "bytes.toml")
    assert noise.value.code == "floor.not_toml"
