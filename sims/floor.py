"""Which simulated stations stand on the floor: the default floor of DESIGN.md 5, or a table from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import msgspec

from devices.defects import Step
from devices.peers import NAME

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e7)]


class FloorError(Exception):
    """A floor file that cannot be used: `code`, where in it, and what to write instead."""

    def __init__(self, code: str, where: str, sentence: str) -> None:
        super().__init__(f"{code}: {where}: {sentence}")
        self.code, self.where, self.sentence = code, where, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSpec:
    """One station: a load of n sheets (packing: cards) takes load_s + n x unit_s, ± spread, floor seconds."""

    name: str
    step: Step
    model: str = "simulated"
    load_max: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    load_s: Seconds = 0.0
    unit_s: Seconds = 0.0
    spread: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0.1
    mtbf_s: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = 4 * 3600.0  # of executing time
    mttr_s: Seconds = 15 * 60.0
    roll_sheets: Annotated[int, msgspec.Meta(ge=0)] = 0  # print: sheets of one roll of film, 0: it never ends
    refill_s: Seconds = 120.0

    def cycle_s(self, units: int) -> float:
        """Give the mean floor seconds of a load of `units` sheets (packing: cards)."""
        return self.load_s + self.unit_s * units


def _row(letter: str, count: int, spec: StationSpec) -> Iterator[StationSpec]:
    """Give `count` stations like `spec`, named by letter and number."""
    for number in range(1, count + 1):
        yield replace(spec, name=f"{letter}{number}")


DEFAULT_FLOOR: tuple[StationSpec, ...] = (
    *_row("p", 4, StationSpec(name="", step=Step.PRINT, unit_s=30.0, roll_sheets=500)),  # 120 sheets/h
    *_row("l", 6, StationSpec(name="", step=Step.LAMINATE, load_max=24, load_s=1200.0)),  # 72 sheets/h
    *_row("c", 2, StationSpec(name="", step=Step.PUNCH, unit_s=9.0)),  # 400 sheets/h
    *_row("w", 6, StationSpec(name="", step=Step.WRITE, unit_s=48.0)),  # 8 heads: 600 cards/h
    *_row("i", 2, StationSpec(name="", step=Step.INSPECT, unit_s=12.0)),  # 2,400 cards/h
    *_row("k", 3, StationSpec(name="", step=Step.PACK, load_max=200, unit_s=3.0)),  # 1,200 cards/h
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FloorFile:
    """A floor file: one `[[station]]` table a station, with the fields of `StationSpec`."""

    station: list[dict[str, object]]


def load_floor(path: Path) -> tuple[StationSpec, ...]:
    """Give the floor that a TOML file describes.

    Raises: FloorError: floor.unreadable, floor.not_toml, floor.bad_field (also unknown ones), floor.bad_name,
        floor.name_twice, floor.no_time (a load would take no time).
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FloorError("floor.unreadable", str(path), error.strerror or "it cannot be read") from None
    except ValueError as error:  # not UTF-8, or not TOML: the text names line and column
        raise FloorError("floor.not_toml", str(path), str(error)) from None
    if unknown := sorted(set(table) - {"station"}):
        raise FloorError("floor.bad_field", str(path), f"there is no {unknown[0]}: write [[station]] tables only")
    try:
        rows = msgspec.convert(table, _FloorFile).station
    except msgspec.ValidationError as error:
        raise FloorError("floor.bad_field", str(path), f"{error}: write one [[station]] table a station") from None
    floor = tuple(_station(row, f"station {number}") for number, row in enumerate(rows, 1))
    names = [spec.name for spec in floor]
    for name in names:
        if names.count(name) > 1:
            raise FloorError("floor.name_twice", name, "give each station a name of its own")
    if not floor:
        raise FloorError("floor.bad_field", str(path), "name at least one [[station]]")
    return floor


def _station(row: dict[str, object], where: str) -> StationSpec:
    unknown = sorted(set(row) - {field.name for field in fields(StationSpec)})
    if unknown:
        raise FloorError("floor.bad_field", where, f"there is no field {unknown[0]}")
    try:
        spec = msgspec.convert(row, StationSpec)
    except msgspec.ValidationError as error:
        raise FloorError("floor.bad_field", where, str(error)) from None
    if not NAME.fullmatch(spec.name):
        raise FloorError("floor.bad_name", where, "a name is up to 32 of a-z, 0-9 and -, the first not a -")
    if not (spec.load_s or spec.unit_s):
        raise FloorError("floor.no_time", where, "set load_s or unit_s above 0")
    return spec
