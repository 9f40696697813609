"""`docs/config.md` is what the code says of each setting."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from controller.config import Config, SocketConfig
from controller.config_page import allowed_of, meanings_of, page, unit_of
from controller.core.settings import DriftConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "config.md"
SETTINGS = [
    (section.name, section.default_factory, setting)
    for section in dataclasses.fields(Config)
    for setting in dataclasses.fields(section.default_factory)
]


def test_the_page_is_what_the_code_prints():
    assert PAGE.read_text("utf-8") == page()


def test_each_setting_has_a_row_with_a_meaning():
    assert len(SETTINGS) > 70
    assert [name.name for _, kind, name in SETTINGS if len(meanings_of(kind).get(name.name, "")) < 6] == []
    assert page().count("\n| `") == len(SETTINGS)


def test_each_number_has_a_range_that_the_service_keeps():
    numbers = [(kind, f"{section}.{one.name}", one.default) for section, kind, one in SETTINGS]
    numbers = [row for row in numbers if type(row[2]) in (int, float)]
    assert len(numbers) > 40
    assert [name for kind, name, default in numbers if " to " not in allowed_of(kind, name, default)] == []


@pytest.mark.parametrize(
    ("kind", "name", "allowed"),
    [
        (SocketConfig, "sockets.burst_messages", "1 to 1,000,000"),
        (SocketConfig, "sockets.stations", "an address like tcp://127.0.0.1:5701"),
        (DriftConfig, "drift.defect_share", "0.0001 to 0.05"),
    ],
)
def test_what_is_allowed_is_what_a_wrong_value_is_told(kind, name, allowed):
    (default,) = [one.default for one in dataclasses.fields(kind) if one.name == name.partition(".")[2]]
    assert allowed_of(kind, name, default) == allowed


def test_units_come_from_the_ends_of_names():
    assert [unit_of("idle_s", 900.0), unit_of("free_min_mib", 1), unit_of("retention_days", 1)] == ["s", "MiB", "days"]
    assert [unit_of("chunks_max", 8), unit_of("listen_s", ""), unit_of("insecure", False)] == ["", "", ""]
